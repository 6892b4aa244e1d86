"""Giving back: money, shares and access, inside the window, once."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Row, Select, select

from services.kernel.actor import Actor, Role
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from services.kernel.ids import LineId, RefundId
from services.kernel.money import Money
from services.ledger import accounts
from services.ledger.tables import Journal
from services.marketplace import learn, refund
from services.marketplace.tables import Enrolment, Purchase, PurchaseLine
from services.payments.tables import Payment, Refund
from services.stripe.facts import RefundState, RefundStatus
from services.stripe.gateway import Gateway
from tests import books
from tests.factories import ledger
from tests.factories.marketplace import TEST, Bought, Market

USD = "USD"
WINDOW = timedelta(days=30)
TICK = timedelta(microseconds=1)


@pytest.fixture
def teacher(market: Market) -> Actor:
    """Somebody who teaches."""
    return market.teacher()


@pytest.fixture
def buyer(market: Market) -> Actor:
    """Somebody who learns."""
    return market.person()


@pytest.fixture
def bought(market: Market, buyer: Actor, teacher: Actor) -> Bought:
    """A course that the buyer paid 100.00 for."""
    return market.buy(buyer, market.course(teacher))


def only(market: Market, statement: Select[*tuple[object, ...]]) -> Row[*tuple[object, ...]]:
    """The one row that there is."""
    with market.works.begin(TEST) as work:
        return work.run(statement).one()


def stands(market: Market, bought: Bought) -> tuple[str, str, list[str]]:
    """Where purchase, line and enrolment stand."""
    with market.works.begin(TEST) as work:
        return (
            work.run(select(Purchase.state).where(Purchase.purchase_id == bought.purchase)).scalar_one(),
            work.run(
                select(PurchaseLine.state).where(PurchaseLine.purchase_line_id == bought.line)
            ).scalar_one(),
            list(
                work.run(select(Enrolment.state).where(Enrolment.purchase_line_id == bought.line)).scalars()
            ),
        )


def told(market: Market, bought: Bought, status: RefundStatus, *, ours: UUID | None = None) -> RefundState:
    """The processor's word on a refund of a whole purchase, ours or its own."""
    with market.works.begin(TEST) as work:
        intent = work.run(
            select(Payment.stripe_payment_intent_id).where(Payment.subject_id == bought.purchase)
        ).scalar_one()
    return RefundState(
        refund_id=f"re_{ours or uuid4()}",
        subject=ours,
        payment_intent_id=intent,
        status=status,
        amount=bought.total,
        balance_transaction_id="txn_invented",
        failure_reason="expired_or_canceled_card" if status == "failed" else None,
        created_at=market.clock.now(),
    )


def hear(market: Market, word: RefundState) -> None:
    """Let the marketplace learn of a refund."""
    with market.works.begin(TEST) as work:
        refund.learn_of(work, given_back=word)


def refused(market: Market, actor: Actor, line: LineId, **facts: str) -> Refusal:
    """How a refund is refused."""
    with pytest.raises(Refusal) as refused:
        market.give_back(actor, line, **facts)
    return refused.value


def test_a_refund_takes_back_everything_but_the_fee(
    market: Market, buyer: Actor, teacher: Actor, bought: Bought
) -> None:
    given = market.give_back(buyer, bought.line, reason="quality")
    assert (given.amount, given.state) == (Money(10_000, USD), "succeeded")
    assert market.earned(teacher) == (0, 0)
    assert market.holds(accounts.platform_share(USD)) == 0
    assert market.holds(accounts.stripe_fee(USD)) == 320
    assert market.holds(accounts.stripe_pending(USD)) == -320
    assert stands(market, bought) == ("refunded", "refunded", ["revoked"])
    row = only(market, select(Refund.state, Refund.reason, Refund.amount_minor, Refund.requested_by))
    assert row == ("succeeded", "quality", 10_000, buyer.reference)
    intent = only(market, select(Payment.stripe_payment_intent_id))[0]
    refunds = market.sandbox.get("/v1/refunds", {"payment_intent": str(intent)})["data"]
    assert [each["amount"] for each in refunds] == [10_000]
    with market.works.begin(buyer) as work:
        assert [(owned.state, owned.refund_until) for owned in learn.mine(work)] == [("refunded", None)]
    assert books.faults(market.works.engine) == []


def test_the_window_is_open_until_its_very_end_and_not_at_it(
    market: Market, buyer: Actor, teacher: Actor, bought: Bought
) -> None:
    settled = market.clock.now()
    late = market.buy(buyer, market.course(teacher))
    market.set_time(settled + WINDOW)
    with market.works.begin(buyer) as work:
        assert {owned.refund_until for owned in learn.mine(work)} == {None}
    over = refused(market, buyer, late.line)
    assert (type(over), over.code) == (Conflict, "refund_window_over")
    assert "30 days" in over.message
    market.clock.set(settled + WINDOW - TICK)
    assert market.give_back(buyer, bought.line).state == "succeeded"


def test_support_gives_back_at_any_time_but_not_its_own_after_the_window(
    market: Market, buyer: Actor, bought: Bought, teacher: Actor
) -> None:
    support = market.person(Role.SUPPORT)
    own = market.buy(support, market.course(teacher))
    market.pass_time(WINDOW + timedelta(days=300))
    assert refused(market, support, own.line).code == "refund_window_over"
    assert refused(market, buyer, bought.line).code == "refund_window_over"
    assert market.give_back(support, bought.line).state == "succeeded"
    assert refused(market, buyer, bought.line).code == "refunded_already"


@pytest.mark.parametrize("role", [Role.LEARNER, Role.INSTRUCTOR, Role.ORG_ADMIN])
def test_somebody_elses_line_is_as_unknown_as_none(market: Market, bought: Bought, role: Role) -> None:
    stranger = market.person(role)
    theirs, none = refused(market, stranger, bought.line), refused(market, stranger, LineId(uuid4()))
    assert type(theirs) is type(none) is NotFound
    assert (theirs.code, theirs.message) == (none.code, none.message)
    assert stands(market, bought)[0] == "settled"


def test_the_teacher_cannot_give_back_what_was_bought(market: Market, teacher: Actor, bought: Bought) -> None:
    assert isinstance(refused(market, teacher, bought.line), NotFound)


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.SUPPORT_LEAD, Role.FINANCE, Role.FOUNDER, Role.OPERATOR])
def test_whoever_may_gives_back_for_others(market: Market, bought: Bought, role: Role) -> None:
    assert market.give_back(market.person(role), bought.line).state == "succeeded"


def test_a_buyer_who_lost_every_role_gives_nothing_back(market: Market, buyer: Actor, bought: Bought) -> None:
    bare = Actor(buyer.name, buyer.user_id, frozenset())
    assert isinstance(refused(market, bare, bought.line), Forbidden)


def test_a_reason_that_there_is_not_names_those_that_there_are(
    market: Market, buyer: Actor, bought: Bought
) -> None:
    wrong = refused(market, buyer, bought.line, reason="I changed my mind")
    assert isinstance(wrong, Invalid)
    assert wrong.field == "reason"
    assert all(reason in wrong.message for reason in refund.REASONS)


def test_what_was_not_paid_is_not_given_back(market: Market, buyer: Actor, teacher: Actor) -> None:
    waiting = market.begun(buyer, market.course(teacher))
    assert refused(market, buyer, waiting.line).code == "not_paid"
    free = market.begun(buyer, market.course(teacher, price=0))
    assert refused(market, buyer, free.line).code == "nothing_paid"


def test_the_same_key_gives_back_once_and_answers_the_same(
    market: Market, buyer: Actor, bought: Bought
) -> None:
    first = market.give_back(buyer, bought.line, key="press-1")
    market.pass_time(timedelta(days=400))
    assert market.give_back(buyer, bought.line, key="press-1") == first
    assert refused(market, buyer, bought.line, key="press-2").code == "refunded_already"


def test_the_same_key_for_another_line_or_reason_is_refused(
    market: Market, buyer: Actor, teacher: Actor, bought: Bought
) -> None:
    other = market.buy(buyer, market.course(teacher))
    market.give_back(buyer, bought.line, key="press-1")
    for line, reason in ((other.line, "other"), (bought.line, "quality")):
        assert refused(market, buyer, line, key="press-1", reason=reason).code == "idempotency_key_reused"


def test_a_refund_after_a_payout_leaves_the_teacher_in_debt(
    market: Market, buyer: Actor, teacher: Actor, bought: Bought
) -> None:
    assert teacher.user_id
    available = accounts.instructor_available(teacher.user_id, USD)
    market.pass_time(WINDOW)
    assert market.mature() == 1
    with market.works.begin(TEST) as work:
        ledger.move(work, 3_700, giver=available, taker=accounts.stripe_pending(USD))
    market.give_back(market.person(Role.SUPPORT), bought.line)
    assert market.earned(teacher) == (0, -3_700)
    market.buy(buyer, market.course(teacher))
    market.pass_time(WINDOW)
    market.mature()
    assert market.earned(teacher) == (0, 0)
    assert books.faults(market.works.engine) == []


def test_a_refund_that_the_bank_refuses_puts_the_line_back(
    market: Market, buyer: Actor, teacher: Actor, bought: Bought
) -> None:
    with market.works.begin(buyer) as work:
        asked = RefundId(refund._request(work, bought.line, "other"))  # noqa: SLF001 - the request alone, before the processor hears
    assert stands(market, bought) == ("settled", "refunding", ["active"])
    for _ in range(2):
        hear(market, told(market, bought, "failed", ours=asked))
    assert stands(market, bought) == ("settled", "held", ["active"])
    assert only(market, select(Refund.state, Refund.failure_code)) == ("failed", "expired_or_canceled_card")
    assert market.earned(teacher) == (3_700, 0)
    market.pass_time(WINDOW)
    assert market.mature() == 1
    assert books.faults(market.works.engine) == []


def test_a_refund_that_comes_back_days_later_is_undone(market: Market, buyer: Actor, teacher: Actor) -> None:
    bought = market.buy(buyer, market.course(teacher), card="pm_card_refundFail")
    given = market.give_back(buyer, bought.line)
    assert (given.state, stands(market, bought)[2]) == ("succeeded", ["revoked"])
    market.pass_time(timedelta(days=2))
    word = Gateway(market.sandbox.secret_key, market.sandbox.base_url).refund_state(
        str(only(market, select(Refund.stripe_refund_id))[0])
    )
    assert word.status == "failed"
    for _ in range(2):
        hear(market, word)
    assert stands(market, bought) == ("settled", "held", ["active"])
    assert only(market, select(Purchase.ended_at)) == (None,)
    assert market.earned(teacher) == (3_700, 0)
    assert market.holds(accounts.stripe_pending(USD)) == 9_680
    assert kinds(market) == ["sale", "refund", "refund_failed"]
    again = market.give_back(buyer, bought.line)
    assert again.refund_id != given.refund_id
    assert market.earned(teacher) == (0, 0)
    assert books.faults(market.works.engine) == []


def kinds(market: Market) -> list[str]:
    """What is in the books, by kind, in the order of writing."""
    with market.works.begin(TEST) as work:
        return list(work.run(select(Journal.kind).order_by(Journal.written_in)).scalars())


def test_a_refund_that_comes_back_after_maturing_goes_to_where_it_was_taken(
    market: Market, teacher: Actor, bought: Bought
) -> None:
    market.pass_time(WINDOW)
    market.mature()
    given = market.give_back(market.person(Role.SUPPORT), bought.line)
    hear(market, told(market, bought, "failed", ours=given.refund_id))
    assert stands(market, bought) == ("settled", "matured", ["active"])
    assert (market.mature(), market.earned(teacher)) == (0, (0, 3_700))
    assert books.faults(market.works.engine) == []


def test_a_refund_that_comes_back_when_the_course_was_bought_again_opens_it_no_second_time(
    market: Market, buyer: Actor, teacher: Actor
) -> None:
    course = market.course(teacher)
    first = market.buy(buyer, course)
    given = market.give_back(buyer, first.line)
    second = market.buy(buyer, course)
    hear(market, told(market, first, "failed", ours=given.refund_id))
    assert stands(market, first) == ("settled", "held", ["revoked"])
    assert stands(market, second) == ("settled", "held", ["active"])
    assert market.earned(teacher) == (7_400, 0)


def test_a_refund_made_at_the_processor_is_booked_as_ours_are(
    market: Market, teacher: Actor, bought: Bought
) -> None:
    word = told(market, bought, "succeeded")
    for _ in range(2):
        hear(market, word)
    assert stands(market, bought) == ("refunded", "refunded", ["revoked"])
    assert only(market, select(Refund.reason, Refund.stripe_refund_id)) == ("made_at_stripe", word.refund_id)
    assert market.earned(teacher) == (0, 0)
    assert books.faults(market.works.engine) == []


def test_a_refund_made_at_the_processor_while_ours_waits_takes_its_place(
    market: Market, buyer: Actor, teacher: Actor, bought: Bought
) -> None:
    with market.works.begin(buyer) as work:
        ours = refund._request(work, bought.line, "other")  # noqa: SLF001 - the request alone, before the processor hears
    word = told(market, bought, "succeeded")
    hear(market, word)
    sent = refund.send(market.works, market.gateway, actor=TEST, refund=ours)
    assert (sent.refund_id, sent.state) == (ours, "succeeded")
    assert only(market, select(Refund.refund_id, Refund.stripe_refund_id)) == (ours, word.refund_id)
    assert market.earned(teacher) == (0, 0)
    assert books.faults(market.works.engine) == []


def test_a_part_or_an_unknown_payment_is_left_for_a_person(market: Market, bought: Bought) -> None:
    word = told(market, bought, "succeeded")
    part = RefundState(**{name: getattr(word, name) for name in word.__slots__} | {"amount": Money(1, USD)})
    foreign = RefundState(
        **{name: getattr(word, name) for name in word.__slots__} | {"payment_intent_id": "pi_foreign"}
    )
    with pytest.raises(Conflict, match="only a part"):
        hear(market, part)
    with pytest.raises(NotFound, match="not one of ours"):
        hear(market, foreign)
    assert stands(market, bought) == ("settled", "held", ["active"])


def test_a_refund_that_the_bank_takes_its_time_for_waits(
    market: Market, buyer: Actor, teacher: Actor
) -> None:
    bought = market.buy(buyer, market.course(teacher), card="pm_card_pendingRefund")
    given = market.give_back(buyer, bought.line, key="press-1")
    assert (given.state, stands(market, bought)) == ("requested", ("settled", "refunding", ["active"]))
    assert market.earned(teacher) == (3_700, 0)
    market.pass_time(WINDOW)
    assert market.mature() == 0
    hear(market, told(market, bought, "succeeded", ours=given.refund_id))
    assert market.give_back(buyer, bought.line, key="press-1").state == "succeeded"
    assert stands(market, bought) == ("refunded", "refunded", ["revoked"])
    assert market.earned(teacher) == (0, 0)
    assert books.faults(market.works.engine) == []


def test_a_course_given_back_can_be_bought_and_given_back_again(
    market: Market, buyer: Actor, teacher: Actor
) -> None:
    course = market.course(teacher)
    for _ in range(2):
        bought = market.buy(buyer, course)
        market.give_back(buyer, bought.line)
    with market.works.begin(buyer) as work:
        assert [owned.state for owned in learn.mine(work)] == ["refunded", "refunded"]
    assert market.earned(teacher) == (0, 0)
    assert books.faults(market.works.engine) == []
