"""Invented accounts, and journals that move something between them."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from services.kernel.ids import JournalId
from services.ledger import book
from services.ledger.journal import Account, Journal, Line, Side
from services.runtime.work import Work

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def purse(owner: UUID | None = None, *, unit: str = "USD") -> Account:
    """Somebody's account that keeps its balance in a row."""
    return Account(
        "instructor_available", unit, Side.CREDIT, "instructor", owner or uuid4(), keeps_balance=True
    )


def till(*, unit: str = "USD") -> Account:
    """An account of the platform whose balance is summed."""
    return Account("stripe_pending", unit, Side.DEBIT)


def moving(amount: int, *, giver: Account, taker: Account, key: str | None = None) -> Journal:
    """A journal that debits the giver and credits the taker."""
    return Journal(
        "test", key or f"test:{uuid4()}", "test", uuid4(), NOON, (Line(giver, amount), Line(taker, -amount))
    )


def move(work: Work, amount: int, *, giver: Account, taker: Account, key: str | None = None) -> JournalId:
    """Post such a journal."""
    return book.post(work, moving(amount, giver=giver, taker=taker, key=key))
