"""Catalogue, course and my learning, run as a learner against a real market."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import update

from services.identity.tables import UserSession
from services.kernel.actor import Actor, Role, system
from services.kernel.ids import CourseId
from services.marketplace import learn
from services.marketplace.tables import Course
from tests.factories.marketplace import Market
from tests.integration.app.conftest import Look, words


@pytest.fixture
def learner(market: Market) -> Actor:
    return market.person()


@pytest.fixture
def teacher(market: Market) -> Actor:
    return market.teacher()


def titled(market: Market, teacher: Actor, title: str, *, price: int = 10_000, **facts: object) -> CourseId:
    course = market.course(teacher, price=price)
    with market.works.begin(system("test")) as work:
        work.run(update(Course).where(Course.course_id == course).values(title=title, **facts))
    return course


def test_first_page_is_the_catalogue(market: Market, learner: Actor, teacher: Actor, look: Look) -> None:
    titled(market, teacher, "Knots at sea", price=4_900)
    page = look(learner)
    assert not page.exception
    assert [each.value for each in page.title] == ["Catalogue"]
    assert "Knots at sea" in words(page)
    assert "$49.00" in words(page)
    assert "1 course, newest first" in words(page)


def test_catalogue_without_courses_says_what_will_come(learner: Actor, look: Look) -> None:
    page = look(learner)
    assert "No course is on sale yet." in words(page)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({"search": "SEA knots"}, {"Knots at sea"}),
        ({"search": "robin"}, {"Knots at sea", "Rust for poets", "Free air"}),
        ({"search": "100%"}, set()),
        ({"search": "_"}, set()),
        ({"subject": "Code"}, {"Rust for poets"}),
        ({"level": "Expert"}, {"Rust for poets"}),
        ({"price": "Free"}, {"Free air"}),
        ({"price": "Up to $50"}, {"Knots at sea"}),
        ({"price": "Above $100"}, {"Rust for poets"}),
        ({"subject": "Invented", "price": "Nonsense"}, {"Knots at sea", "Rust for poets", "Free air"}),
    ],
)
def test_what_the_address_says_narrows_the_shelf(
    market: Market, learner: Actor, teacher: Actor, look: Look, *, address: dict[str, str], found: set[str]
) -> None:
    titled(market, teacher, "Knots at sea", price=4_900)
    titled(market, teacher, "Rust for poets", price=12_900, subject="Code", level="Expert")
    titled(market, teacher, "Free air", price=0)
    page = look(learner, **address)
    assert not page.exception
    assert {
        title for title in ("Knots at sea", "Rust for poets", "Free air") if title in words(page)
    } == found


def test_search_that_finds_nothing_can_be_widened(
    market: Market, learner: Actor, teacher: Actor, look: Look
) -> None:
    titled(market, teacher, "Knots at sea")
    page = look(learner, search="nothing like it")
    assert "No course fits among 1." in words(page)
    page.button(key="widen").click().run()
    assert "Knots at sea" in words(page)


def test_many_courses_come_in_pages_of_twelve(
    market: Market, learner: Actor, teacher: Actor, look: Look
) -> None:
    for number in range(14):
        titled(market, teacher, f"Lesson {number:02}")
    first, second = look(learner), look(learner, shelf="2")
    assert sum(f"Lesson {number:02}" in words(first) for number in range(14)) == 12
    assert sum(f"Lesson {number:02}" in words(second) for number in range(14)) == 2


def test_unlisted_courses_stay_away(market: Market, learner: Actor, teacher: Actor, look: Look) -> None:
    hidden = titled(market, teacher, "Withdrawn", status="withdrawn")
    assert "No course is on sale yet." in words(look(learner))
    page = look(learner, "course", course=str(hidden))
    assert "There is no such course on sale." in words(page)


def test_words_of_others_are_shown_as_they_are(
    market: Market, learner: Actor, teacher: Actor, look: Look
) -> None:
    course = titled(
        market, teacher, "<img src=x> **$5**", description="<script>alert(1)</script>\n![x](http://a.test)"
    )
    page = look(learner, "course", course=str(course))
    assert not page.exception
    assert page.title[0].value == "\\<img src=x\\> \\*\\*\\$5\\*\\*"
    assert "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>" in words(page)
    assert "<script>" not in words(page)


def test_course_page_leads_to_the_till_at_the_price_that_was_seen(
    market: Market, learner: Actor, teacher: Actor, look: Look
) -> None:
    course = titled(market, teacher, "Knots at sea", price=4_900)
    page = look(learner, "course", course=str(course))
    assert page.button(key="buy").label == "Buy for \\$49.00"
    page.button(key="buy").click().run()
    assert "You pay **\\$49.00** for Knots at sea" in words(page)
    assert f"course={course}&amp;amount=4900&amp;currency=USD" in words(page)


@pytest.mark.parametrize("named", ["", "not an id", "01890a5d-ac96-774b-bcce-b302099a8057"])
def test_address_of_no_course_says_so(learner: Actor, look: Look, named: str) -> None:
    page = look(learner, "course", course=named)
    assert not page.exception
    assert "No course is chosen." in words(page) or "There is no such course on sale." in words(page)


def test_free_course_is_enrolled_at_once(market: Market, learner: Actor, teacher: Actor, look: Look) -> None:
    course = titled(market, teacher, "Free air", price=0)
    page = look(learner, "course", course=str(course))
    page.button(key="buy").click().run()
    assert not page.exception
    with market.works.begin(learner) as work:
        assert [each.state for each in learn.mine(work)] == ["held"]
    again = look(learner, "course", course=str(course))
    assert "buy" not in [button.key for button in again.button]


def test_my_learning_shows_each_state_and_its_step(
    market: Market, learner: Actor, teacher: Actor, look: Look
) -> None:
    kept = market.buy(learner, titled(market, teacher, "Kept", price=4_900))
    back = market.buy(learner, titled(market, teacher, "Returned", price=5_900))
    market.begun(learner, titled(market, teacher, "Waiting", price=6_900))
    market.give_back(learner, back.line)
    page = look(learner, "my_learning")
    assert not page.exception
    assert all(title in words(page) for title in ("Kept", "Returned", "Waiting"))
    assert [button.label for button in page.button] == ["Refund \\$49.00"]
    assert page.button[0].key == f"refund_{kept.line}"
    assert "1 course open to you" in words(page)
    assert "refund until 24 Dec 2026" in words(page)


def test_my_learning_filters_by_state(market: Market, learner: Actor, teacher: Actor, look: Look) -> None:
    market.buy(learner, titled(market, teacher, "Kept"))
    page = look(learner, "my_learning")
    page.button_group(key="learning").set_value("Refunded").run()
    assert "None of your courses is refunded." in words(page)
    page.button(key="widen").click().run()
    assert "Kept" in words(page)


def test_refund_is_offered_until_its_window_closes(
    market: Market, learner: Actor, teacher: Actor, look: Look
) -> None:
    bought = market.buy(learner, titled(market, teacher, "Kept"))
    market.pass_time(timedelta(days=30))
    page = look(learner, "my_learning")
    assert f"refund_{bought.line}" not in [button.key for button in page.button]
    assert "refund until" not in words(page)


def test_my_learning_of_somebody_new_names_the_first_step(learner: Actor, look: Look) -> None:
    page = look(learner, "my_learning")
    assert "Your courses will appear here." in words(page)
    assert page.page_link[0].value == "Open the catalogue"


def test_nobody_sees_what_another_bought(market: Market, learner: Actor, teacher: Actor, look: Look) -> None:
    market.buy(learner, titled(market, teacher, "Private taste"))
    assert "Private taste" not in words(look(market.person(), "my_learning"))


@pytest.mark.parametrize("page", ["earnings", "data_health"])
def test_pages_of_others_cannot_be_opened(learner: Actor, look: Look, page: str) -> None:
    with pytest.raises(ValueError, match=page):
        look(learner, page)


def test_after_the_session_nothing_but_the_way_back_in(
    market: Market, learner: Actor, teacher: Actor, look: Look
) -> None:
    titled(market, teacher, "Knots at sea")
    page = look(learner)
    with market.works.begin(system("test")) as work:
        work.run(update(UserSession).values(ended_at=work.now))
    page.run()
    shown = [each.value for each in page.html if not each.value.startswith("<style>")]
    assert len(shown) == 1
    assert "Your session has ended." in shown[0]
    assert not page.title
    assert not page.button


def test_a_person_without_a_role_is_told_whom_to_ask(database: str, market: Market, look: Look) -> None:
    nobody = market.person()
    with psycopg.connect(database) as owner:
        owner.execute("DELETE FROM user_role WHERE user_id = %s", [nobody.user_id])
    page = look(Actor(nobody.name, nobody.user_id, frozenset({Role.LEARNER})))
    assert "There is nothing here for you yet." in words(page)
