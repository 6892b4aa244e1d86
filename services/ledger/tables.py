"""Accounts, journals, postings and the balances that a transaction may limit."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.runtime.database import Base, Small, exported


@exported()
class LedgerAccount(Base):
    """One account of one book, of the platform or of one owner."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint(
            "book", "code", "owner_kind", "owner_id", "unit", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("book IN ('money', 'token')", name="book"),
        CheckConstraint("normal_side IN (-1, 1)", name="normal_side"),
    )

    account_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    book: Mapped[str]
    code: Mapped[str]
    owner_kind: Mapped[str]
    owner_id: Mapped[UUID | None]
    unit: Mapped[str]
    normal_side: Mapped[Small]
    keeps_balance: Mapped[bool]


@exported(
    "journal_id",
    "book",
    "kind",
    "idem_key",
    "occurred_at",
    "recorded_at",
    "actor",
    "reverses_journal_id",
    "subject_kind",
    "subject_id",
)
class Journal(Base):
    """One event of value; its postings sum to zero per unit at commit."""

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("book", "idem_key"),
        Index(
            "uq_journal_reverses",
            "reverses_journal_id",
            unique=True,
            postgresql_where=text("reverses_journal_id IS NOT NULL"),
        ),
        Index(None, "subject_kind", "subject_id"),
    )

    journal_id: Mapped[UUID] = mapped_column(primary_key=True)
    book: Mapped[str]
    kind: Mapped[str]
    idem_key: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    reverses_journal_id: Mapped[UUID | None] = mapped_column(ForeignKey("journal.journal_id"))
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    written_in: Mapped[int] = mapped_column(server_default=text("(pg_current_xact_id()::text)::bigint"))


@exported()
class Posting(Base):
    """One line of a journal: a debit (positive) or credit (negative) of one account in minor units."""

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="amount"),
        Index(None, "account_id"),
        Index("ix_posting_purchase_line_id", "purchase_line_id"),
    )

    journal_id: Mapped[UUID] = mapped_column(ForeignKey("journal.journal_id"), primary_key=True)
    line_no: Mapped[Small] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.account_id"))
    amount_minor: Mapped[int]
    unit: Mapped[str]
    purchase_line_id: Mapped[UUID | None]
    matures_at: Mapped[datetime | None]


class Balance(Base):
    """What an account holds, in its normal side; written by the database itself."""

    __tablename__ = "balance"

    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.account_id"), primary_key=True)
    amount_minor: Mapped[int]
    version: Mapped[int]
