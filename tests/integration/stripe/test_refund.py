"""Money goes back: wholly, in part, once per key, and sometimes not."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from stripe import InvalidRequestError

from services.kernel.errors import Conflict, NotFound
from services.kernel.money import Money
from services.stripe.facts import PaymentState, RefundState
from services.stripe.gateway import Gateway
from tests.sandboxed import SandboxProcess

PRICE = Money(10_000, "USD")


@pytest.fixture
def paid(gateway: Gateway, customer: str, saved_card: str) -> PaymentState:
    """A payment of 100.00."""
    subject = uuid4()
    return gateway.charge_card(
        subject=subject, customer=customer, card=saved_card, amount=PRICE, key=f"charge:{subject}"
    )


@pytest.fixture
def refund(gateway: Gateway, paid: PaymentState) -> Callable[..., RefundState]:
    """Give some of the payment back, for a new refund of ours unless one is named."""

    def refund(minor: int, subject: UUID | None = None) -> RefundState:
        about = subject or uuid4()
        return gateway.refund(
            payment_intent_id=paid.payment_intent_id,
            amount=Money(minor, "USD"),
            subject=about,
            key=f"refund:{about}",
        )

    return refund


Refunding = Callable[..., RefundState]


def test_a_whole_refund(gateway: Gateway, paid: PaymentState, refund: Refunding) -> None:
    subject = uuid4()
    back = refund(10_000, subject)
    assert (back.status, back.subject, back.amount) == ("succeeded", subject, PRICE)
    assert back.payment_intent_id == paid.payment_intent_id
    assert back.balance_transaction_id
    assert back.failure_reason is None
    assert gateway.refund_state(back.refund_id) == back


def test_refunds_of_a_charge_are_listed_newest_first(
    gateway: Gateway, paid: PaymentState, refund: Refunding
) -> None:
    first, second = refund(2_500), refund(7_500)
    assert gateway.refunds_of(paid.charge_id or "") == [second, first]


def test_the_same_key_gives_back_once(gateway: Gateway, paid: PaymentState, refund: Refunding) -> None:
    subject = uuid4()
    first = refund(4_000, subject)
    assert refund(4_000, subject) == first
    assert gateway.refunds_of(paid.charge_id or "") == [first]
    with pytest.raises(Conflict) as refused:
        refund(4_001, subject)
    assert refused.value.code == "stripe_key_reused"


def test_a_payment_given_back_already_is_refused(refund: Refunding) -> None:
    refund(10_000)
    with pytest.raises(Conflict) as refused:
        refund(10_000)
    assert refused.value.code == "charge_already_refunded"


def test_more_than_is_left_is_a_mistake_of_ours(refund: Refunding) -> None:
    refund(6_000)
    with pytest.raises(InvalidRequestError):
        refund(4_001)


def test_a_refund_may_wait_and_a_refund_may_fail(
    gateway: Gateway, customer: str, keep: Callable[[str], str], sandbox: SandboxProcess
) -> None:
    begun = {}
    for card in ("pm_card_pendingRefund", "pm_card_refundFail"):
        subject = uuid4()
        paid = gateway.charge_card(
            subject=subject, customer=customer, card=keep(card), amount=PRICE, key=f"charge:{subject}"
        )
        begun[card] = gateway.refund(
            payment_intent_id=paid.payment_intent_id, amount=PRICE, subject=subject, key=f"refund:{subject}"
        )
    assert [back.status for back in begun.values()] == ["pending", "succeeded"]
    sandbox.control("POST", "clock", {"advance": 60})
    sandbox.control("POST", "clock", {"at": None})
    ended = [gateway.refund_state(back.refund_id) for back in begun.values()]
    assert [back.status for back in ended] == ["succeeded", "failed"]
    assert [bool(back.failure_reason) for back in ended] == [False, True]


def test_a_refund_that_is_not_there_is_not_found(gateway: Gateway) -> None:
    with pytest.raises(NotFound):
        gateway.refund_state("re_invented")
