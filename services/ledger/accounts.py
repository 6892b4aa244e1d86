"""The chart of accounts of the money book."""

from services.kernel.ids import UserId
from services.ledger.journal import Account, Side


def stripe_pending(currency: str) -> Account:
    """What the processor holds for us, net of its fees, until its funds are available."""
    return Account("stripe_pending", currency, Side.DEBIT)


def stripe_fee(currency: str) -> Account:
    """What the processor kept for itself: a cost of the platform."""
    return Account("stripe_fee", currency, Side.DEBIT)


def platform_share(currency: str) -> Account:
    """The platform's part of course sales."""
    return Account("platform_share", currency, Side.CREDIT)


def tax_payable(currency: str) -> Account:
    """Tax that buyers paid and that we owe to the state."""
    return Account("tax_payable", currency, Side.CREDIT)


def unapplied_payment(currency: str) -> Account:
    """Money that arrived but fits no purchase: owed back until somebody decides."""
    return Account("unapplied_payment", currency, Side.CREDIT)


def instructor_pending(instructor: UserId, currency: str) -> Account:
    """Earnings of an instructor whose refund window is still open."""
    return Account("instructor_pending", currency, Side.CREDIT, "instructor", instructor, keeps_balance=True)


def instructor_available(instructor: UserId, currency: str) -> Account:
    """Earnings of an instructor that the next payout takes; below zero after a late refund."""
    return Account(
        "instructor_available", currency, Side.CREDIT, "instructor", instructor, keeps_balance=True
    )
