"""One purchase from the card to the instructor's page, and back, while the page stands open."""

import http.client
import json
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from app import own_secrets
from services.kernel.actor import Actor, Role, system
from tests.e2e.conftest import Visit
from tests.housed import House
from tests.waiting import until

pytestmark = pytest.mark.browser


def order(house: House, **faults: object) -> None:
    """Let the house's sandbox deliver its news in another way."""
    port = int((house.folder / "sandbox.port").read_text())
    key = own_secrets.keep(house.folder).stripe_secret_key
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/_control/faults", json.dumps(faults), {"Authorization": f"Bearer {key}"})
    assert connection.getresponse().status == http.client.OK
    connection.close()


@pytest.fixture(params=["straight", "every webhook twice and out of order"])
def deliveries(request: pytest.FixtureRequest, house: House) -> Iterator[None]:
    """How the processor's news arrives."""
    is_twisted = request.param != "straight"
    order(house, duplicate=is_twisted, shuffle=is_twisted)
    yield
    order(house, duplicate=False, shuffle=False)


@pytest.mark.usefixtures("deliveries")
def test_a_sale_reaches_the_instructor_within_seconds_and_leaves_when_it_is_given_back(
    house: House, visit_house: Callable[..., Visit]
) -> None:
    teacher_email, teacher = house.person(Role.INSTRUCTOR, name="Tea Cher")
    learner_email, _ = house.person(Role.LEARNER, name="Lea Learner")
    course = house.course(teacher, "Eye splices", price=10_000)
    earnings, buying = visit_house(), visit_house()
    earnings.sign_in(teacher_email)
    buying.sign_in(learner_email)
    _reach_payment(buying, course)
    buying.pay()
    buying.page.wait_for_url("**/my-learning*")
    earnings.page.get_by_text("$37.00").first.wait_for(timeout=30_000)
    _give_back(buying)
    earnings.page.get_by_text("$37.00").first.wait_for(state="detached", timeout=20_000)
    _check_books(house, teacher)


def _reach_payment(window: Visit, course: UUID) -> None:
    window.may_leave = True
    window.open(f"/course?course={course}")
    window.page.get_by_role("button", name="Buy for $100.00").click()
    window.page.get_by_role("link", name="Pay $100.00").click()
    window.page.wait_for_selector("input[name=card_number]")


def _give_back(window: Visit) -> None:
    window.page.get_by_role("button", name="Refund $100.00").click(timeout=20_000)
    window.page.get_by_role("dialog").get_by_role("button", name="Refund $100.00").click()
    window.page.get_by_text("Refund sent").wait_for()


def _check_books(house: House, teacher: Actor) -> None:
    """One sale, one refund, nothing left with the instructor, books that sum to zero, no news left open."""
    until(lambda: _one(house, OPEN_NEWS) == 0, "every piece of news is taken up")
    assert _one(house, KINDS, teacher=teacher.user_id) == "refund,sale"
    assert _one(house, HELD, teacher=teacher.user_id) == 0
    assert _one(house, "SELECT sum(amount_minor) FROM posting") == 0


def _one(house: House, question: str, **facts: object) -> object:
    with house.works.begin(system("test")) as work:
        return work.run(text(question), facts).scalar_one()


OPEN_NEWS = "SELECT count(*) FROM inbox_event WHERE state NOT IN ('done', 'ignored')"
KINDS = """
SELECT string_agg(kind, ',' ORDER BY kind) FROM journal WHERE journal_id IN (
    SELECT journal_id FROM posting JOIN ledger_account USING (account_id) WHERE owner_id = :teacher)
"""
HELD = (
    "SELECT sum(amount_minor) FROM posting JOIN ledger_account USING (account_id) WHERE owner_id = :teacher"
)
