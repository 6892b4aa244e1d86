"""The table of consequences: which news leads to what, read top to bottom."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from uuid import UUID

from services.kernel.actor import system
from services.kernel.ids import LineId, PurchaseId, RefundId
from services.marketplace import purchase, refund, settle
from services.payments import charge
from services.runtime.database import Facts
from services.runtime.work import Work, Works
from services.stripe.facts import CheckoutState, PaymentState
from services.stripe.gateway import Gateway

REACTOR = system("reactions")

Effect = Callable[[Work], None]
Reaction = Callable[[Gateway, str], Effect]
Errand = Callable[[Works, Gateway, Facts], None]


def checkout_changed(gateway: Gateway, session_id: str) -> Effect:
    """A hosted Checkout was paid, failed or expired: settle its purchase, or end it."""
    checkout = gateway.checkout(session_id)
    return lambda work: _checkout(work, checkout)


def payment_changed(gateway: Gateway, payment_intent_id: str) -> Effect:
    """A payment succeeded or failed: settle its purchase, or note the failure."""
    paid = gateway.payment(payment_intent_id)
    return lambda work: _payment(work, paid)


def refund_changed(gateway: Gateway, stripe_refund_id: str) -> Effect:
    """A refund moved on: book it."""
    given_back = gateway.refund_state(stripe_refund_id)
    return lambda work: refund.learn_of(work, given_back=given_back)


def send_refund(works: Works, gateway: Gateway, facts: Facts) -> None:
    """A refund was requested: see that the processor heard of it."""
    refund.send(works, gateway, actor=REACTOR, refund=RefundId(UUID(facts["refund"])))


def give_back_doubled(works: Works, gateway: Gateway, facts: Facts) -> None:
    """Somebody paid for a course that they had already: give the money back."""
    line = LineId(UUID(facts["line"]))
    refund.issue(works, gateway, actor=REACTOR, line=line, reason="duplicate", key=f"doubled:{line}")


STRIPE: Mapping[str, Reaction] = MappingProxyType(
    {
        "checkout.session.completed": checkout_changed,
        "checkout.session.async_payment_succeeded": checkout_changed,
        "checkout.session.async_payment_failed": checkout_changed,
        "checkout.session.expired": checkout_changed,
        "payment_intent.succeeded": payment_changed,
        "payment_intent.payment_failed": payment_changed,
        "refund.created": refund_changed,
        "refund.updated": refund_changed,
        "refund.failed": refund_changed,
    }
)

OUTBOX: Mapping[str, Errand] = MappingProxyType(
    {
        "refund.requested": send_refund,
        "purchase.doubled": give_back_doubled,
    }
)


def _checkout(work: Work, checkout: CheckoutState) -> None:
    if checkout.subject is None:
        return
    bought = PurchaseId(checkout.subject)
    if checkout.payment and checkout.payment.status == charge.SUCCEEDED:
        settle.settle(work, purchase=bought, paid=checkout.payment)
    elif checkout.status == "expired":
        purchase.abandon(work, purchase=bought, failure_code=None, expired=True)


def _payment(work: Work, paid: PaymentState) -> None:
    if paid.subject is None:
        return
    if paid.status == charge.SUCCEEDED:
        settle.settle(work, purchase=PurchaseId(paid.subject), paid=paid)
    elif paid.failure_code:
        charge.fail(work, subject=paid.subject, failure_code=paid.failure_code)
