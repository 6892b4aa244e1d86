"""What a journal is: debits and credits of named accounts that sum to zero in each unit."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from services.kernel.money import Money


class Side(IntEnum):
    """The side on which an account grows."""

    DEBIT = 1
    CREDIT = -1


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a book: what it is for, whose it is, in which unit.

    Only an account that is read or limited inside transactions keeps its balance in a row of its own.
    """

    code: str
    unit: str
    side: Side
    owner_kind: str = "platform"
    owner_id: UUID | None = None
    book: str = "money"
    keeps_balance: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A debit (positive) or credit (negative) of one account, in minor units."""

    account: Account
    amount_minor: int
    purchase_line_id: UUID | None = None
    matures_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Journal:
    """One event of value, posted once under its key.

    Raises ValueError unless it has at least two lines, none of them zero, in one book, summing to zero
    per unit.
    """

    kind: str
    key: str
    subject_kind: str
    subject_id: UUID
    occurred_at: datetime
    lines: tuple[Line, ...]
    reverses: UUID | None = None

    def __post_init__(self) -> None:
        if len(self.lines) < 2:  # noqa: PLR2004 - double entry
            raise ValueError(f"journal {self.key} needs at least two lines")
        if any(line.amount_minor == 0 for line in self.lines):
            raise ValueError(f"journal {self.key} has a line of zero")
        if len({line.account.book for line in self.lines}) != 1:
            raise ValueError(f"journal {self.key} mixes books")
        off: Counter[str] = Counter()
        for line in self.lines:
            off[line.account.unit] += line.amount_minor
        if any(off.values()):
            raise ValueError(f"journal {self.key} is off by {dict(off)}")

    @property
    def book(self) -> str:
        """The book that the journal stands in."""
        return self.lines[0].account.book


def debit(account: Account, amount: Money, *, purchase_line: UUID | None = None) -> Line:
    """A line that adds an amount to the debit side of an account."""
    return _line(account, amount, Side.DEBIT, purchase_line)


def credit(
    account: Account,
    amount: Money,
    *,
    purchase_line: UUID | None = None,
    matures_at: datetime | None = None,
) -> Line:
    """A line that adds an amount to the credit side of an account, available from an instant if given."""
    return replace(_line(account, amount, Side.CREDIT, purchase_line), matures_at=matures_at)


def without_zeros(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines that move something."""
    return tuple(line for line in lines if line.amount_minor)


def mirror(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines that undo the given ones."""
    return tuple(replace(line, amount_minor=-line.amount_minor, matures_at=None) for line in lines)


def _line(account: Account, amount: Money, side: Side, purchase_line: UUID | None) -> Line:
    if amount.currency != account.unit:
        raise ValueError(f"{amount.currency} cannot be posted to {account.code} in {account.unit}")
    return Line(account, side * amount.minor, purchase_line)
