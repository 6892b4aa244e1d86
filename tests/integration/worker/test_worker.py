"""News is taken up once, whatever its order, however often it comes, and whoever else fails."""

import http.client
import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import permutations
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import func, select
from starlette.types import ASGIApp
from stripe import WebhookSignature

from services import http as api
from services import worker
from services.kernel.actor import Actor
from services.kernel.errors import Unavailable
from services.kernel.ids import PurchaseId
from services.kernel.time import SetClock
from services.ledger import accounts
from services.marketplace import purchase
from services.payments.arrival import Arrival
from services.reactions import STRIPE
from services.runtime.audit import AuditLog
from services.runtime.events import MOST_TRIES, InboxEvent
from services.runtime.settings import Settings
from services.stripe.gateway import Gateway
from tests import books
from tests.contenders import at_once
from tests.factories.marketplace import TEST, Bought
from tests.factories.news import News

SECRET = "whsec_invented_for_this_test"
USD = "USD"
SEED = 20261124
MANY = 12


def settled_once(news: News, bought: Bought, teacher: Actor) -> None:
    """Assert that a purchase of 100.00 had its effect, and had it once."""
    assert news.state_of(bought) == "settled"
    assert news.journals() == ["sale"]
    assert news.enrolments() == ["active"]
    assert news.market.earned(teacher) == (3_700, 0)
    assert audits(news, "purchase.settled") == 1
    assert books.faults(news.market.works.engine) == []


def audits(news: News, action: str) -> int:
    """How often something was done, as the audit log has it."""
    with news.market.works.begin(TEST) as work:
        return work.run(select(func.count()).where(AuditLog.action == action)).scalar_one()


def test_the_same_event_twice_has_one_effect(news: News, begun: Bought, teacher: Actor) -> None:
    news.pay(begun)
    for _ in range(2):
        news.bring(news.everything() * 2)
        news.drain()
    settled_once(news, begun, teacher)
    assert set(news.inbox().values()) == {"done", "ignored"}


def test_fifty_deliveries_of_an_event_at_once_settle_one_purchase(
    news: News, begun: Bought, teacher: Actor, listen: Callable[[ASGIApp], int]
) -> None:
    news.pay(begun)
    (word,) = [each for each in news.everything() if each.kind == "checkout.session.completed"]
    market = news.market
    settings = Settings.model_validate(
        {
            "stripe_secret_key": market.sandbox.secret_key,
            "stripe_base_url": market.sandbox.base_url,
            "stripe_webhook_secret": SECRET,
        }
    )
    port = listen(api.application(market.works, market.gateway, settings))
    answers = at_once([partial(deliver, port, word, market.clock)] * 50)
    assert answers == [200] * 50
    assert news.inbox() == {word.event_id: "received"}
    drains = at_once([news.drain] * 4)
    assert sum(taken for taken in drains if isinstance(taken, int)) >= 1, drains
    settled_once(news, begun, teacher)


def deliver(port: int, word: Arrival, clock: SetClock) -> int:
    """Post a signed event to the webhook endpoint; gives the status of the answer."""
    body = json.dumps(word.body)
    stamp = int(clock.now().timestamp())
    header = str(WebhookSignature.generate_signature_header(body, SECRET, stamp))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/v1/stripe/webhook", body, {"Stripe-Signature": header})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    "order", list(permutations(["checkout.session.completed", "payment_intent.succeeded", "refund.created"]))
)
def test_the_events_of_a_purchase_end_the_same_in_every_order(
    news: News, begun: Bought, teacher: Actor, order: tuple[str, ...]
) -> None:
    news.pay(begun)
    news.refund_outside(news.intent_there(begun))
    told = {each.kind: each for each in news.everything()}
    assert {kind for kind in told if kind in STRIPE} == set(order)
    for kind in order:
        news.bring([told[kind]])
        news.drain()
    news.settle_down()
    given_back(news, 1, teacher)


def test_all_events_of_many_purchases_twice_and_shuffled_end_the_same(news: News, teacher: Actor) -> None:
    market, shuffled = news.market, random.Random(SEED)
    course = market.course(teacher)
    for _ in range(MANY):
        bought = market.begun(market.person(), course)
        news.pay(bought)
        news.refund_outside(news.intent_there(bought))
    told = news.everything() * 2
    shuffled.shuffle(told)
    while told:
        some = shuffled.randint(1, 8)
        news.bring(told[:some])
        del told[:some]
        news.drain()
    news.settle_down()
    given_back(news, MANY, teacher)


def given_back(news: News, count: int, teacher: Actor) -> None:
    """Assert that so many purchases were paid once and given back once, and nothing is left of them."""
    assert news.journals() == ["refund"] * count + ["sale"] * count
    assert news.enrolments() == ["revoked"] * count
    assert (audits(news, "purchase.settled"), audits(news, "refund.settled")) == (count, count)
    assert (news.failed(), news.market.earned(teacher)) == ([], (0, 0))
    assert news.market.holds(accounts.platform_share(USD)) == 0
    assert books.faults(news.market.works.engine) == []


def test_news_that_overtakes_its_purchase_waits_for_it(news: News, begun: Bought, teacher: Actor) -> None:
    market = news.market
    buyer = market.person()
    offer = market.quote(buyer, market.course(teacher))
    with market.works.begin(buyer) as work:
        late = PurchaseId(purchase._write(work, offer.quote_id, offer.total))  # noqa: SLF001 - begun, and not committed yet
        news.pay_outside(late, 10_000)
        news.hear()
        assert news.failed() == [
            ("payment_intent.succeeded", "failed", 1, "purchase_unknown: There is no such purchase.")
        ]
    assert news.drain() == 0, "it is not its time yet"
    news.settle_down()
    assert news.failed() == []
    assert (news.journals(), news.enrolments()) == (["sale"], ["active"])
    assert news.state_of(begun) == "pending"
    assert books.faults(news.market.works.engine) == []


def test_kinds_that_nobody_reacts_to_are_ignored(news: News, begun: Bought) -> None:
    news.hear()
    told = news.everything()
    assert told
    assert {each.kind for each in told}.isdisjoint(STRIPE)
    assert news.inbox() == {each.event_id: "ignored" for each in told}
    assert news.state_of(begun) == "pending"


def test_a_poisonous_event_stops_nobody_and_dies_visibly(news: News, begun: Bought, teacher: Actor) -> None:
    news.pay_outside(uuid4(), 10_000)
    news.pay(begun)
    news.hear()
    settled_once(news, begun, teacher)
    error = "purchase_unknown: There is no such purchase."
    assert news.failed() == [("payment_intent.succeeded", "failed", 1, error)]
    for tries in range(2, MOST_TRIES + 1):
        assert news.drain() == 0, "it is not its time yet"
        news.market.pass_time(worker.LONGEST_WAIT)
        assert news.drain() == 1
        state = "dead" if tries == MOST_TRIES else "failed"
        assert news.failed() == [("payment_intent.succeeded", state, tries, error)]
    news.market.pass_time(worker.LONGEST_WAIT * 10)
    assert (news.drain(), news.waiting()) == (0, 0)
    settled_once(news, begun, teacher)


def test_workers_that_drain_at_once_take_up_each_thing_once(news: News, teacher: Actor) -> None:
    market = news.market
    course = market.course(teacher)
    for _ in range(MANY):
        news.pay(market.begun(market.person(), course))
    news.sweep()
    answers = at_once([news.drain] * 4)
    assert all(isinstance(answer, int) for answer in answers), answers
    assert news.waiting() == 0
    assert news.journals() == ["sale"] * MANY
    assert (audits(news, "purchase.settled"), market.earned(teacher)) == (MANY, (MANY * 3_700, 0))
    assert books.faults(news.market.works.engine) == []


def test_what_another_worker_has_in_hand_is_left_to_it(news: News, begun: Bought, database: str) -> None:
    news.pay(begun)
    news.sweep()
    names = (news.session_of(begun), news.intent_there(begun))
    with psycopg.connect(database, autocommit=True) as other:
        for name in names:
            other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        news.drain()
        assert (news.state_of(begun), news.waiting()) == ("pending", len(names))
        other.execute("SELECT pg_advisory_unlock_all()")
    news.drain()
    assert (news.state_of(begun), news.waiting()) == ("settled", 0)


def test_while_stripe_is_away_news_waits_unmarked(news: News, begun: Bought, teacher: Actor) -> None:
    news.pay(begun)
    news.sweep()
    nobody = replace(news.market, gateway=Gateway("sk_test_away", "http://127.0.0.1:9"))
    for _ in range(2):
        with pytest.raises(Unavailable) as away:
            worker.drain(nobody.works, nobody.gateway)
        assert away.value.code == "stripe_unavailable"
    with news.market.works.begin(TEST) as work:
        left = work.run(select(InboxEvent.state, InboxEvent.tries).where(InboxEvent.kind.in_(STRIPE))).all()
    assert left == [("received", 0), ("received", 0)]
    news.drain()
    settled_once(news, begun, teacher)


def test_one_answer_that_is_missing_stops_no_other(news: News, teacher: Actor) -> None:
    market = news.market
    first, second = (market.begun(market.person(), market.course(teacher)) for _ in range(2))
    news.pay(first)
    news.pay(second)
    news.sweep()
    fails = {"fault": "500", "times": 100, "method": "GET"}
    paths = [
        f"/v1/payment_intents/{news.intent_there(first)}",
        f"/v1/checkout/sessions/{news.session_of(first)}",
    ]
    market.sandbox.control("POST", "faults", {"calls": [fails | {"path": path} for path in paths]})
    with pytest.raises(Unavailable):
        news.drain()
    assert (news.state_of(first), news.state_of(second)) == ("pending", "settled")
    market.sandbox.control("DELETE", "faults")
    news.drain()
    assert news.state_of(first) == "settled"
    assert books.faults(news.market.works.engine) == []
