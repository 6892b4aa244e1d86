"""What the processor tells of money has its consequence, also when nobody here asked for it."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select

from services import worker
from services.kernel.actor import Actor
from services.kernel.money import Money
from services.ledger import accounts
from services.marketplace import mature, purchase
from services.marketplace.tables import PurchaseLine
from services.payments.tables import Payment, Refund
from services.runtime.events import OutboxEvent
from tests import books
from tests.factories.marketplace import TEST, Bought, Market
from tests.factories.news import News

USD = "USD"
MISMATCH = "settlement_currency: Paid in USD, settled in EUR: a person must book it."


@pytest.fixture
def paid(news: News, begun: Bought) -> Bought:
    """A purchase of 100.00 that was paid on its hosted page and settled."""
    news.pay(begun)
    news.hear()
    return begun


def lines(market: Market) -> list[str]:
    """The state of every purchase line, sorted."""
    with market.works.begin(TEST) as work:
        return sorted(work.run(select(PurchaseLine.state)).scalars())


def test_a_refund_made_at_the_processor_is_booked(news: News, paid: Bought, teacher: Actor) -> None:
    there = news.refund_outside(news.intent_there(paid))
    news.hear()
    assert (news.state_of(paid), news.enrolments()) == ("refunded", ["revoked"])
    assert (news.journals(), news.market.earned(teacher)) == (["refund", "sale"], (0, 0))
    with news.market.works.begin(TEST) as work:
        row = work.run(select(Refund.stripe_refund_id, Refund.state, Refund.reason)).one()
        errands = work.run(select(OutboxEvent.kind, OutboxEvent.state).order_by(OutboxEvent.kind)).all()
    assert row == (there, "succeeded", "made_at_stripe")
    assert errands == [("purchase.settled", "done"), ("refund.settled", "done")]
    assert len(news.market.sandbox.get("/v1/refunds")["data"]) == 1
    assert books.faults(news.market.works.engine) == []


def test_a_part_refund_made_at_the_processor_is_left_in_sight(
    news: News, paid: Bought, teacher: Actor
) -> None:
    news.refund_outside(news.intent_there(paid), amount=4_000)
    news.hear()
    ((kind, state, tries, error),) = news.failed()
    assert (kind, state, tries) == ("refund.created", "failed", 1)
    assert error == "refund_in_part: A refund made at the processor covers only a part of a line."
    assert (news.state_of(paid), news.enrolments()) == ("settled", ["active"])
    assert (news.journals(), news.market.earned(teacher)) == (["sale"], (3_700, 0))
    assert books.faults(news.market.works.engine) == []


@pytest.mark.parametrize("amount", [9_999, 10_001])
def test_another_amount_than_the_purchases_is_left_for_review(
    news: News, begun: Bought, teacher: Actor, amount: int
) -> None:
    news.pay_outside(begun.purchase, amount)
    news.hear()
    assert (news.state_of(begun), news.journals(), news.enrolments()) == ("review", ["unapplied"], [])
    assert news.market.holds(accounts.unapplied_payment(USD)) == amount
    assert news.market.earned(teacher) == (0, 0)
    assert (news.failed(), news.waiting()) == ([], 0)
    assert books.faults(news.market.works.engine) == []


def test_another_currency_than_the_purchases_is_left_for_review(news: News, begun: Bought) -> None:
    news.pay_outside(begun.purchase, 10_000, currency="eur")
    news.hear()
    assert (news.state_of(begun), news.journals(), news.enrolments()) == ("review", ["unapplied"], [])
    assert news.market.holds(accounts.unapplied_payment("EUR")) == 10_000
    assert news.market.holds(accounts.unapplied_payment(USD)) == 0
    assert books.faults(news.market.works.engine) == []


def test_money_settled_in_another_currency_is_refused_whole_and_left_in_sight(
    news: News, begun: Bought, teacher: Actor
) -> None:
    news.pay(begun)
    _convert(news.market)
    news.hear()
    assert news.failed() == [
        ("checkout.session.completed", "failed", 1, MISMATCH),
        ("payment_intent.succeeded", "failed", 1, MISMATCH),
    ]
    assert (news.state_of(begun), news.journals(), news.enrolments()) == ("pending", [], [])
    assert (lines(news.market), news.market.earned(teacher)) == (["pending"], (0, 0))
    with news.market.works.begin(TEST) as work:
        assert work.run(select(Payment.state, Payment.fee_minor)).one() == ("pending", None)
    assert books.faults(news.market.works.engine) == []


def _convert(market: Market) -> None:
    """Let the processor have settled every payment in euros, which the sandbox does not do by itself."""
    with closing(sqlite3.connect(market.sandbox.data / "sandbox.sqlite", timeout=10)) as store, store:
        store.execute(
            "UPDATE object SET body = json_set(body, '$.currency', 'eur') WHERE kind = 'balance_transaction'"
        )


def test_a_payment_whose_fee_is_not_known_yet_is_settled_when_it_is(
    news: News, begun: Bought, teacher: Actor
) -> None:
    news.market.sandbox.control("POST", "faults", {"late_balance": 600})
    news.pay_outside(begun.purchase, 10_000, capture_method="automatic_async")
    news.hear()
    assert [(kind, state) for kind, state, _, _ in news.failed()] == [("payment_intent.succeeded", "failed")]
    assert (news.state_of(begun), news.journals()) == ("pending", [])
    news.settle_down()
    assert (news.state_of(begun), news.failed(), news.enrolments()) == ("settled", [], ["active"])
    assert news.market.earned(teacher) == (3_700, 0)
    assert books.faults(news.market.works.engine) == []


def test_a_course_that_is_paid_for_twice_is_given_back_once_by_itself(news: News, teacher: Actor) -> None:
    market = news.market
    buyer, course = market.person(), market.course(teacher)
    begun = market.begun(buyer, course)
    market.pass_time(purchase.CHECKOUT_OPEN_FOR)
    again = market.begun(buyer, course)
    news.pay(again)
    news.hear()
    late = news.pay_outside(begun.purchase, 10_000)
    for _ in range(2):
        news.hear()
    assert (news.state_of(again), news.state_of(begun)) == ("settled", "refunded")
    assert news.journals() == ["refund", "sale", "sale"]
    assert news.enrolments() == ["active"]
    (refund,) = market.sandbox.get("/v1/refunds")["data"]
    assert (refund["payment_intent"], refund["amount"]) == (late, 10_000)
    assert market.earned(teacher) == (3_700, 0)
    assert (news.failed(), news.waiting()) == ([], 0)
    assert books.faults(market.works.engine) == []


def test_a_purchase_that_nobody_pays_ends_with_its_page(news: News, begun: Bought) -> None:
    news.market.pass_time(purchase.CHECKOUT_OPEN_FOR)
    news.hear()
    assert (news.state_of(begun), lines(news.market)) == ("abandoned", ["void"])
    with news.market.works.begin(TEST) as work:
        assert work.run(select(Payment.state)).scalar_one() == "expired"


def test_a_stale_purchase_is_ended_and_money_that_comes_for_it_later_is_settled(
    news: News, begun: Bought, teacher: Actor
) -> None:
    news.market.pass_time(purchase.GIVEN_UP_AFTER + timedelta(seconds=1))
    worker.run_due(news.market.works)
    assert (news.state_of(begun), lines(news.market)) == ("abandoned", ["void"])
    news.pay_outside(begun.purchase, begun.total.minor)
    news.hear()
    assert (news.state_of(begun), lines(news.market)) == ("settled", ["held"])
    assert (news.enrolments(), news.market.earned(teacher)) == (["active"], (3_700, 0))
    assert (news.failed(), news.waiting()) == ([], 0)
    assert books.faults(news.market.works.engine) == []


def test_earnings_mature_when_the_window_is_over(news: News, paid: Bought, teacher: Actor) -> None:
    market = news.market
    market.pass_time(timedelta(days=purchase.REFUND_DAYS) - timedelta(seconds=1))
    worker.run_due(market.works)
    assert (market.earned(teacher), lines(market)) == ((3_700, 0), ["held"])
    market.pass_time(timedelta(seconds=1))
    for _ in range(2):
        worker.run_due(market.works)
    assert (market.earned(teacher), lines(market)) == ((0, 3_700), ["matured"])
    assert (news.journals(), news.state_of(paid)) == (["mature", "sale"], "settled")
    assert books.faults(market.works.engine) == []


def test_all_that_is_due_is_done_however_much_it_is(
    news: News, teacher: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mature, "AT_ONCE", 2)
    monkeypatch.setattr(purchase, "AT_ONCE", 1)
    market = news.market
    course = market.course(teacher, price=100)
    sold = [market.begun(market.person(), course) for _ in range(3)]
    for each in sold:
        news.pay(each)
    news.hear()
    unpaid = [market.begun(market.person(), course) for _ in range(2)]
    market.pass_time(timedelta(days=purchase.REFUND_DAYS))
    worker.run_due(market.works)
    assert lines(market) == ["matured"] * len(sold) + ["void"] * len(unpaid)
    assert market.earned(teacher) == (0, Money(100, USD).share(3_700).minor * len(sold))
    assert books.faults(market.works.engine) == []


def test_a_declined_card_is_noted_and_the_page_stays_open(news: News, begun: Bought, teacher: Actor) -> None:
    asked = f"pay/{news.session_of(begun)}"
    status, _ = news.market.sandbox.ask("POST", asked, {"payment_method": "pm_card_chargeDeclined"})
    assert status == 402
    news.hear()
    with news.market.works.begin(TEST) as work:
        assert work.run(select(Payment.state, Payment.failure_code)).one() == ("failed", "generic_decline")
    assert news.state_of(begun) == "pending"
    news.pay(begun)
    news.hear()
    assert (news.state_of(begun), news.failed()) == ("settled", [])
    assert news.market.earned(teacher) == (3_700, 0)
