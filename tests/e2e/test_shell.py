"""The frame of every page in a real browser: door, theme, menu, phone, signing out."""

import re
from collections.abc import Callable

import pytest

from services.kernel.actor import Role
from tests.e2e.conftest import DESKTOP, PHONE, Visit
from tests.serving import PASSWORD, Shell

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def founder(shell: Shell) -> str:
    return shell.person("founder@test.example.com", Role.FOUNDER, name="Fia <b>Founder</b>")


def colour(visit: Visit, selector: str, of: str = "background-color") -> str:
    found: str = visit.page.evaluate(
        "([selector, of]) => getComputedStyle(document.querySelector(selector)).getPropertyValue(of)",
        [selector, of],
    )
    return found


def test_wrong_password_says_so_and_the_right_one_opens_the_first_page(
    visit: Callable[..., Visit], founder: str
) -> None:
    window = visit()
    window.page.goto(f"{window.address}/login")
    window.page.fill("#email", founder)
    window.page.fill("#password", "not it at all")
    window.page.press("#password", "Enter")
    window.page.wait_for_selector("[role=alert]")
    assert window.page.input_value("#email") == founder
    window.complaints.clear()  # Chromium notes the refused form itself
    window.page.fill("#password", PASSWORD)
    window.page.press("#password", "Enter")
    window.settle()
    assert window.page.title() == "Data health · Bursar"
    assert "Fia <b>Founder</b>" in window.page.inner_text("[data-testid=stSidebar]")


@pytest.mark.parametrize(
    ("dark", "page", "sidebar"), [(False, "255, 255, 255", "14, 26, 56"), (True, "12, 18, 34", "8, 13, 26")]
)
def test_theme_font_and_tokens_follow_the_mode(
    visit: Callable[..., Visit], founder: str, *, dark: bool, page: str, sidebar: str
) -> None:
    window = visit(dark=dark)
    window.sign_in(founder)
    assert colour(window, ".stApp") == f"rgb({page})"
    assert colour(window, "[data-testid=stSidebar]") == f"rgb({sidebar})"
    assert colour(window, "h1", "font-family").startswith("Inter")
    assert window.page.evaluate("() => document.fonts.check('16px Inter')")


def test_switch_of_the_mode_needs_no_run(visit: Callable[..., Visit], founder: str) -> None:
    window = visit()
    window.sign_in(founder)
    before = colour(window, ".stApp")
    window.page.click("[data-testid=stMainMenu] button")
    window.page.get_by_role("menuitemradio", name="Dark").click()
    window.page.wait_for_function(
        f"() => getComputedStyle(document.querySelector('.stApp')).backgroundColor !== '{before}'"
    )
    assert colour(window, ".stApp") == "rgb(12, 18, 34)"


def test_phone_shows_everything_without_scrolling_sideways(visit: Callable[..., Visit], founder: str) -> None:
    window = visit(size=PHONE)
    window.sign_in(founder)
    assert window.sideways() == 0
    window.page.click("[data-testid=stExpandSidebarButton]")
    window.page.get_by_role("link", name="Catalogue").click()
    window.page.wait_for_url(re.compile("/catalogue$"))
    window.settle()
    assert window.sideways() == 0


def test_address_of_a_foreign_page_leads_to_the_first_one(visit: Callable[..., Visit], founder: str) -> None:
    window = visit()
    window.sign_in(founder)
    window.open("/earnings")
    assert window.page.url == f"{window.address}/"


def test_after_signing_out_nothing_is_shown_any_more(visit: Callable[..., Visit], founder: str) -> None:
    window, other = visit(), visit()
    window.sign_in(founder)
    token = next(each["value"] for each in window.page.context.cookies() if each["name"] == "bursar_session")
    other.page.context.add_cookies([{"name": "bursar_session", "value": token, "url": other.address}])
    other.open("/")
    window.page.get_by_label("Sign out").click()
    window.page.wait_for_url(re.compile("/login$"))
    other.page.get_by_role("link", name="Catalogue").click()
    other.page.wait_for_selector("text=Your session has ended.")
    assert other.page.locator("h1").count() == 0
    assert other.page.locator("[data-testid=stSidebarNav]").count() == 0
    other.page.get_by_role("link", name="Sign in again").click()
    other.page.wait_for_url(re.compile("/login$"))


def test_two_people_at_once_see_their_own_frame(
    shell: Shell, visit: Callable[..., Visit], founder: str
) -> None:
    learner = shell.person("learner@test.example.com", Role.LEARNER, name="Lea Learner")
    one, two = visit(), visit()
    one.sign_in(founder)
    two.sign_in(learner)
    assert "Fia" in one.page.inner_text("[data-testid=stSidebar]")
    sidebar = two.page.inner_text("[data-testid=stSidebar]")
    assert "Lea Learner" in sidebar
    assert "Fia" not in sidebar
    assert "Data health" not in sidebar


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pictures_of_the_door(visit: Callable[..., Visit], *, size: tuple[int, int], dark: bool) -> None:
    window = visit(size=size, dark=dark)
    window.page.goto(f"{window.address}/login")
    assert window.sideways() == 0
    window.picture(f"sign-in-{size[0]}-{'dark' if dark else 'light'}")
    assert window.faults() == []
