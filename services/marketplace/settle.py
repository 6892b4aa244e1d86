"""What a paid purchase causes: the books, the shares, the opened course; all of it or nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from services.kernel import ids
from services.kernel.errors import Conflict, NotFound
from services.kernel.ids import CourseId, EnrolmentId, LineId, PurchaseId, UserId
from services.kernel.money import Money
from services.ledger import accounts, book
from services.ledger.journal import Account, Journal, Line, credit, debit, without_zeros
from services.marketplace.split import Party, Share, shares
from services.marketplace.tables import CourseInstructor, Enrolment, LineShare, Purchase, PurchaseLine
from services.payments import charge
from services.runtime.work import Work
from services.stripe.facts import PaymentState

SETTLED_STATES = frozenset({"settled", "refunded", "review"})


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One line of a purchase as it was frozen when the purchase began."""

    purchase_line_id: UUID
    course_id: UUID
    net_minor: int
    tax_minor: int
    instructor_bp: int
    refund_days: int


def settle(work: Work, *, purchase: PurchaseId, paid: PaymentState) -> None:
    """Post a paid purchase, freeze its shares and open its courses; doing it again changes nothing.

    Money that does not match the purchase, or comes a second time, is booked as unapplied and left for a
    person to review. Raises NotFound when the purchase is not there yet, Conflict when the processor settles
    in another currency than the payment's.
    """
    _check_currency(paid)
    found = _lock(work, purchase)
    if found.state in SETTLED_STATES:
        if charge.intent_of(work, subject=purchase) != paid.payment_intent_id:
            _keep_apart(work, purchase, paid, "purchase.paid_twice")
        return
    charge.succeed(work, subject=purchase, paid=paid)
    if paid.amount != Money(found.total_minor, found.currency) or paid.fee is None or paid.paid_at is None:
        _hold_for_review(work, purchase, paid)
        return
    fee, paid_at = paid.fee, paid.paid_at
    divided = {line: _divide(work, line, found.currency) for line in _lines(work, purchase)}
    postings = [
        debit(accounts.stripe_pending(found.currency), paid.amount - fee),
        debit(accounts.stripe_fee(found.currency), fee),
    ]
    for line, parts in divided.items():
        postings += [_earned(line, part, at=paid_at) for part in parts]
    journal = Journal("sale", f"sale:{purchase}", "purchase", purchase, paid_at, without_zeros(postings))
    book.post(work, journal)
    _open(work, purchase, divided, buyer=UserId(found.buyer_id), at=paid_at)
    work.audit(
        "purchase.settled", "purchase", purchase, total_minor=found.total_minor, currency=found.currency
    )


def _check_currency(paid: PaymentState) -> None:
    if paid.fee is not None and paid.fee.currency != paid.amount.currency:
        raise Conflict(
            "settlement_currency",
            f"Paid in {paid.amount.currency}, settled in {paid.fee.currency}: a person must book it.",
        )


def settle_free(work: Work, *, purchase: PurchaseId) -> None:
    """Open the courses of a purchase that costs nothing."""
    found = _lock(work, purchase)
    divided: dict[SoldLine, list[Share]] = {line: [] for line in _lines(work, purchase)}
    _open(work, purchase, divided, buyer=UserId(found.buyer_id), at=work.now)
    work.audit("purchase.settled", "purchase", purchase, total_minor=0, currency=found.currency)


def _earned(line: SoldLine, part: Share, *, at: datetime) -> Line:
    is_held = part.party is Party.INSTRUCTOR
    return credit(
        account_of(part),
        part.amount,
        purchase_line=line.purchase_line_id,
        matures_at=_hold_until(line, at) if is_held else None,
    )


def _hold_until(line: SoldLine, at: datetime) -> datetime:
    return at + timedelta(days=line.refund_days)


def account_of(share: Share) -> Account:
    """The account that a share of a sale is credited to."""
    if share.party is Party.TAX:
        return accounts.tax_payable(share.amount.currency)
    if share.party is Party.PLATFORM or share.party_id is None:
        return accounts.platform_share(share.amount.currency)
    return accounts.instructor_pending(share.party_id, share.amount.currency)


def _lock(work: Work, purchase: PurchaseId) -> Row[str, int, str, UUID]:
    found = work.run(
        select(Purchase.state, Purchase.total_minor, Purchase.currency, Purchase.buyer_id)
        .where(Purchase.purchase_id == purchase)
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound("purchase_unknown", "There is no such purchase.", purchase=str(purchase))
    return found


def _lines(work: Work, purchase: PurchaseId) -> list[SoldLine]:
    found = work.run(
        select(
            PurchaseLine.purchase_line_id,
            PurchaseLine.course_id,
            PurchaseLine.net_minor,
            PurchaseLine.tax_minor,
            PurchaseLine.instructor_bp,
            PurchaseLine.refund_days,
        )
        .where(PurchaseLine.purchase_id == purchase)
        .order_by(PurchaseLine.line_no)
    ).all()
    return [SoldLine(*row) for row in found]


def _divide(work: Work, line: SoldLine, currency: str) -> list[Share]:
    teaching = work.run(
        select(CourseInstructor.instructor_id, CourseInstructor.share_bp)
        .where(CourseInstructor.course_id == line.course_id, CourseInstructor.valid_to.is_(None))
        .order_by(CourseInstructor.instructor_id)
    ).all()
    return shares(
        net=Money(line.net_minor, currency),
        tax=Money(line.tax_minor, currency),
        instructor_bp=line.instructor_bp,
        instructors={UserId(each.instructor_id): each.share_bp for each in teaching},
    )


def _open(
    work: Work, purchase: PurchaseId, divided: dict[SoldLine, list[Share]], *, buyer: UserId, at: datetime
) -> None:
    for line, parts in divided.items():
        _write_shares(work, line, parts)
        work.run(
            update(PurchaseLine)
            .where(PurchaseLine.purchase_line_id == line.purchase_line_id)
            .values(state="held", hold_until=_hold_until(line, at))
        )
        _enrol(work, line, buyer)
    work.run(
        update(Purchase)
        .where(Purchase.purchase_id == purchase)
        .values(state="settled", settled_at=at, ended_at=None)
    )
    work.announce("purchase.settled", purchase=str(purchase))


def _write_shares(work: Work, line: SoldLine, parts: Iterable[Share]) -> None:
    rows = [
        {
            "purchase_line_id": line.purchase_line_id,
            "share_no": number,
            "party_kind": part.party.value,
            "party_id": part.party_id,
            "amount_minor": part.amount.minor,
            "rate_bp": part.rate_bp,
        }
        for number, part in enumerate(parts, start=1)
    ]
    if rows:
        work.run(insert(LineShare), rows)


def _enrol(work: Work, line: SoldLine, buyer: UserId) -> None:
    opened = work.run(
        insert_or_skip(Enrolment)
        .values(
            enrolment_id=EnrolmentId(ids.fresh(work.now)),
            user_id=buyer,
            course_id=CourseId(line.course_id),
            purchase_line_id=LineId(line.purchase_line_id),
            opened_at=work.now,
        )
        .on_conflict_do_nothing()
        .returning(Enrolment.enrolment_id)
    ).first()
    if opened is None:
        work.announce("purchase.doubled", line=str(line.purchase_line_id))


def _hold_for_review(work: Work, purchase: PurchaseId, paid: PaymentState) -> None:
    work.run(
        update(Purchase).where(Purchase.purchase_id == purchase).values(state="review", ended_at=work.now)
    )
    _keep_apart(work, purchase, paid, "purchase.review")


def _keep_apart(work: Work, purchase: PurchaseId, paid: PaymentState, why: str) -> None:
    """Book money that belongs to no sale as owed back, once for each payment."""
    key = f"unapplied:{paid.payment_intent_id}"
    if book.stands(work, key=key):
        return
    fee = paid.fee or Money.zero(paid.amount.currency)
    lines: tuple[Line, ...] = without_zeros(
        (
            debit(accounts.stripe_pending(paid.amount.currency), paid.amount - fee),
            debit(accounts.stripe_fee(paid.amount.currency), fee),
            credit(accounts.unapplied_payment(paid.amount.currency), paid.amount),
        )
    )
    book.post(work, Journal("unapplied", key, "purchase", purchase, paid.paid_at or work.now, lines))
    work.audit(why, "purchase", purchase, paid_minor=paid.amount.minor, currency=paid.amount.currency)
    work.announce(why, purchase=str(purchase))
