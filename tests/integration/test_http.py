"""The HTTP API: what a client may send, what it gets, and what it is told when that is wrong."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url, text
from starlette.testclient import TestClient

from services import http, worker
from services.identity import people, signin
from services.kernel.actor import Role, system
from services.kernel.ids import CourseId
from services.kernel.time import SetClock
from services.payments import sweep
from services.runtime.settings import Settings
from services.runtime.work import Works
from tests.factories.marketplace import Market

PASSWORD = "a test password 1"


@pytest.fixture
def api(market: Market, settings: Settings) -> Iterator[TestClient]:
    application = http.application(market.works, market.gateway, settings)
    with TestClient(application, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def course(market: Market) -> CourseId:
    return market.course(market.teacher(), price=4_999)


@pytest.fixture
def buyer(works: Works, api: TestClient) -> TestClient:
    """The client of a learner who is signed in."""
    with works.begin(system("test")) as work:
        people.register(
            work, email="bea@example.com", name="Bea Buyer", password=PASSWORD, roles=[Role.LEARNER]
        )
    token = signin.sign_in(works, email="bea@example.com", password=PASSWORD, address="127.0.0.1")
    api.cookies.set("bursar_session", token)
    return api


def _quote(client: TestClient, course: CourseId, currency: str = "USD") -> dict[str, object]:
    answer = client.post("/v1/quotes", json={"course_id": str(course), "currency": currency})
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


def _wanted(offer: dict[str, object], **other: object) -> dict[str, object]:
    return {
        "quote_id": offer["quote_id"],
        "amount_minor": offer["total_minor"],
        "currency": offer["currency"],
    } | other


def _key() -> dict[str, str]:
    return {"Idempotency-Key": f"test-{uuid.uuid4()}"}


def test_a_course_is_bought_and_given_back(buyer: TestClient, course: CourseId, market: Market) -> None:
    begun = buyer.post("/v1/purchases", json=_wanted(_quote(buyer, course)), headers=_key()).json()
    assert begun["state"] == "pending"
    assert begun["checkout_url"].startswith(market.sandbox.base_url)
    _pay(market)
    sweep.sweep(market.works, market.gateway, since=market.clock.now() - timedelta(days=1))
    worker.drain(market.works, market.gateway)
    assert buyer.get(f"/v1/purchases/{begun['purchase_id']}").json()["state"] == "settled"
    (owned,) = buyer.get("/v1/my-courses").json()
    assert (owned["state"], owned["paid_minor"]) == ("held", 4_999)
    back = buyer.post(
        f"/v1/purchase-lines/{owned['line_id']}/refund", json={"reason": "other"}, headers=_key()
    ).json()
    assert (back["state"], back["amount_minor"]) == ("succeeded", 4_999)
    assert buyer.get("/v1/my-courses").json()[0]["state"] == "refunded"


def test_the_same_key_begins_one_purchase(buyer: TestClient, course: CourseId) -> None:
    offer, key = _quote(buyer, course), _key()
    first = buyer.post("/v1/purchases", json=_wanted(offer), headers=key).json()
    assert buyer.post("/v1/purchases", json=_wanted(offer), headers=key).json() == first
    other = buyer.post("/v1/purchases", json=_wanted(offer, amount_minor=1), headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount_minor": 4_998}, "amount_minor"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"amount_minor": "4999"}, "amount_minor"),
        ({"amount_minor": 49.99}, "amount_minor"),
        ({"currency": "EUR"}, "currency"),
        ({"currency": "usd"}, "currency"),
        ({"quote_id": "no-id"}, "quote_id"),
    ],
)
def test_a_wrong_field_is_named(
    buyer: TestClient, course: CourseId, *, change: dict[str, object], field: str
) -> None:
    answer = buyer.post("/v1/purchases", json=_wanted(_quote(buyer, course), **change), headers=_key())
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.headers["content-type"] == "application/problem+json"
    assert buyer.get("/v1/my-courses").json() == []


def test_an_unknown_course_a_strange_currency_and_an_expired_quote_are_told(
    buyer: TestClient, course: CourseId, clock: SetClock
) -> None:
    unknown = buyer.post("/v1/quotes", json={"course_id": str(uuid.uuid4())})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "course_unknown")
    strange = buyer.post("/v1/quotes", json={"course_id": str(course), "currency": "EUR"})
    assert (strange.status_code, strange.json()["field"]) == (422, "currency")
    offer = _quote(buyer, course)
    clock.advance(timedelta(minutes=31))
    late = buyer.post("/v1/purchases", json=_wanted(offer), headers=_key())
    assert (late.status_code, late.json()["code"]) == (409, "quote_expired")


def test_a_purchase_needs_a_key(buyer: TestClient, course: CourseId) -> None:
    answer = buyer.post("/v1/purchases", json=_wanted(_quote(buyer, course)))
    assert (answer.status_code, answer.json()["field"].lower()) == (422, "idempotency-key")


def test_nobody_buys_without_signing_in(api: TestClient, course: CourseId) -> None:
    answer = api.post("/v1/quotes", json={"course_id": str(course)})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_what_is_too_large_or_no_json_or_nowhere_is_told_as_a_problem(buyer: TestClient) -> None:
    large = buyer.post("/v1/quotes", content=b"x" * 70_000, headers={"content-type": "application/json"})
    broken = buyer.post("/v1/quotes", content=b"{", headers={"content-type": "application/json"})
    nowhere = buyer.get("/v1/nowhere")
    assert [answer.status_code for answer in (large, broken, nowhere)] == [413, 422, 404]
    for answer in (large, broken, nowhere):
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_purchase_of_somebody_else_is_not_there(
    buyer: TestClient, course: CourseId, market: Market
) -> None:
    stranger = market.begun(market.person(), course)
    assert buyer.get(f"/v1/purchases/{stranger.purchase}").status_code == 404


def test_a_database_that_is_away_is_told_with_when_to_try_again(
    buyer: TestClient, course: CourseId, market: Market, database: str
) -> None:
    market.works.engine.dispose()
    with psycopg.connect(database, dbname="postgres", autocommit=True) as connection:
        name = sql.Identifier(make_url(database).database or "")
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        answer = buyer.post("/v1/quotes", json={"course_id": str(course)})
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def _pay(market: Market) -> None:
    with market.works.begin(system("test")) as work:
        session = work.run(text("SELECT stripe_checkout_session_id FROM payment")).scalar_one()
    market.sandbox.control("POST", f"/_control/pay/{session}", {"payment_method": "pm_card_visa"})
