"""What a payer was asked for, and how that ended."""

from uuid import UUID

from sqlalchemy import insert, select, update

from services.kernel import ids
from services.kernel.errors import NotFound
from services.kernel.ids import PaymentId, UserId
from services.kernel.money import Money
from services.payments.tables import Payment
from services.runtime.work import Work
from services.stripe.facts import PaymentState

SUCCEEDED = "succeeded"


def expect(work: Work, *, payer: UserId, subject_kind: str, subject: UUID, amount: Money) -> PaymentId:
    """Write down that a payer is asked for an amount, before the processor hears of it."""
    payment = PaymentId(ids.fresh(work.now))
    work.run(
        insert(Payment).values(
            payment_id=payment,
            payer_id=payer,
            subject_kind=subject_kind,
            subject_id=subject,
            amount_minor=amount.minor,
            currency=amount.currency,
            created_at=work.now,
        )
    )
    return payment


def opened(work: Work, *, subject: UUID, session_id: str) -> None:
    """Remember the hosted Checkout Session in which a subject is paid."""
    work.run(
        update(Payment)
        .where(Payment.subject_id == subject, Payment.stripe_checkout_session_id.is_(None))
        .values(stripe_checkout_session_id=session_id)
    )


def succeed(work: Work, *, subject: UUID, paid: PaymentState) -> None:
    """Record that the processor took the money, with its charge, its fee and its balance transaction."""
    if paid.fee is None or paid.paid_at is None:
        raise ValueError(f"payment {paid.payment_intent_id} succeeded without a fee or an instant")
    work.run(
        update(Payment)
        .where(Payment.subject_id == subject)
        .values(
            state=SUCCEEDED,
            stripe_payment_intent_id=paid.payment_intent_id,
            stripe_charge_id=paid.charge_id,
            stripe_balance_transaction_id=paid.balance_transaction_id,
            fee_minor=paid.fee.minor,
            failure_code=None,
            succeeded_at=paid.paid_at,
        )
    )


def fail(work: Work, *, subject: UUID, failure_code: str | None, expired: bool = False) -> None:
    """Record that a payment ended without money; one that succeeded stays as it is."""
    state = "expired" if expired else "failed"
    ended = work.run(
        update(Payment)
        .where(Payment.subject_id == subject, Payment.state != SUCCEEDED)
        .values(state=state, failure_code=failure_code)
        .returning(Payment.payment_id)
    ).scalar_one_or_none()
    if ended:
        work.audit(f"payment.{state}", "payment", ended, failure_code=failure_code)


def intent_of(work: Work, *, subject: UUID) -> str | None:
    """The processor's name for the payment that paid for a subject, if one did."""
    paid_by = select(Payment.stripe_payment_intent_id).where(Payment.subject_id == subject)
    return work.run(paid_by).scalar_one_or_none()


def session_of(work: Work, *, subject: UUID) -> str | None:
    """The hosted Checkout Session in which a subject is being paid, if one was opened. Raises NotFound."""
    found = work.run(
        select(Payment.stripe_checkout_session_id).where(Payment.subject_id == subject)
    ).one_or_none()
    if found is None:
        raise NotFound("payment_unknown", "There is no payment for this.")
    session: str | None = found.stripe_checkout_session_id
    return session
