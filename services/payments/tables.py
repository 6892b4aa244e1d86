"""Payments and refunds as we asked for them and as the processor confirmed them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.runtime.database import Base, Currency, exported


@exported()
class Payment(Base):
    """One amount that a payer was asked for, and how that ended."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'succeeded', 'failed', 'expired')", name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("uq_payment_subject", "subject_kind", "subject_id", unique=True),
        Index("uq_payment_intent", "stripe_payment_intent_id", unique=True),
        Index("uq_payment_charge", "stripe_charge_id", unique=True),
    )

    payment_id: Mapped[UUID] = mapped_column(primary_key=True)
    payer_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    amount_minor: Mapped[int]
    currency: Mapped[Currency]
    state: Mapped[str] = mapped_column(server_default="pending")
    stripe_checkout_session_id: Mapped[str | None]
    stripe_payment_intent_id: Mapped[str | None]
    stripe_charge_id: Mapped[str | None]
    stripe_balance_transaction_id: Mapped[str | None]
    fee_minor: Mapped[int | None]
    failure_code: Mapped[str | None]
    created_at: Mapped[datetime]
    succeeded_at: Mapped[datetime | None]


@exported()
class Refund(Base):
    """Money given back for one purchase line; at most one whole refund lives per line."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("state IN ('requested', 'succeeded', 'failed')", name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("uq_refund_line", "purchase_line_id", unique=True, postgresql_where=text("state <> 'failed'")),
        Index("uq_refund_stripe", "stripe_refund_id", unique=True),
    )

    refund_id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.payment_id"), index=True)
    purchase_line_id: Mapped[UUID]
    amount_minor: Mapped[int]
    currency: Mapped[Currency]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="requested")
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    stripe_refund_id: Mapped[str | None]
    stripe_balance_transaction_id: Mapped[str | None]
    failure_code: Mapped[str | None]


class StripeCustomer(Base):
    """How the processor knows one of our people."""

    __tablename__ = "stripe_customer"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.user_id"), primary_key=True)
    stripe_customer_id: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class SweepCursor(Base):
    """Up to when an account's events were compared with the inbox."""

    __tablename__ = "sweep_cursor"

    account: Mapped[str] = mapped_column(primary_key=True)
    swept_until: Mapped[datetime]
