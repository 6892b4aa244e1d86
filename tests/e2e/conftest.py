"""A real Chromium in front of a real shell, and what every story must not do: call out, or complain."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests import serving

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

    def picture(self, name: str) -> Path:
        """Keep what the window shows."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path

    def sideways(self) -> int:
        """How many pixels the page is wider than its window."""
        wider: int = self.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wider

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        port = self.address.rsplit(":", 1)[-1]
        if not request.url.startswith((self.address, f"ws://localhost:{port}/", "data:", "blob:")):
            self.complaints.append(f"request: {request.url}")


@pytest.fixture
def visit(chromium: Browser, shell: serving.Shell) -> Iterator[Callable[..., Visit]]:
    """Opens windows on the shell; at the end none of them may have called out or complained."""
    opened: list[tuple[BrowserContext, Visit]] = []

    def window(*, size: tuple[int, int] = DESKTOP, dark: bool = False) -> Visit:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            locale="en-US",
            reduced_motion="reduce",
        )
        new = Visit(context, shell.address)
        opened.append((context, new))
        return new

    yield window
    complaints = [complaint for _, each in opened for complaint in each.complaints]
    for context, _ in opened:
        context.close()
    assert not complaints
