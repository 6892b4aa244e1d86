"""One course: its price, and the way to the payment page and back."""

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


def test_declined_card_can_be_tried_again_and_cancelling_leads_back(
    house: House, visit_house: Callable[..., Visit], learner: str, teacher: Actor
) -> None:
    course = house.course(teacher, "Bends", price=4_900)
    window = visit_house()
    window.may_leave = True
    window.sign_in(learner)
    window.open(f"/course?course={course}")
    window.page.get_by_role("button", name="Buy for $49.00").click()
    window.page.get_by_role("link", name="Pay $49.00").click()
    window.pay("4000000000000002")
    window.page.get_by_role("alert").get_by_text("declined").wait_for()
    window.complaints.clear()
    window.page.get_by_text("Cancel").click()
    window.page.wait_for_url(f"**/course?course={course}")
    window.settle()
    assert window.page.get_by_role("button", name="Continue to payment").is_visible()


def test_not_now_closes_the_window_and_buys_nothing(
    house: House, visit_house: Callable[..., Visit], learner: str, teacher: Actor
) -> None:
    course = house.course(teacher, "Hitches", price=4_900)
    window = visit_house()
    window.sign_in(learner)
    window.open(f"/course?course={course}")
    window.page.get_by_role("button", name="Buy for $49.00").click()
    window.page.get_by_role("button", name="Not now").click()
    window.page.get_by_role("dialog").wait_for(state="detached")
    assert window.page.get_by_role("button", name="Buy for $49.00").is_visible()


def test_free_course_opens_at_once(
    house: House, visit_house: Callable[..., Visit], learner: str, teacher: Actor
) -> None:
    course = house.course(teacher, "Reading a rope", price=0)
    window = visit_house()
    window.sign_in(learner)
    window.open(f"/course?course={course}")
    window.page.get_by_role("button", name="Enrol for free").click()
    window.page.wait_for_url("**/my-learning")
    window.page.get_by_text("You are enrolled").wait_for()
    assert window.page.get_by_text("Reading a rope").is_visible()


def test_till_refuses_what_was_never_quoted(visit_house: Callable[..., Visit], learner: str) -> None:
    window = visit_house()
    window.sign_in(learner)
    answer = window.page.goto(f"{window.address}/checkout?quote=none")
    assert answer is not None
    assert answer.status == 409
    assert window.page.get_by_text("The address names no quote").is_visible()
    window.complaints.clear()  # Chromium notes the refused address itself


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
    course = house.course(teacher, "Splices for sailors", price=4_900)
    window = visit_house(size=size, dark=dark)
    window.sign_in(learner)
    window.open(f"/course?course={course}")
    assert window.sideways() == 0
    window.picture(f"course-{size[0]}-{'dark' if dark else 'light'}")
    assert window.faults() == []
