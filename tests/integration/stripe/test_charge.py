"""A saved card is charged while its holder is away: paid, declined, asked twice, asked at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.kernel.errors import Conflict, NotFound
from services.kernel.money import Money
from services.stripe.facts import PaymentState
from services.stripe.gateway import Gateway
from tests.integration.stripe.wire import Wire

PRICE = Money(10_000, "USD")

DECLINES = {
    "pm_card_chargeDeclined": "generic_decline",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
    "pm_card_chargeDeclinedLostCard": "lost_card",
    "pm_card_chargeDeclinedStolenCard": "stolen_card",
    "pm_card_chargeDeclinedExpiredCard": "expired_card",
    "pm_card_chargeDeclinedIncorrectCvc": "incorrect_cvc",
    "pm_card_chargeDeclinedProcessingError": "processing_error",
    "pm_card_chargeDeclinedVelocityLimitExceeded": "card_velocity_exceeded",
    "pm_card_chargeDeclinedFraudulent": "fraudulent",
    "pm_card_radarBlock": "fraudulent",
    "pm_card_authenticationRequired": "authentication_required",
    "pm_card_threeDSecure2Required": "authentication_required",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "authentication_required",
}


@pytest.fixture
def charge(gateway: Gateway, customer: str) -> Callable[..., PaymentState]:
    """Charge one of the customer's cards."""

    def charge(
        card: str, amount: Money = PRICE, *, subject: UUID | None = None, key: str | None = None
    ) -> PaymentState:
        about = subject or uuid4()
        return gateway.charge_card(
            subject=about, customer=customer, card=card, amount=amount, key=key or f"charge:{about}"
        )

    return charge


Charge = Callable[..., PaymentState]


def test_a_good_card_pays_with_its_fee_and_movement(charge: Charge, saved_card: str, customer: str) -> None:
    subject = uuid4()
    paid = charge(saved_card, subject=subject)
    assert (paid.status, paid.subject, paid.amount) == ("succeeded", subject, PRICE)
    assert paid.fee == Money(320, "USD")
    assert (paid.customer, paid.card) == (customer, saved_card)
    assert (paid.failure_code, paid.failure_message) == (None, None)
    assert paid.charge_id
    assert paid.balance_transaction_id
    assert paid.paid_at
    assert abs(datetime.now(UTC) - paid.paid_at) < timedelta(minutes=5)


def test_a_payment_is_read_in_one_request(
    charge: Charge, saved_card: str, gateway: Gateway, wire: Wire
) -> None:
    paid = charge(saved_card)
    wire.passed.clear()
    assert gateway.payment(paid.payment_intent_id) == paid
    assert [passed.method for passed in wire.passed] == ["GET"]


def test_another_currency_stays_what_it_is(charge: Charge, saved_card: str) -> None:
    paid = charge(saved_card, Money(5_000, "EUR"))
    assert (paid.status, paid.amount) == ("succeeded", Money(5_000, "EUR"))


@pytest.mark.parametrize("card", DECLINES)
def test_a_declined_card_is_a_state_with_its_reason(card: str, charge: Charge, gateway: Gateway) -> None:
    subject = uuid4()
    declined = charge(card, subject=subject)
    assert (declined.status, declined.subject, declined.amount) == ("requires_payment_method", subject, PRICE)
    assert declined.failure_code == DECLINES[card]
    assert declined.failure_message
    assert (declined.fee, declined.paid_at, declined.balance_transaction_id) == (None, None, None)
    assert gateway.payment(declined.payment_intent_id) == declined


def test_a_card_may_be_kept_and_fail_later(charge: Charge, keep: Callable[[str], str]) -> None:
    declined = charge(keep("pm_card_chargeCustomerFail"))
    assert (declined.status, declined.failure_code) == ("requires_payment_method", "generic_decline")


def test_the_same_key_charges_once(
    charge: Charge, saved_card: str, gateway: Gateway, started: datetime
) -> None:
    subject = uuid4()
    first = charge(saved_card, subject=subject)
    assert charge(saved_card, subject=subject) == first
    assert [row.source_id for row in gateway.balance_transactions(started)].count(first.charge_id) == 1


def test_the_same_key_tells_a_decline_again(charge: Charge) -> None:
    subject = uuid4()
    first = charge("pm_card_chargeDeclinedInsufficientFunds", subject=subject)
    assert charge("pm_card_chargeDeclinedInsufficientFunds", subject=subject) == first


def test_the_same_key_with_another_amount_is_refused(charge: Charge, saved_card: str) -> None:
    subject = uuid4()
    charge(saved_card, subject=subject)
    with pytest.raises(Conflict) as refused:
        charge(saved_card, Money(9_999, "USD"), subject=subject)
    assert refused.value.code == "stripe_key_reused"


def test_threads_share_a_gateway(charge: Charge, saved_card: str) -> None:
    subjects = [uuid4() for _ in range(24)]
    with ThreadPoolExecutor(8) as together:
        paid = list(together.map(lambda subject: charge(saved_card, subject=subject), subjects))
    assert [state.subject for state in paid] == subjects
    assert {state.status for state in paid} == {"succeeded"}
    assert len({state.charge_id for state in paid}) == 24


def test_a_card_that_is_not_there_is_not_found(charge: Charge) -> None:
    with pytest.raises(NotFound) as refused:
        charge("pm_invented")
    assert refused.value.code == "stripe_object_missing"


def test_a_payment_that_is_not_there_is_not_found(gateway: Gateway) -> None:
    with pytest.raises(NotFound):
        gateway.payment("pi_invented")


def test_a_payment_of_somebody_else_has_no_subject(outside: Callable[..., str], gateway: Gateway) -> None:
    assert gateway.payment(outside(metadata={})).subject is None
    assert gateway.payment(outside(metadata={"purchase": "order 7"})).subject is None
