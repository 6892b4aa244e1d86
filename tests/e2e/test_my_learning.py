"""From the card to the open course, and back inside the window, through the whole house."""

from collections.abc import Callable

import pytest

from services.kernel.actor import Actor, Role
from tests.e2e.conftest import PHONE, Visit
from tests.housed import House

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def teacher(house: House) -> Actor:
    return house.person(Role.INSTRUCTOR, name="Tea Cher")[1]


@pytest.fixture
def learner(house: House) -> str:
    return house.person(Role.LEARNER)[0]


def buy(window: Visit, course: object, price: str) -> None:
    window.may_leave = True
    window.open(f"/course?course={course}")
    window.page.get_by_role("button", name=f"Buy for {price}").click()
    window.page.get_by_role("link", name=f"Pay {price}").click()
    window.pay()
    window.page.wait_for_url("**/my-learning*")
    window.settle()
    row = window.page.locator("[class*=st-key-owned_]", has_text=f"{price} on").first
    row.get_by_text("Active").wait_for(timeout=10_000)


def test_paid_course_opens_by_itself_and_can_be_given_back(
    house: House, visit_house: Callable[..., Visit], learner: str, teacher: Actor
) -> None:
    course = house.course(teacher, "Splices for sailors", price=5_900)
    window = visit_house()
    window.sign_in(learner)
    buy(window, course, "$59.00")
    window.page.get_by_role("button", name="Refund $59.00").click()
    ask = window.page.get_by_role("dialog")
    ask.get_by_text("$59.00 goes back to the card that paid for Splices for sailors.").wait_for()
    ask.get_by_role("button", name="Refund $59.00").dblclick()
    window.page.get_by_text("Refund sent").wait_for()
    row = window.page.locator("[class*=st-key-owned_]")
    row.get_by_text("Refunded").wait_for(timeout=10_000)
    assert row.count() == 1
    assert window.page.get_by_role("button", name="Refund $59.00").count() == 0


def test_kept_course_stays(
    house: House, visit_house: Callable[..., Visit], learner: str, teacher: Actor
) -> None:
    course = house.course(teacher, "Bends", price=4_900)
    window = visit_house()
    window.sign_in(learner)
    buy(window, course, "$49.00")
    window.page.get_by_role("button", name="Refund $49.00").click()
    window.page.get_by_role("button", name="Keep the course").click()
    window.page.get_by_role("dialog").wait_for(state="detached")
    assert window.page.get_by_role("button", name="Refund $49.00").is_visible()


def test_open_window_is_left_alone_while_news_arrives(
    house: House, visit_house: Callable[..., Visit], learner: str, teacher: Actor
) -> None:
    first, second = house.course(teacher, "Bends", price=4_900), house.course(teacher, "Hitches", price=3_900)
    asking, buying = visit_house(), visit_house()
    asking.sign_in(learner)
    buy(asking, first, "$49.00")
    asking.page.get_by_role("button", name="Refund $49.00").click()
    asking.page.get_by_role("dialog").wait_for()
    buying.sign_in(learner)
    with asking.frames(3):  # beats of the live part, which must not close the window
        buy(buying, second, "$39.00")
    assert asking.page.get_by_role("dialog").is_visible()
    asking.page.keyboard.press("Escape")
    asking.page.get_by_text("Hitches").wait_for(timeout=10_000)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), PHONE], ids=["desktop", "phone"])
def test_pictures(
    house: House,
    visit_house: Callable[..., Visit],
    learner: str,
    teacher: Actor,
    *,
    size: tuple[int, int],
    dark: bool,
) -> None:
    window = visit_house(size=size, dark=dark)
    window.sign_in(learner)
    buy(window, house.course(teacher, "Splices for sailors", price=5_900), "$59.00")
    assert window.sideways() == 0
    window.picture(f"my-learning-{size[0]}-{'dark' if dark else 'light'}")
    assert window.faults() == []
