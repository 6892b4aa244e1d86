"""Money on its way back, from the request to the processor's word on it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select, update

from services.kernel import ids
from services.kernel.errors import NotFound
from services.kernel.ids import LineId, PaymentId, RefundId
from services.kernel.money import Money
from services.payments.tables import Payment, Refund
from services.runtime.work import Work
from services.stripe.facts import RefundState


@dataclass(frozen=True, slots=True)
class OpenRefund:
    """What the processor must be asked for."""

    refund_id: RefundId
    purchase_line_id: LineId
    state: str
    amount: Money
    payment_intent_id: str


def request(work: Work, *, subject: UUID, line: LineId, amount: Money, reason: str) -> RefundId:
    """Write down that a line's money goes back, before the processor hears of it."""
    refund = RefundId(ids.fresh(work.now))
    payment = work.run(select(Payment.payment_id).where(Payment.subject_id == subject)).scalar_one()
    work.run(
        insert(Refund).values(
            refund_id=refund,
            payment_id=PaymentId(payment),
            purchase_line_id=line,
            amount_minor=amount.minor,
            currency=amount.currency,
            reason=reason,
            requested_by=work.actor.reference,
            requested_at=work.now,
        )
    )
    return refund


def read(work: Work, refund: RefundId, *, lock: bool = False) -> OpenRefund:
    """A refund as it stands; locked until the transaction ends when asked. Raises NotFound."""
    wanted = (
        select(
            Refund.purchase_line_id,
            Refund.state,
            Refund.amount_minor,
            Refund.currency,
            Payment.stripe_payment_intent_id,
        )
        .join(Payment, Payment.payment_id == Refund.payment_id)
        .where(Refund.refund_id == refund)
    )
    found = work.run(wanted.with_for_update(of=Refund) if lock else wanted).one_or_none()
    if found is None or found.stripe_payment_intent_id is None:
        raise NotFound("refund_unknown", "There is no such refund.")
    return OpenRefund(
        refund,
        LineId(found.purchase_line_id),
        found.state,
        Money(found.amount_minor, found.currency),
        found.stripe_payment_intent_id,
    )


def known(work: Work, given_back: RefundState) -> RefundId | None:
    """Our refund behind one that the processor tells us of, if there is one."""
    wanted = Refund.stripe_refund_id == given_back.refund_id
    if given_back.subject:
        wanted |= Refund.refund_id == given_back.subject
    found = work.run(select(Refund.refund_id).where(wanted)).scalar_one_or_none()
    return RefundId(found) if found else None


def waiting(work: Work, line: LineId) -> RefundId | None:
    """The refund of a line that was requested and is not settled, if there is one."""
    found = work.run(
        select(Refund.refund_id).where(Refund.purchase_line_id == line, Refund.state == "requested")
    ).scalar_one_or_none()
    return RefundId(found) if found else None


def paid_by(work: Work, payment_intent_id: str | None) -> UUID:
    """The subject that a payment of the processor paid for. Raises NotFound."""
    found = work.run(
        select(Payment.subject_id).where(Payment.stripe_payment_intent_id == payment_intent_id)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("payment_unknown", "This payment is not one of ours.", payment=payment_intent_id)
    return found


def settle(work: Work, *, refund: RefundId, given_back: RefundState) -> None:
    """Record that the processor gave the money back, or that it could not."""
    succeeded = given_back.status == "succeeded"
    work.run(
        update(Refund)
        .where(Refund.refund_id == refund)
        .values(
            state="succeeded" if succeeded else "failed",
            settled_at=work.now,
            stripe_refund_id=given_back.refund_id,
            stripe_balance_transaction_id=given_back.balance_transaction_id,
            failure_code=given_back.failure_reason,
        )
    )
