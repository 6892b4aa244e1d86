"""Earnings become available when the refund window behind them has ended."""

from uuid import UUID

from sqlalchemy import select, update

from services.kernel.ids import LineId, UserId
from services.kernel.money import Money
from services.ledger import accounts, book
from services.ledger.journal import Journal, credit, debit
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
    for line in due:
        _mature(work, LineId(line.purchase_line_id), line.purchase_id, line.currency)
    return len(due)


def _mature(work: Work, line: LineId, purchase: UUID, currency: str) -> None:
    earned = work.run(
        select(LineShare.party_id, LineShare.amount_minor).where(
            LineShare.purchase_line_id == line, LineShare.party_kind == Party.INSTRUCTOR
        )
    ).all()
    postings = []
    for share in earned:
        instructor, amount = UserId(share.party_id), Money(share.amount_minor, currency)
        postings += [
            debit(accounts.instructor_pending(instructor, currency), amount, purchase_line=line),
            credit(accounts.instructor_available(instructor, currency), amount, purchase_line=line),
        ]
    if postings:
        book.post(work, Journal("mature", f"mature:{line}", "purchase", purchase, work.now, tuple(postings)))
    work.run(update(PurchaseLine).where(PurchaseLine.purchase_line_id == line).values(state="matured"))
    work.audit("line.matured", "purchase_line", line)
    work.wake()
