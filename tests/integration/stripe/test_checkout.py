"""A hosted page is opened, paid, declined, left, closed; every change under a key of ours."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.kernel.errors import Conflict, NotFound
from services.kernel.money import Money
from services.stripe.facts import CheckoutState
from services.stripe.gateway import Gateway
from tests.integration.stripe.wire import Wire
from tests.sandboxed import SandboxProcess

PRICE = Money(10_000, "USD")

Opening = Callable[..., CheckoutState]


@pytest.fixture
def opened(gateway: Gateway) -> Opening:
    """Open a page for a course of 100.00."""
    until = datetime.now(UTC) + timedelta(hours=1)

    def open_one(subject: UUID, *, customer: str | None = None, amount: Money = PRICE) -> CheckoutState:
        return gateway.open_checkout(
            subject=subject,
            payer_email="lee@example.com",
            customer=customer,
            title="Knots for Landlubbers",
            amount=amount,
            success_url="https://bursar.test/back?session={CHECKOUT_SESSION_ID}",
            cancel_url="https://bursar.test/course",
            expires_at=until,
            key=f"open:{subject}",
        )

    return open_one


def test_a_page_opens_for_a_purchase(opened: Opening, gateway: Gateway, sandbox: SandboxProcess) -> None:
    subject = uuid4()
    page = opened(subject)
    assert (page.status, page.subject, page.payment) == ("open", subject, None)
    assert (page.url or "").startswith(sandbox.base_url)
    assert gateway.checkout(page.session_id) == page


def test_a_paid_page_tells_the_payment_in_one_request(
    opened: Opening, gateway: Gateway, sandbox: SandboxProcess, wire: Wire
) -> None:
    subject = uuid4()
    page = opened(subject)
    sandbox.control("POST", f"pay/{page.session_id}", {"payment_method": "pm_card_visa"})
    wire.passed.clear()
    paid = gateway.checkout(page.session_id)
    assert len(wire.passed) == 1
    assert (paid.status, paid.url, paid.subject) == ("complete", None, subject)
    assert paid.payment
    assert (paid.payment.status, paid.payment.subject) == ("succeeded", subject)
    assert (paid.payment.amount, paid.payment.fee) == (PRICE, Money(320, "USD"))
    assert gateway.payment(paid.payment.payment_intent_id) == paid.payment


def test_a_known_payer_pays_as_that_customer(
    opened: Opening, gateway: Gateway, customer: str, sandbox: SandboxProcess
) -> None:
    page = opened(uuid4(), customer=customer)
    sandbox.control("POST", f"pay/{page.session_id}", {"payment_method": "pm_card_mastercard"})
    payment = gateway.checkout(page.session_id).payment
    assert payment
    assert payment.customer == customer


def test_a_declined_payer_may_try_again(opened: Opening, gateway: Gateway, sandbox: SandboxProcess) -> None:
    page = opened(uuid4())
    status, _ = sandbox.ask(
        "POST", f"pay/{page.session_id}", {"payment_method": "pm_card_chargeDeclinedInsufficientFunds"}
    )
    declined = gateway.checkout(page.session_id)
    assert (status, declined.status) == (402, "open")
    assert declined.payment
    assert (declined.payment.status, declined.payment.failure_code) == (
        "requires_payment_method",
        "insufficient_funds",
    )
    sandbox.control("POST", f"pay/{page.session_id}", {"payment_method": "pm_card_visa"})
    paid = gateway.checkout(page.session_id)
    assert paid.payment
    assert (paid.payment.status, paid.payment.failure_code) == ("succeeded", None)
    assert paid.payment.payment_intent_id == declined.payment.payment_intent_id


def test_the_same_key_opens_one_page(opened: Opening) -> None:
    subject = uuid4()
    assert opened(subject) == opened(subject)
    with pytest.raises(Conflict) as refused:
        opened(subject, amount=Money(9_999, "USD"))
    assert refused.value.code == "stripe_key_reused"


def test_a_page_is_closed_once(opened: Opening, gateway: Gateway) -> None:
    page = opened(uuid4())
    closed = gateway.expire_checkout(page.session_id, f"expire:{page.session_id}")
    assert (closed.status, closed.url) == ("expired", None)
    assert gateway.expire_checkout(page.session_id, f"expire:{page.session_id}") == closed
    assert gateway.expire_checkout(page.session_id, f"expire-again:{page.session_id}") == closed


def test_a_page_that_was_paid_meanwhile_stays_paid(
    opened: Opening, gateway: Gateway, sandbox: SandboxProcess
) -> None:
    page = opened(uuid4())
    sandbox.control("POST", f"pay/{page.session_id}")
    late = gateway.expire_checkout(page.session_id, f"expire:{page.session_id}")
    assert late.status == "complete"
    assert late.payment
    assert late.payment.status == "succeeded"


def test_a_page_that_is_not_there_is_not_found(gateway: Gateway) -> None:
    with pytest.raises(NotFound):
        gateway.checkout("cs_test_invented")
    with pytest.raises(NotFound):
        gateway.expire_checkout("cs_test_invented", "expire:invented")
