"""A real Chromium in front of a real shell, and what every story must not do: call out, or complain."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it carries no types
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests import housed, serving
from tests.waiting import until

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SYSTEM = ("chromium", "chromium-browser", "google-chrome", "chrome")
PICTURES = Path(__file__).parent.parent.parent / "test-output" / "pictures"
STREAMLITS = frozenset(
    {
        ("list", "stSidebarNavItems"),  # sections between the items of the menu
        ("listitem", "li"),  # the same items, seen from their side
        ("svg-img-alt", "g"),  # the points of the small trend in a metric
    }
)
"""Findings of axe that belong to Streamlit's own elements; the list may shrink, not grow."""
DESKTOP, PHONE = (1440, 1000), (390, 844)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser that CHROMIUM names, else the system's, else playwright's own."""
    named = os.environ.get("CHROMIUM")
    path = named or next(filter(None, map(shutil.which, SYSTEM)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shell(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Shell]:
    """A shell on a database of its own."""
    with (
        serving.database_from(postgres_server) as url,
        serving.shell(url, tmp_path_factory.mktemp("shell")) as running,
    ):
        yield running


class Visit:
    """One browser window of one person, with a record of everything that it should not have done."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.address = address
        self.complaints: list[str] = []
        self.may_leave = False
        self.heard = 0
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._hear))
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def sign_in(self, email: str) -> None:
        """Come in through the door and wait for the first page."""
        self.page.goto(f"{self.address}/login")
        self.page.fill("#email", email)
        self.page.fill("#password", serving.PASSWORD)
        self.page.press("#password", "Enter")
        self.settle()

    def open(self, path: str) -> None:
        """Go to an address and wait for its page."""
        self.page.goto(f"{self.address}{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until the run is over and everything is drawn."""
        self.page.wait_for_selector("[data-testid=stApp]", timeout=20_000)
        self.page.wait_for_function(
            "() => document.querySelector('.stApp').dataset.testScriptState === 'notRunning'"
            " && document.querySelector('h1, .b-empty')"
            " && !document.querySelector('[data-testid=stSkeleton]')",
            timeout=20_000,
        )

    @contextmanager
    def frames(self, more: int) -> Iterator[None]:
        """After the block, wait until the server has spoken to the page so many times more."""
        yield
        before = self.heard
        until(lambda: self._speaks_again(before + more), f"{more} more frames")

    def pay(self, number: str = "4242424242424242") -> None:
        """Fill in the payment page with a test card and come back from it."""
        self.page.wait_for_selector("input[name=card_number]")
        self.page.fill("input[name=card_number]", number)
        self.page.fill("input[name=name]", "Robin Test")
        self.page.click("button[type=submit]")

    def picture(self, name: str) -> Path:
        """Keep what the window shows."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path

    def faults(self) -> list[str]:
        """What axe (WCAG 2.1 A and AA) finds, beyond what is known of Streamlit itself."""
        found = Axe().run(self.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
        return [
            f"{violation['id']}: {node['target']} {node['html'][:200]}"
            for violation in found.response["violations"]
            for node in violation["nodes"]
            if (violation["id"], _owner(node["html"])) not in STREAMLITS
        ]

    def sideways(self) -> int:
        """How many pixels the page is wider than its window."""
        wider: int = self.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wider

    def _speaks_again(self, wanted: int) -> bool:
        self.page.wait_for_timeout(50)  # lets the browser's events through
        return self.heard >= wanted

    def _hear(self, _frame: object) -> None:
        self.heard += 1

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        port = self.address.rsplit(":", 1)[-1]
        if self.may_leave and request.url.startswith("http://127.0.0.1:"):
            return  # the payment page is the processor's
        if not request.url.startswith((self.address, f"ws://localhost:{port}/", "data:", "blob:")):
            self.complaints.append(f"request: {request.url}")


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[housed.House]:
    """Everything that `bursar up` starts, once for all stories."""
    with housed.house(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture
def windows(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens windows on an address; at the end none of them may have called out or complained."""
    opened: list[tuple[BrowserContext, Visit]] = []

    def window(address: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False) -> Visit:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            locale="en-US",
            reduced_motion="reduce",
        )
        new = Visit(context, address)
        opened.append((context, new))
        return new

    yield window
    complaints = [complaint for _, each in opened for complaint in each.complaints]
    for context, _ in opened:
        context.close()
    assert not complaints


@pytest.fixture
def visit(windows: Callable[..., Visit], shell: serving.Shell) -> Callable[..., Visit]:
    """Opens windows on the shell alone."""
    return partial(windows, shell.address)


@pytest.fixture
def visit_house(windows: Callable[..., Visit], house: housed.House) -> Callable[..., Visit]:
    """Opens windows on the whole house."""
    return partial(windows, house.address)


def _owner(html: str) -> str:
    """The test id of an element of Streamlit's, or its tag."""
    found = re.search(r'data-testid="([^"]+)"', html) or re.match(r"<([a-z-]+)", html)
    return found[1] if found else html
