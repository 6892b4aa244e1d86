"""Earnings become available when the refund window behind them has ended."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select, update

from services.kernel.ids import LineId, UserId
from services.kernel.money import Money
from services.ledger import accounts, book
from services.ledger.journal import Journal, Line, credit, debit
from services.marketplace.split import Party
from services.marketplace.tables import LineShare, Purchase, PurchaseLine
from services.runtime.work import Work

AT_ONCE = 100


def release(work: Work) -> int:
    """Move the earnings of every line whose window is over from pending to available; gives their number.

    At most a hundred lines a call; lines that somebody else holds are left for the next one.
    """
    due = work.run(
        select(PurchaseLine.purchase_line_id, PurchaseLine.purchase_id, Purchase.currency)
        .join(Purchase, Purchase.purchase_id == PurchaseLine.purchase_id)
        .where(PurchaseLine.state == "held", PurchaseLine.hold_until <= work.now)
        .order_by(PurchaseLine.hold_until)
        .limit(AT_ONCE)
        .with_for_update(of=PurchaseLine, skip_locked=True)
    ).all()
    if not due:
        return 0
    lines = [LineId(line.purchase_line_id) for line in due]
    earned = _earned(work, lines)
    book.post_all(
        work,
        [
            Journal(
                "mature", f"mature:{line.purchase_line_id}", "purchase", line.purchase_id, work.now, postings
            )
            for line in due
            if (postings := _postings(line.purchase_line_id, line.currency, earned))
        ],
    )
    work.run(update(PurchaseLine).where(PurchaseLine.purchase_line_id.in_(lines)).values(state="matured"))
    for line in lines:
        work.audit("line.matured", "purchase_line", line)
    work.wake()
    return len(lines)


def _earned(work: Work, lines: Sequence[LineId]) -> dict[UUID, list[tuple[UserId, int]]]:
    found: dict[UUID, list[tuple[UserId, int]]] = defaultdict(list)
    for share in work.run(
        select(LineShare.purchase_line_id, LineShare.party_id, LineShare.amount_minor).where(
            LineShare.purchase_line_id.in_(lines), LineShare.party_kind == Party.INSTRUCTOR
        )
    ):
        found[share.purchase_line_id].append((UserId(share.party_id), share.amount_minor))
    return found


def _postings(line: UUID, currency: str, earned: Mapping[UUID, list[tuple[UserId, int]]]) -> tuple[Line, ...]:
    postings: list[Line] = []
    for instructor, minor in earned.get(line, []):
        amount = Money(minor, currency)
        postings += [
            debit(accounts.instructor_pending(instructor, currency), amount, purchase_line=line),
            credit(accounts.instructor_available(instructor, currency), amount, purchase_line=line),
        ]
    return tuple(postings)
