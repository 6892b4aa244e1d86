"""The tables and columns that the warehouse expects from every source: where two strangers meet."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a column holds; the value is its type in the warehouse."""

    ID = "VARCHAR"
    TEXT = "TEXT"
    WHOLE = "BIGINT"
    SMALL = "SMALLINT"
    FLAG = "BOOLEAN"
    INSTANT = "TIMESTAMP"
    DAY = "DATE"
    DECIMAL = "DECIMAL(12,2)"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a source: its columns in order, and those that its `row_key` is made of."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Kind]

    @property
    def raw(self) -> str:
        """Where the warehouse keeps its rows as they came."""
        return f"raw.{self.name}"


def _table(name: str, key: str, /, **columns: Kind) -> Table:
    return Table(name, tuple(key.split()), MappingProxyType(columns))


EXPORTS: tuple[Table, ...] = (
    _table(
        "user_account",
        "user_id",
        user_id=Kind.ID,
        name=Kind.TEXT,
        status=Kind.TEXT,
        created_at=Kind.INSTANT,
    ),
    _table(
        "ledger_account",
        "account_id",
        account_id=Kind.WHOLE,
        book=Kind.TEXT,
        code=Kind.TEXT,
        owner_kind=Kind.TEXT,
        owner_id=Kind.ID,
        unit=Kind.TEXT,
        normal_side=Kind.SMALL,
        keeps_balance=Kind.FLAG,
    ),
    _table(
        "journal",
        "journal_id",
        journal_id=Kind.ID,
        book=Kind.TEXT,
        kind=Kind.TEXT,
        idem_key=Kind.TEXT,
        occurred_at=Kind.INSTANT,
        recorded_at=Kind.INSTANT,
        actor=Kind.TEXT,
        reverses_journal_id=Kind.ID,
        subject_kind=Kind.TEXT,
        subject_id=Kind.ID,
    ),
    _table(
        "posting",
        "journal_id line_no",
        journal_id=Kind.ID,
        line_no=Kind.SMALL,
        account_id=Kind.WHOLE,
        amount_minor=Kind.WHOLE,
        unit=Kind.TEXT,
        purchase_line_id=Kind.ID,
        matures_at=Kind.INSTANT,
    ),
    _table(
        "course",
        "course_id",
        course_id=Kind.ID,
        external_key=Kind.TEXT,
        title=Kind.TEXT,
        subject=Kind.TEXT,
        level=Kind.TEXT,
        hours=Kind.DECIMAL,
        status=Kind.TEXT,
        owner_id=Kind.ID,
        listed_at=Kind.INSTANT,
    ),
    _table(
        "revenue_rule",
        "rule_id",
        rule_id=Kind.ID,
        name=Kind.TEXT,
        channel=Kind.TEXT,
        instructor_bp=Kind.SMALL,
        valid_from=Kind.INSTANT,
        valid_to=Kind.INSTANT,
    ),
    _table(
        "purchase",
        "purchase_id",
        purchase_id=Kind.ID,
        quote_id=Kind.ID,
        buyer_id=Kind.ID,
        currency=Kind.TEXT,
        total_minor=Kind.WHOLE,
        state=Kind.TEXT,
        channel=Kind.TEXT,
        begun_at=Kind.INSTANT,
        settled_at=Kind.INSTANT,
        ended_at=Kind.INSTANT,
    ),
    _table(
        "purchase_line",
        "purchase_line_id",
        purchase_line_id=Kind.ID,
        purchase_id=Kind.ID,
        line_no=Kind.SMALL,
        course_id=Kind.ID,
        list_minor=Kind.WHOLE,
        discount_minor=Kind.WHOLE,
        net_minor=Kind.WHOLE,
        tax_minor=Kind.WHOLE,
        rule_id=Kind.ID,
        instructor_bp=Kind.SMALL,
        refund_days=Kind.SMALL,
        hold_until=Kind.INSTANT,
        state=Kind.TEXT,
    ),
    _table(
        "line_share",
        "purchase_line_id share_no",
        purchase_line_id=Kind.ID,
        share_no=Kind.SMALL,
        party_kind=Kind.TEXT,
        party_id=Kind.ID,
        amount_minor=Kind.WHOLE,
        rate_bp=Kind.SMALL,
    ),
    _table(
        "enrolment",
        "enrolment_id",
        enrolment_id=Kind.ID,
        user_id=Kind.ID,
        course_id=Kind.ID,
        purchase_line_id=Kind.ID,
        state=Kind.TEXT,
        opened_at=Kind.INSTANT,
        ended_at=Kind.INSTANT,
    ),
    _table(
        "payment",
        "payment_id",
        payment_id=Kind.ID,
        payer_id=Kind.ID,
        subject_kind=Kind.TEXT,
        subject_id=Kind.ID,
        amount_minor=Kind.WHOLE,
        currency=Kind.TEXT,
        state=Kind.TEXT,
        stripe_checkout_session_id=Kind.TEXT,
        stripe_payment_intent_id=Kind.TEXT,
        stripe_charge_id=Kind.TEXT,
        stripe_balance_transaction_id=Kind.TEXT,
        fee_minor=Kind.WHOLE,
        failure_code=Kind.TEXT,
        created_at=Kind.INSTANT,
        succeeded_at=Kind.INSTANT,
    ),
    _table(
        "refund",
        "refund_id",
        refund_id=Kind.ID,
        payment_id=Kind.ID,
        purchase_line_id=Kind.ID,
        amount_minor=Kind.WHOLE,
        currency=Kind.TEXT,
        reason=Kind.TEXT,
        state=Kind.TEXT,
        requested_by=Kind.TEXT,
        requested_at=Kind.INSTANT,
        settled_at=Kind.INSTANT,
        stripe_refund_id=Kind.TEXT,
        stripe_balance_transaction_id=Kind.TEXT,
        failure_code=Kind.TEXT,
    ),
)

BALANCE_TRANSACTIONS = _table(
    "stripe_balance_transaction",
    "balance_transaction_id",
    balance_transaction_id=Kind.TEXT,
    source_id=Kind.TEXT,
    kind=Kind.TEXT,
    amount_minor=Kind.WHOLE,
    fee_minor=Kind.WHOLE,
    net_minor=Kind.WHOLE,
    currency=Kind.TEXT,
    created_at=Kind.INSTANT,
    available_on=Kind.DAY,
    reporting_category=Kind.TEXT,
)

RECONCILIATION_TOTALS = _table(
    "reconciliation_total",
    "measure currency",
    measure=Kind.TEXT,
    currency=Kind.TEXT,
    ledger_minor=Kind.WHOLE,
    processor_minor=Kind.WHOLE,
    warehouse_minor=Kind.WHOLE,
    timing_minor=Kind.WHOLE,
    unexplained_minor=Kind.WHOLE,
)

RECONCILIATION_BREAKS = _table(
    "reconciliation_break",
    "subject reason stores",
    reason=Kind.TEXT,
    subject=Kind.TEXT,
    stores=Kind.TEXT,
    currency=Kind.TEXT,
    ours_minor=Kind.WHOLE,
    theirs_minor=Kind.WHOLE,
    since_at=Kind.INSTANT,
)

RECONCILIATION = (RECONCILIATION_TOTALS, RECONCILIATION_BREAKS)
RAW: tuple[Table, ...] = (*EXPORTS, BALANCE_TRANSACTIONS, *RECONCILIATION)


def fingerprint() -> str:
    """Changes when any table that the warehouse keeps would look different."""
    told = repr([(table.name, table.key, dict(table.columns)) for table in RAW])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
