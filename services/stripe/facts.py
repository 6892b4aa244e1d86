"""What the card processor tells us, as plain values that need no SDK."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.kernel.money import Money

CheckoutStatus = Literal["open", "complete", "expired"]
PaymentStatus = Literal[
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "canceled",
    "succeeded",
]
RefundStatus = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class PaymentState:
    """One attempt to collect an amount, as it stands now.

    `amount` is what was received once the payment succeeded, and what was asked for before. The fee is in
    the currency in which the processor settles with us. A failure is told only while it is the last word.
    """

    payment_intent_id: str
    subject: UUID | None
    status: PaymentStatus
    amount: Money
    charge_id: str | None
    balance_transaction_id: str | None
    fee: Money | None
    paid_at: datetime | None
    failure_code: str | None
    failure_message: str | None
    customer: str | None
    card: str | None


@dataclass(frozen=True, slots=True)
class CheckoutState:
    """A hosted payment page, as it stands now; it has an address only while it is open."""

    session_id: str
    status: CheckoutStatus
    url: str | None
    subject: UUID | None
    payment: PaymentState | None


@dataclass(frozen=True, slots=True)
class RefundState:
    """Money on its way back to a payer, as it stands now."""

    refund_id: str
    subject: UUID | None
    payment_intent_id: str | None
    status: RefundStatus
    amount: Money
    balance_transaction_id: str | None
    failure_reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Card:
    """A saved card, known by what may be shown of it; `expires` is the last day on which it is valid."""

    card_id: str
    brand: str
    last4: str
    expires: date


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One movement of our balance at the processor: amount less fee is net, in minor units."""

    balance_transaction_id: str
    source_id: str | None
    kind: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    created_at: datetime
    available_on: date
    reporting_category: str


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """One piece of news as the processor keeps it; `body` is the JSON that its webhook carries."""

    event_id: str
    kind: str
    object_id: str
    created_at: datetime
    api_version: str | None
    body: str
