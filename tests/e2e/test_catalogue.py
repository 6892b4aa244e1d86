"""Looking for a course, in a real browser."""

from collections.abc import Callable

import pytest

from services.kernel.actor import Role
from tests.e2e.conftest import PHONE, Visit
from tests.housed import House

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def learner(house: House) -> str:
    teacher = house.person(Role.INSTRUCTOR, name="Tea Cher")[1]
    house.course(teacher, "Splices for sailors", price=4_900)
    house.course(teacher, "Whippings <b>and</b> $eizings", price=12_900)
    house.course(teacher, "Reading a rope", price=0)
    return house.person(Role.LEARNER)[0]


def test_search_narrows_while_the_address_keeps_it(visit_house: Callable[..., Visit], learner: str) -> None:
    window = visit_house()
    window.sign_in(learner)
    window.page.get_by_label("Search").fill("splices")
    window.page.keyboard.press("Enter")
    window.page.wait_for_url("**/?search=splices*")
    window.page.get_by_text("Reading a rope").wait_for(state="detached")
    window.page.reload()
    window.settle()
    assert window.page.get_by_label("Search").input_value() == "splices"
    assert window.page.get_by_text("Splices for sailors").is_visible()
    assert window.page.get_by_text("Reading a rope").count() == 0


def test_card_opens_its_course(visit_house: Callable[..., Visit], learner: str) -> None:
    window = visit_house()
    window.sign_in(learner)
    card = window.page.locator("[class*=st-key-course_]", has_text="$eizings")
    assert card.get_by_text("Whippings <b>and</b> $eizings").is_visible()
    card.get_by_role("link", name="View course").click()
    window.page.wait_for_url("**/course?course=*")
    window.page.get_by_role("heading", name="Whippings <b>and</b> $eizings").wait_for()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 1400), PHONE], ids=["desktop", "phone"])
def test_pictures(
    visit_house: Callable[..., Visit], learner: str, *, size: tuple[int, int], dark: bool
) -> None:
    window = visit_house(size=size, dark=dark)
    window.sign_in(learner)
    assert window.sideways() == 0
    window.picture(f"catalogue-{size[0]}-{'dark' if dark else 'light'}")
    assert window.faults() == []
