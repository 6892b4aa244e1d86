"""Post a journal once, reverse it once, read a balance."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, and_, bindparam, func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from services.kernel import ids
from services.kernel.errors import Conflict
from services.kernel.ids import JournalId
from services.ledger.journal import Account, Journal, Line, Side, mirror
from services.ledger.tables import Balance, LedgerAccount, Posting
from services.ledger.tables import Journal as JournalRow
from services.runtime.work import Work

_POSTED = list(Posting.__table__.columns)
_ALL_LINES = insert(Posting).from_select(
    [column.name for column in _POSTED],
    select(*(func.unnest(bindparam(column.name, type_=ARRAY(column.type))) for column in _POSTED)),
)


def post(work: Work, journal: Journal) -> JournalId:
    """Write a journal, or find the one that already stands under its key.

    Raises Conflict when the key stands for other postings.
    """
    return post_all(work, [journal])[0]


def post_all(work: Work, journals: Sequence[Journal]) -> list[JournalId]:
    """Write journals together, each as `post` does.

    All their postings are written by one statement, in the order of their accounts: so each journal is
    whole at once, and two transactions never wait for each other in a circle. A transaction posts once.
    """
    found: dict[tuple[str, str], JournalId] = {}
    written: list[tuple[JournalId, Line, int]] = []
    for journal in sorted(journals, key=_mark):
        journal_id = _write(work, journal)
        found[_mark(journal)] = journal_id or _standing(work, journal)
        if journal_id:
            written += [(journal_id, line, number) for number, line in enumerate(journal.lines, start=1)]
    if written:
        _write_lines(work, written)
    return [found[_mark(journal)] for journal in journals]


def reverse(work: Work, journal_id: JournalId, *, kind: str) -> JournalId:
    """Post the mirror of a journal; doing it again finds the same reversal."""
    original = work.run(
        select(JournalRow.idem_key, JournalRow.subject_kind, JournalRow.subject_id).where(
            JournalRow.journal_id == journal_id
        )
    ).one()
    return post(
        work,
        Journal(
            kind=kind,
            key=f"reverse:{original.idem_key}",
            subject_kind=original.subject_kind,
            subject_id=original.subject_id,
            occurred_at=work.now,
            lines=mirror(lines_of(work, journal_id)),
            reverses=journal_id,
        ),
    )


def lines_of(work: Work, journal_id: JournalId) -> list[Line]:
    """The postings of a journal as they were written."""
    found = work.run(
        select(
            LedgerAccount.code,
            LedgerAccount.unit,
            LedgerAccount.normal_side,
            LedgerAccount.owner_kind,
            LedgerAccount.owner_id,
            LedgerAccount.book,
            LedgerAccount.keeps_balance,
            Posting.amount_minor,
            Posting.purchase_line_id,
            Posting.matures_at,
        )
        .join(LedgerAccount, LedgerAccount.account_id == Posting.account_id)
        .where(Posting.journal_id == journal_id)
        .order_by(Posting.line_no)
    ).all()
    return [
        Line(
            Account(
                row.code,
                row.unit,
                Side(row.normal_side),
                row.owner_kind,
                row.owner_id,
                row.book,
                row.keeps_balance,
            ),
            row.amount_minor,
            row.purchase_line_id,
            row.matures_at,
        )
        for row in found
    ]


def posted(work: Work, *, key: str, book: str = "money") -> JournalId:
    """The journal that was posted under a key, which must stand."""
    wanted = (JournalRow.book == book) & (JournalRow.idem_key == key)
    return JournalId(work.run(select(JournalRow.journal_id).where(wanted)).scalar_one())


def stands(work: Work, *, key: str, book: str = "money") -> bool:
    """Whether a journal was posted under a key."""
    wanted = (JournalRow.book == book) & (JournalRow.idem_key == key)
    return work.run(select(JournalRow.journal_id).where(wanted)).first() is not None


def balance(work: Work, account: Account) -> int:
    """What an account holds in its normal side, in minor units: its balance row, or else its postings."""
    account_id = select(LedgerAccount.account_id).where(_is(account)).scalar_subquery()
    if account.keeps_balance:
        held = select(Balance.amount_minor).where(Balance.account_id == account_id)
    else:
        held = select(func.sum(Posting.amount_minor) * account.side).where(Posting.account_id == account_id)
    return int(work.run(held).scalar() or 0)


def _mark(journal: Journal) -> tuple[str, str]:
    return (journal.book, journal.key)


def _write(work: Work, journal: Journal) -> JournalId | None:
    journal_id = JournalId(ids.fresh(work.now))
    written = work.run(
        insert_or_skip(JournalRow)
        .values(
            journal_id=journal_id,
            book=journal.book,
            kind=journal.kind,
            idem_key=journal.key,
            occurred_at=journal.occurred_at,
            recorded_at=work.now,
            actor=work.actor.reference,
            reverses_journal_id=journal.reverses,
            subject_kind=journal.subject_kind,
            subject_id=journal.subject_id,
        )
        .on_conflict_do_nothing()
        .returning(JournalRow.journal_id)
    ).first()
    return journal_id if written else None


def _write_lines(work: Work, written: Sequence[tuple[JournalId, Line, int]]) -> None:
    account_ids = _open_accounts(work, [line for _, line, _ in written])
    ordered = sorted(written, key=lambda each: account_ids[each[1].account])
    columns: dict[str, list[object]] = {
        "journal_id": [journal_id for journal_id, _, _ in ordered],
        "line_no": [number for _, _, number in ordered],
        "account_id": [account_ids[line.account] for _, line, _ in ordered],
        "amount_minor": [line.amount_minor for _, line, _ in ordered],
        "unit": [line.account.unit for _, line, _ in ordered],
        "purchase_line_id": [line.purchase_line_id for _, line, _ in ordered],
        "matures_at": [line.matures_at for _, line, _ in ordered],
    }
    work.run(_ALL_LINES, columns)


def _standing(work: Work, journal: Journal) -> JournalId:
    standing = posted(work, key=journal.key, book=journal.book)
    if _shape(lines_of(work, standing)) != _shape(journal.lines):
        raise Conflict("journal_key_reused", f"The journal {journal.key} already stands with other postings.")
    return standing


def _shape(lines: Iterable[Line]) -> list[tuple[str, int]]:
    return sorted((repr(replace(line, matures_at=None)), line.amount_minor) for line in lines)


def _open_accounts(work: Work, lines: Iterable[Line]) -> dict[Account, int]:
    wanted = {line.account for line in lines}
    found = _known(work, wanted)
    missing = sorted(wanted - found.keys(), key=repr)
    if missing:
        work.run(
            insert_or_skip(LedgerAccount).on_conflict_do_nothing(), [_columns(account) for account in missing]
        )
        found = _known(work, wanted)
    return found


def _known(work: Work, wanted: set[Account]) -> dict[Account, int]:
    rows = work.run(
        select(
            LedgerAccount.account_id,
            LedgerAccount.book,
            LedgerAccount.code,
            LedgerAccount.owner_kind,
            LedgerAccount.owner_id,
            LedgerAccount.unit,
        ).where(or_(*(_is(account) for account in wanted)))
    ).all()
    known = {(row.book, row.code, row.owner_kind, row.owner_id, row.unit): row.account_id for row in rows}
    return {account: known[_key(account)] for account in wanted if _key(account) in known}


def _key(account: Account) -> tuple[str, str, str, UUID | None, str]:
    return (account.book, account.code, account.owner_kind, account.owner_id, account.unit)


def _columns(account: Account) -> dict[str, object]:
    return {
        "book": account.book,
        "code": account.code,
        "owner_kind": account.owner_kind,
        "owner_id": account.owner_id,
        "unit": account.unit,
        "normal_side": int(account.side),
        "keeps_balance": account.keeps_balance,
    }


def _is(account: Account) -> ColumnElement[bool]:
    return and_(
        LedgerAccount.book == account.book,
        LedgerAccount.code == account.code,
        LedgerAccount.owner_kind == account.owner_kind,
        LedgerAccount.owner_id == account.owner_id,
        LedgerAccount.unit == account.unit,
    )
