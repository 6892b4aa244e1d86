"""A quote becomes one purchase, whatever is sent, however often."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select

from services.kernel.actor import Actor, Role
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from services.kernel.ids import PurchaseId
from services.kernel.money import Money
from services.marketplace import learn, purchase
from services.marketplace.purchase import Begun
from services.marketplace.quote import Offer
from services.marketplace.tables import Enrolment, Purchase
from services.payments.tables import Payment
from services.stripe.gateway import Gateway
from tests import books
from tests.contenders import at_once
from tests.factories.marketplace import TEST, VISA, Market, paid


@pytest.fixture
def teacher(market: Market) -> Actor:
    """Somebody who teaches."""
    return market.teacher()


@pytest.fixture
def buyer(market: Market) -> Actor:
    """Somebody who learns."""
    return market.person()


@pytest.fixture
def offer(market: Market, buyer: Actor, teacher: Actor) -> Offer:
    """A quote of 100.00 for the buyer."""
    return market.quote(buyer, market.course(teacher))


def count(engine: Engine, table: type[Purchase | Payment | Enrolment]) -> int:
    """How many rows a table has."""
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def ended_with(error: type[Exception], code: str, begin: partial[Begun]) -> bool:
    """Whether a purchase is refused with an error of a code."""
    with pytest.raises(error) as refused:
        begin()
    return getattr(refused.value, "code", None) == code


def test_a_purchase_waits_at_a_checkout_of_its_own(market: Market, buyer: Actor, offer: Offer) -> None:
    begun = market.begin(buyer, offer)
    assert (begun.state, begun.total) == ("pending", offer.total)
    assert begun.checkout_url
    with market.works.begin(TEST) as work:
        asked = work.run(select(Payment)).one()
    assert (asked.subject_id, asked.amount_minor, asked.state) == (begun.purchase_id, 10_000, "pending")
    session = market.sandbox.get(f"/v1/checkout/sessions/{asked.stripe_checkout_session_id}")
    assert (session["amount_total"], session["metadata"]) == (10_000, {"purchase": str(begun.purchase_id)})
    assert session["expires_at"] == int((market.clock.now() + purchase.CHECKOUT_OPEN_FOR).timestamp())


def test_a_saved_card_settles_at_once(market: Market, buyer: Actor, teacher: Actor, offer: Offer) -> None:
    begun = market.begin(buyer, offer, card=VISA)
    assert (begun.state, begun.checkout_url) == ("settled", None)
    assert market.earned(teacher) == (3_700, 0)
    with market.works.begin(buyer) as work:
        assert [owned.state for owned in learn.mine(work)] == ["held"]


@pytest.mark.parametrize("off_by", [-10_000, -9_999, -1, 1, 10_000])
def test_a_wrong_amount_names_the_right_one(
    market: Market, buyer: Actor, engine: Engine, off_by: int
) -> None:
    offer = market.quote(buyer, market.course(market.teacher()))
    with pytest.raises(Invalid, match="10000") as refused:
        market.begin(buyer, offer, amount=Money(10_000 + off_by, "USD"))
    assert refused.value.field == "amount_minor"
    assert count(engine, Purchase) == 0


def test_a_wrong_currency_names_the_right_one(
    market: Market, buyer: Actor, offer: Offer, engine: Engine
) -> None:
    with pytest.raises(Invalid, match="in USD") as refused:
        market.begin(buyer, offer, amount=Money(10_000, "EUR"))
    assert refused.value.field == "currency"
    assert count(engine, Purchase) == 0


def test_an_expired_quote_is_refused_at_its_very_end(market: Market, buyer: Actor, offer: Offer) -> None:
    market.set_time(offer.expires_at)
    assert ended_with(Conflict, "quote_expired", partial(market.begin, buyer, offer))


def test_a_quote_is_good_until_its_very_end(market: Market, buyer: Actor, offer: Offer) -> None:
    market.set_time(offer.expires_at - timedelta(microseconds=1))
    assert market.begin(buyer, offer).state == "pending"


def test_somebody_elses_quote_is_as_unknown_as_none(market: Market, offer: Offer) -> None:
    unknown = Offer(**{field: getattr(offer, field) for field in offer.__slots__} | {"quote_id": uuid4()})
    for wanted in (offer, unknown):
        assert ended_with(NotFound, "quote_unknown", partial(market.begin, market.person(), wanted))
    with pytest.raises(Forbidden):
        market.begin(TEST, offer)


def test_the_same_key_sent_again_is_the_same_purchase(
    market: Market, buyer: Actor, offer: Offer, engine: Engine
) -> None:
    first = market.begin(buyer, offer, key="press-1")
    assert market.begin(buyer, offer, key="press-1") == first
    market.pass_time(timedelta(minutes=45))
    assert market.begin(buyer, offer, key="press-1") == first
    assert count(engine, Purchase) == 1


def test_a_checkout_that_could_not_be_opened_is_opened_by_the_next_press(
    market: Market, buyer: Actor, offer: Offer, engine: Engine
) -> None:
    away = replace(market, gateway=Gateway("sk_test_away", "http://127.0.0.1:9"))
    with pytest.raises(Unavailable):
        away.begin(buyer, offer, key="press-1")
    market.pass_time(timedelta(minutes=20))
    assert market.begin(buyer, offer, key="press-1").checkout_url
    assert count(engine, Purchase) == 1


def test_a_checkout_that_can_no_longer_be_opened_ends_its_purchase(
    market: Market, buyer: Actor, offer: Offer
) -> None:
    away = replace(market, gateway=Gateway("sk_test_away", "http://127.0.0.1:9"))
    with pytest.raises(Unavailable):
        away.begin(buyer, offer, key="press-1")
    market.pass_time(timedelta(minutes=45))
    for _ in range(2):
        assert ended_with(Conflict, "purchase_ended", partial(market.begin, buyer, offer, key="press-1"))
    assert market.begin(buyer, market.quote(buyer, offer.course_id)).checkout_url


def test_a_checkout_that_expired_ends_its_purchase_before_the_news_of_it_comes(
    market: Market, buyer: Actor, offer: Offer
) -> None:
    market.begin(buyer, offer, key="press-1")
    market.pass_time(purchase.CHECKOUT_OPEN_FOR)
    assert ended_with(Conflict, "purchase_ended", partial(market.begin, buyer, offer, key="press-1"))
    again = market.quote(buyer, offer.course_id)
    assert market.begin(buyer, again).checkout_url
    assert market.begin(buyer, again).state == "pending"


def test_a_checkout_that_was_paid_waits_for_the_news_of_it(
    market: Market, buyer: Actor, offer: Offer
) -> None:
    market.begin(buyer, offer)
    with market.works.begin(TEST) as work:
        session = work.run(select(Payment.stripe_checkout_session_id)).scalar_one()
    market.sandbox.control("POST", f"/_control/pay/{session}", {"payment_method": VISA})
    waiting = market.begin(buyer, offer)
    assert (waiting.state, waiting.checkout_url) == ("pending", None)


def test_another_key_for_the_same_quote_is_the_same_purchase(
    market: Market, buyer: Actor, offer: Offer, engine: Engine
) -> None:
    assert market.begin(buyer, offer).purchase_id == market.begin(buyer, offer).purchase_id
    assert (count(engine, Purchase), count(engine, Payment)) == (1, 1)


def test_another_quote_for_the_same_course_finds_the_open_checkout(
    market: Market, buyer: Actor, offer: Offer, engine: Engine
) -> None:
    first = market.begin(buyer, offer)
    again = market.quote(buyer, offer.course_id)
    assert market.begin(buyer, again) == first
    assert count(engine, Purchase) == 1


def test_an_open_checkout_at_another_price_or_in_another_currency_is_in_the_way(
    market: Market, buyer: Actor, offer: Offer
) -> None:
    market.begin(buyer, offer)
    market.price(offer.course_id, Money(10_000, "EUR"))
    in_euro = market.quote(buyer, offer.course_id, currency="EUR")
    market.price(offer.course_id, Money(9_000, "USD"))
    cheaper = market.quote(buyer, offer.course_id)
    for other in (in_euro, cheaper):
        assert ended_with(Conflict, "purchase_open", partial(market.begin, buyer, other))


def test_the_same_key_for_another_request_is_refused(market: Market, buyer: Actor, offer: Offer) -> None:
    market.begin(buyer, offer, key="press-1")
    other = market.quote(buyer, market.course(market.teacher()))
    for begin in (
        partial(market.begin, buyer, other, key="press-1"),
        partial(market.begin, buyer, offer, key="press-1", amount=Money(1, "USD")),
        partial(market.begin, buyer, offer, key="press-1", card=VISA),
    ):
        assert ended_with(Conflict, "idempotency_key_reused", begin)


def test_a_key_belongs_to_one_person(market: Market, offer: Offer, buyer: Actor) -> None:
    other = market.person()
    theirs = market.quote(other, offer.course_id)
    mine = market.begin(buyer, offer, key="press-1")
    assert market.begin(other, theirs, key="press-1").purchase_id != mine.purchase_id


def test_what_was_refused_is_not_kept_under_its_key(market: Market, buyer: Actor, offer: Offer) -> None:
    with pytest.raises(Invalid):
        market.begin(buyer, offer, amount=Money(1, "USD"), key="press-1")
    assert market.begin(buyer, offer, key="press-1").state == "pending"


@pytest.mark.parametrize("keys", ["same", "other"])
def test_eight_presses_at_once_are_one_purchase(
    market: Market, buyer: Actor, offer: Offer, engine: Engine, *, keys: str
) -> None:
    pressed = [
        partial(market.begin, buyer, offer, key=f"press-{0 if keys == 'same' else n}") for n in range(8)
    ]
    answers = at_once(pressed)
    assert len({repr(answer) for answer in answers}) == 1, answers
    assert (count(engine, Purchase), count(engine, Payment)) == (1, 1)
    sessions = market.sandbox.get("/v1/checkout/sessions", {"limit": "100"})["data"]
    assert isinstance(answers[0], Begun)
    assert [s["id"] for s in sessions if s["client_reference_id"] == str(answers[0].purchase_id)] != []


def test_eight_presses_of_a_saved_card_charge_once(
    market: Market, buyer: Actor, teacher: Actor, offer: Offer
) -> None:
    answers = at_once([partial(market.begin, buyer, offer, key=f"press-{n}", card=VISA) for n in range(8)])
    assert {answer.state for answer in answers if isinstance(answer, Begun)} == {"settled"}, answers
    assert len({repr(answer) for answer in answers}) == 1
    assert market.earned(teacher) == (3_700, 0)
    customers = market.sandbox.get("/v1/customers", {"limit": "100"})["data"]
    ours = [each["id"] for each in customers if each["metadata"].get("user") == str(buyer.user_id)]
    assert len(ours) == 1
    charges = market.sandbox.get("/v1/charges", {"customer": ours[0]})["data"]
    assert [charge["amount"] for charge in charges] == [10_000]
    assert books.faults(market.works.engine) == []


def test_a_free_course_is_opened_without_the_processor(market: Market, buyer: Actor, engine: Engine) -> None:
    teacher = market.teacher()
    offer = market.quote(buyer, market.course(teacher, price=0))
    begun = market.begin(buyer, offer, key="press-1")
    assert (begun.state, begun.total, begun.checkout_url) == ("settled", Money(0, "USD"), None)
    assert market.begin(buyer, offer, key="press-1") == market.begin(buyer, offer) == begun
    assert (count(engine, Payment), count(engine, Enrolment)) == (0, 1)
    assert market.earned(teacher) == (0, 0)
    with market.works.begin(buyer) as work:
        assert [(owned.state, owned.refund_until) for owned in learn.mine(work)] == [("held", None)]
    assert books.faults(market.works.engine) == []


def test_a_free_course_pressed_eight_times_at_once_is_opened_once(
    market: Market, buyer: Actor, engine: Engine
) -> None:
    offer = market.quote(buyer, market.course(market.teacher(), price=0))
    answers = at_once([partial(market.begin, buyer, offer, key=f"press-{n}") for n in range(8)])
    assert len({repr(answer) for answer in answers}) == 1, answers
    assert count(engine, Enrolment) == 1


def test_a_course_that_was_bought_meanwhile_is_not_bought_again(
    market: Market, buyer: Actor, offer: Offer
) -> None:
    other = market.quote(buyer, offer.course_id)
    market.begin(buyer, other, card=VISA)
    assert ended_with(Conflict, "already_enrolled", partial(market.begin, buyer, offer))


def test_a_declined_card_ends_the_purchase_and_says_why(market: Market, buyer: Actor, offer: Offer) -> None:
    press = partial(market.begin, buyer, offer, key="press-1", card="pm_card_chargeCustomerFail")
    assert ended_with(Conflict, "card_declined", press)
    assert ended_with(Conflict, "purchase_ended", press)
    assert ended_with(Conflict, "purchase_ended", partial(market.begin, buyer, offer, card=VISA))
    with market.works.begin(TEST) as work:
        assert work.run(select(Purchase.state)).scalar_one() == "abandoned"
        assert work.run(select(Payment.state, Payment.failure_code)).one() == ("failed", "generic_decline")
    assert market.begin(buyer, market.quote(buyer, offer.course_id), card=VISA).state == "settled"
    assert books.faults(market.works.engine) == []


def test_a_purchase_that_nobody_pays_is_ended_after_a_day(market: Market, buyer: Actor, offer: Offer) -> None:
    begun = market.begin(buyer, offer)
    market.pass_time(purchase.GIVEN_UP_AFTER)
    with market.works.begin(TEST) as work:
        assert purchase.abandon_stale(work) == 0
    market.pass_time(timedelta(microseconds=1))
    with market.works.begin(TEST) as work:
        assert purchase.abandon_stale(work) == 1
        assert purchase.abandon_stale(work) == 0
    with market.works.begin(buyer) as work:
        assert purchase.stand(work, purchase=begun.purchase_id).state == "abandoned"
        assert learn.mine(work) == []


def test_money_for_an_abandoned_purchase_is_settled_all_the_same(
    market: Market, buyer: Actor, teacher: Actor, offer: Offer
) -> None:
    begun = market.begin(buyer, offer)
    with market.works.begin(TEST) as work:
        purchase.abandon(work, purchase=begun.purchase_id, failure_code=None, expired=True)
    market.settle(begun.purchase_id, paid(begun.purchase_id, begun.total, at=market.clock.now()))
    with market.works.begin(TEST) as work:
        row = work.run(select(Purchase.state, Purchase.settled_at, Purchase.ended_at)).one()
    assert row == ("settled", market.clock.now(), None)
    assert market.earned(teacher) == (3_700, 0)
    assert books.faults(market.works.engine) == []


def test_a_paid_purchase_is_not_abandoned(market: Market, buyer: Actor, offer: Offer) -> None:
    begun = market.begin(buyer, offer, card=VISA)
    with market.works.begin(TEST) as work:
        purchase.abandon(work, purchase=begun.purchase_id, failure_code="late", expired=True)
    with market.works.begin(buyer) as work:
        assert purchase.stand(work, purchase=begun.purchase_id).state == "settled"


def test_a_purchase_is_shown_to_its_buyer_only(market: Market, buyer: Actor, offer: Offer) -> None:
    begun = market.begin(buyer, offer)
    for actor, wanted in (
        (market.person(), begun.purchase_id),
        (market.person(Role.SUPPORT), begun.purchase_id),
        (buyer, PurchaseId(uuid4())),
    ):
        with pytest.raises(NotFound, match="no such purchase"), market.works.begin(actor) as work:
            purchase.stand(work, purchase=wanted)
