"""A paid purchase has its effect once and wholly: books, shares, hold, access."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, insert, select

from services.kernel.actor import Actor
from services.kernel.errors import Conflict, NotFound
from services.kernel.ids import PurchaseId
from services.kernel.money import Money
from services.ledger import accounts
from services.ledger.tables import Journal, LedgerAccount, Posting
from services.marketplace import learn
from services.marketplace.tables import Enrolment, LineShare, Purchase, PurchaseLine
from services.payments.tables import Payment
from services.runtime.events import OutboxEvent
from tests import books
from tests.contenders import at_once, patient
from tests.factories.marketplace import TEST, Market, paid

USD = "USD"


@pytest.fixture
def teacher(market: Market) -> Actor:
    """Somebody who teaches."""
    return market.teacher()


def news(market: Market) -> list[str]:
    """What is in the outbox, by kind."""
    with market.works.begin(TEST) as work:
        return sorted(work.run(select(OutboxEvent.kind)).scalars())


def enrolled(market: Market, state: str = "active") -> int:
    """How many enrolments there are."""
    with market.works.begin(TEST) as work:
        return work.run(
            select(func.count()).select_from(Enrolment).where(Enrolment.state == state)
        ).scalar_one()


def kinds(market: Market) -> list[str]:
    """What is in the books, by kind."""
    with market.works.begin(TEST) as work:
        return list(work.run(select(Journal.kind).order_by(Journal.written_in)).scalars())


def test_a_sale_of_100_is_booked_to_the_cent(market: Market, teacher: Actor, engine: Engine) -> None:
    buyer = market.person()
    bought = market.begun(buyer, market.course(teacher))
    at = market.clock.now() + timedelta(minutes=5)
    market.settle(bought.purchase, paid(bought.purchase, bought.total, at=at))
    assert teacher.user_id
    assert {
        "stripe_pending": market.holds(accounts.stripe_pending(USD)),
        "stripe_fee": market.holds(accounts.stripe_fee(USD)),
        "platform_share": market.holds(accounts.platform_share(USD)),
        "instructor_pending": market.holds(accounts.instructor_pending(teacher.user_id, USD)),
        "tax_payable": market.holds(accounts.tax_payable(USD)),
    } == {
        "stripe_pending": 9_680,
        "stripe_fee": 320,
        "platform_share": 6_300,
        "instructor_pending": 3_700,
        "tax_payable": 0,
    }
    with market.works.begin(TEST) as work:
        line = work.run(select(PurchaseLine)).one()
        shares = work.run(select(LineShare.party_kind, LineShare.amount_minor, LineShare.rate_bp)).all()
        matures = work.run(
            select(Posting.matures_at)
            .join(LedgerAccount, LedgerAccount.account_id == Posting.account_id)
            .where(LedgerAccount.code == "instructor_pending")
        ).scalar_one()
    assert (line.state, line.hold_until, line.instructor_bp) == ("held", at + timedelta(days=30), 3_700)
    assert matures == line.hold_until
    assert sorted(shares) == [("instructor", 3_700, 3_700), ("platform", 6_300, 6_300)]
    with market.works.begin(buyer) as work:
        assert [(one.state, one.refund_until) for one in learn.mine(work)] == [("held", line.hold_until)]
    assert enrolled(market) == 1
    assert news(market) == ["purchase.settled"]
    assert books.faults(engine) == []


@pytest.mark.parametrize(("channel", "part"), [("platform", 3_700), ("instructor", 9_700)])
def test_the_channel_decides_the_rate(market: Market, teacher: Actor, channel: str, part: int) -> None:
    bought = market.begun(market.person(), market.course(teacher), channel=channel)
    market.settle(bought.purchase, paid(bought.purchase, bought.total, at=market.clock.now()))
    assert market.earned(teacher) == (part, 0)


def test_a_fee_above_the_price_is_a_cost_like_any_other(
    market: Market, teacher: Actor, engine: Engine
) -> None:
    bought = market.begun(market.person(), market.course(teacher, price=50))
    market.settle(
        bought.purchase, paid(bought.purchase, bought.total, at=market.clock.now(), fee=Money(60, USD))
    )
    assert market.holds(accounts.stripe_pending(USD)) == -10
    assert market.earned(teacher) == (19, 0)
    assert books.faults(engine) == []


def test_settling_again_changes_nothing(market: Market, teacher: Actor, engine: Engine) -> None:
    bought = market.begun(market.person(), market.course(teacher))
    word = paid(bought.purchase, bought.total, at=market.clock.now())
    for _ in range(3):
        market.settle(bought.purchase, word)
        market.pass_time(timedelta(days=1))
    assert kinds(market) == ["sale"]
    assert market.earned(teacher) == (3_700, 0)
    assert news(market) == ["purchase.settled"]
    assert books.faults(engine) == []


def test_fifty_settles_at_once_are_one(market: Market, teacher: Actor, engine: Engine) -> None:
    bought = market.begun(market.person(), market.course(teacher))
    word = paid(bought.purchase, bought.total, at=market.clock.now())
    answers = at_once([patient(partial(market.settle, bought.purchase, word))] * 50)
    assert answers == [None] * 50
    assert kinds(market) == ["sale"]
    assert (enrolled(market), market.earned(teacher)) == (1, (3_700, 0))
    assert books.faults(engine) == []


def test_a_purchase_that_is_not_there_yet_cannot_be_settled(market: Market, engine: Engine) -> None:
    unknown = PurchaseId(uuid4())
    with pytest.raises(NotFound, match="no such purchase"):
        market.settle(unknown, paid(unknown, Money(10_000, USD), at=market.clock.now()))
    assert kinds(market) == []
    assert books.faults(engine) == []


def test_news_that_overtakes_its_purchase_is_refused_until_the_purchase_stands(
    market: Market, teacher: Actor
) -> None:
    course, buyer = market.course(teacher), market.person()
    offer = market.quote(buyer, course)
    with market.works.begin(buyer) as open_work:
        open_work.run(
            insert(Purchase).values(
                purchase_id=(purchase := PurchaseId(uuid4())),
                quote_id=offer.quote_id,
                buyer_id=buyer.user_id,
                currency=USD,
                total_minor=10_000,
                channel="platform",
                begun_at=open_work.now,
            )
        )
        with pytest.raises(NotFound):
            market.settle(purchase, paid(purchase, offer.total, at=market.clock.now()))
    assert kinds(market) == []


@pytest.mark.parametrize(
    "amount", [Money(9_999, USD), Money(10_001, USD), Money(1, USD), Money(10_000, "EUR")]
)
def test_another_amount_than_asked_for_is_kept_apart_for_a_person_to_review(
    market: Market, teacher: Actor, engine: Engine, amount: Money
) -> None:
    bought = market.begun(market.person(), market.course(teacher))
    word = paid(bought.purchase, amount, at=market.clock.now())
    for _ in range(2):
        market.settle(bought.purchase, word)
    assert kinds(market) == ["unapplied"]
    assert word.fee
    assert market.holds(accounts.unapplied_payment(amount.currency)) == amount.minor
    assert market.holds(accounts.stripe_pending(amount.currency)) == (amount - word.fee).minor
    assert (enrolled(market), market.earned(teacher)) == (0, (0, 0))
    with market.works.begin(TEST) as work:
        assert work.run(select(Purchase.state)).scalar_one() == "review"
        assert work.run(select(Payment.state)).scalar_one() == "succeeded"
        assert work.run(select(func.count()).select_from(LineShare)).scalar_one() == 0
    assert news(market) == ["purchase.review"]
    assert books.faults(engine) == []


def test_a_fee_in_another_currency_books_nothing_by_halves(
    market: Market, teacher: Actor, engine: Engine
) -> None:
    bought = market.begun(market.person(), market.course(teacher))
    word = paid(bought.purchase, bought.total, at=market.clock.now(), fee=Money(300, "EUR"))
    with pytest.raises(Conflict, match="Paid in USD, settled in EUR") as refused:
        market.settle(bought.purchase, word)
    assert refused.value.code == "settlement_currency"
    with market.works.begin(TEST) as work:
        assert work.run(select(Purchase.state)).scalar_one() == "pending"
        assert work.run(select(Payment.state)).scalar_one() == "pending"
    assert kinds(market) == []
    assert books.faults(engine) == []


def test_a_payment_whose_fee_or_instant_is_not_known_yet_waits(market: Market, teacher: Actor) -> None:
    bought = market.begun(market.person(), market.course(teacher))
    word = paid(bought.purchase, bought.total, at=market.clock.now())
    for early in (replace(word, fee=None), replace(word, paid_at=None)):
        with pytest.raises(ValueError, match="without a fee or an instant"):
            market.settle(bought.purchase, early)
    assert kinds(market) == []


def test_paying_for_a_course_that_one_has_meanwhile_is_given_back(
    market: Market, teacher: Actor, engine: Engine
) -> None:
    buyer, course = market.person(), market.course(teacher)
    first = market.begun(buyer, course)
    market.pass_time(timedelta(hours=2))
    second = market.begun(buyer, course)
    assert first.purchase != second.purchase
    for bought in (second, first):
        market.settle(bought.purchase, paid(bought.purchase, bought.total, at=market.clock.now()))
    assert enrolled(market) == 1
    assert news(market) == ["purchase.doubled", "purchase.settled", "purchase.settled"]
    assert market.earned(teacher) == (7_400, 0)
    assert books.faults(engine) == []


def test_a_purchase_paid_a_second_time_keeps_that_money_apart(
    market: Market, teacher: Actor, engine: Engine
) -> None:
    bought = market.begun(market.person(), market.course(teacher))
    first, second = (paid(bought.purchase, bought.total, at=market.clock.now()) for _ in range(2))
    for word in (first, second, first, second):
        market.settle(bought.purchase, word)
    assert kinds(market) == ["sale", "unapplied"]
    assert market.earned(teacher) == (3_700, 0)
    assert market.holds(accounts.unapplied_payment(USD)) == 10_000
    assert market.holds(accounts.stripe_pending(USD)) == 2 * 9_680
    with market.works.begin(TEST) as work:
        assert work.run(select(Payment.stripe_payment_intent_id)).scalar_one() == first.payment_intent_id
        assert work.run(select(Purchase.state)).scalar_one() == "settled"
    assert news(market) == ["purchase.paid_twice", "purchase.settled"]
    assert books.faults(engine) == []


def test_nothing_matures_before_its_hour(market: Market, teacher: Actor, engine: Engine) -> None:
    bought = market.begun(market.person(), market.course(teacher))
    at = market.clock.now()
    market.settle(bought.purchase, paid(bought.purchase, bought.total, at=at))
    market.set_time(at + timedelta(days=30) - timedelta(microseconds=1))
    assert (market.mature(), market.earned(teacher)) == (0, (3_700, 0))
    market.set_time(at + timedelta(days=30))
    assert (market.mature(), market.earned(teacher)) == (1, (0, 3_700))
    assert (market.mature(), market.earned(teacher)) == (0, (0, 3_700))
    assert kinds(market) == ["sale", "mature"]
    assert books.faults(engine) == []


def test_eight_releases_at_once_mature_each_line_once(market: Market, teacher: Actor, engine: Engine) -> None:
    others = [market.teacher() for _ in range(3)]
    courses = [market.course({teacher: 5_000, other: 5_000}) for other in others]
    sold = [market.begun(market.person(), course) for course in courses * 4]
    for bought in sold:
        market.settle(bought.purchase, paid(bought.purchase, bought.total, at=market.clock.now()))
    market.pass_time(timedelta(days=30))
    answers = at_once([patient(market.mature)] * 8)
    assert sum(answer for answer in answers if isinstance(answer, int)) == len(sold), answers
    assert market.earned(teacher) == (0, 12 * 1_850)
    assert [market.earned(other) for other in others] == [(0, 4 * 1_850)] * 3
    assert kinds(market).count("mature") == len(sold)
    assert books.faults(engine) == []


def test_a_free_line_matures_without_a_posting(market: Market, teacher: Actor) -> None:
    course = market.course(teacher, price=0)
    buyer = market.person()
    market.begin(buyer, market.quote(buyer, course))
    market.pass_time(timedelta(days=30))
    assert [market.mature(), market.mature()] == [1, 0]
    assert kinds(market) == []


def test_the_next_sale_begins_with_the_new_rule_and_the_last_one_stays(
    market: Market, teacher: Actor
) -> None:
    first = market.begun(market.person(), market.course(teacher))
    market.rule("platform", instructor_bp=5_000)
    second = market.begun(market.person(), market.course(teacher))
    for bought in (first, second):
        market.settle(bought.purchase, paid(bought.purchase, bought.total, at=market.clock.now()))
    market.rule("platform", instructor_bp=0)
    with market.works.begin(TEST) as work:
        frozen = work.run(
            select(PurchaseLine.purchase_id, PurchaseLine.instructor_bp).order_by(PurchaseLine.instructor_bp)
        ).all()
    assert frozen == [(first.purchase, 3_700), (second.purchase, 5_000)]
    assert market.earned(teacher) == (8_700, 0)


def test_a_sale_happens_when_it_was_paid_not_when_we_heard(market: Market, teacher: Actor) -> None:
    bought = market.begun(market.person(), market.course(teacher))
    at: datetime = market.clock.now()
    market.pass_time(timedelta(days=3))
    market.settle(bought.purchase, paid(bought.purchase, bought.total, at=at))
    with market.works.begin(TEST) as work:
        assert work.run(select(Journal.occurred_at, Journal.recorded_at)).one() == (at, market.clock.now())
        assert work.run(select(PurchaseLine.hold_until)).scalar_one() == at + timedelta(days=30)
