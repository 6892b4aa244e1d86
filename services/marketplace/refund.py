"""Giving a course back inside its window: money, shares and access."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, exists, select, update
from sqlalchemy.orm import aliased

from services.identity import policy
from services.kernel.actor import Actor
from services.kernel.errors import Conflict, Invalid, NotFound
from services.kernel.ids import LineId, PurchaseId, RefundId, UserId
from services.kernel.money import Money
from services.ledger import accounts, book
from services.ledger.journal import Account, Journal, credit, debit
from services.marketplace.settle import account_of
from services.marketplace.split import Party, Share
from services.marketplace.tables import Enrolment, LineShare, Purchase, PurchaseLine
from services.payments import refund as money_back
from services.runtime import idempotency
from services.runtime.work import Work, Works
from services.stripe.facts import RefundState
from services.stripe.gateway import Gateway

REASONS = ("not_what_i_expected", "bought_by_mistake", "quality", "duplicate", "goodwill", "other")

LineRow = Row[UUID, str, int, int, datetime | None, int, UUID, str]


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A refund and how far it has come."""

    refund_id: RefundId
    amount: Money
    state: str


def issue(works: Works, gateway: Gateway, *, actor: Actor, line: LineId, reason: str, key: str) -> GivenBack:
    """Refund one whole line and end its access. The same key refunds once.

    A buyer may do it while the line's refund window is open; support at any time. Raises NotFound,
    Forbidden, Invalid (reason), Conflict (window over, refunded already, nothing paid), Unavailable.
    """
    if reason not in REASONS:
        raise Invalid("reason", f"The reason must be one of: {', '.join(REASONS)}.")
    with works.begin(actor) as work:
        request = {"line": str(line), "reason": reason}
        answer = idempotency.once(
            work, key=key, request=request, then=lambda: {"refund": str(_request(work, line, reason))}
        )
    return send(works, gateway, actor=actor, refund=RefundId(UUID(answer["refund"])))


def send(works: Works, gateway: Gateway, *, actor: Actor, refund: RefundId) -> GivenBack:
    """Ask the processor to give the money back and book its answer; asking again changes nothing."""
    with works.begin(actor) as work:
        wanted = money_back.read(work, refund)
    if wanted.state != "requested":
        return GivenBack(refund, wanted.amount, wanted.state)
    given_back = gateway.refund(
        payment_intent_id=wanted.payment_intent_id,
        amount=wanted.amount,
        subject=refund,
        key=f"refund:{refund}",
    )
    with works.begin(actor) as work:
        settle(work, refund=refund, given_back=given_back)
        return GivenBack(refund, wanted.amount, money_back.read(work, refund).state)


def settle(work: Work, *, refund: RefundId, given_back: RefundState) -> None:
    """Book what the processor said: reverse each share and end access, or put the line back as it was.

    A bank may send money back that was on its way already: then what was booked is reversed.
    """
    wanted = money_back.read(work, refund, lock=True)
    line, has_failed = wanted.purchase_line_id, given_back.status in {"failed", "canceled"}
    if wanted.state == "requested" and given_back.status == "succeeded":
        money_back.settle(work, refund=refund, given_back=given_back)
        _reverse_shares(work, refund, line, wanted.amount)
    elif wanted.state == "requested" and has_failed:
        money_back.settle(work, refund=refund, given_back=given_back)
        _put_back(work, refund, line)
    elif wanted.state == "succeeded" and has_failed:
        money_back.settle(work, refund=refund, given_back=given_back)
        _undo(work, refund, line)


def learn_of(work: Work, *, given_back: RefundState) -> None:
    """Book a refund that the processor tells us of, ours or one that was made at the processor itself.

    One made there while ours was still to be sent takes the place of ours. Raises NotFound for a payment
    that we do not know, Conflict for a part of a line.
    """
    ours = money_back.known(work, given_back)
    if ours is None:
        paid = money_back.paid_by(work, given_back.payment_intent_id)
        line = _only_line(work, PurchaseId(paid), given_back.amount)
        waiting = money_back.waiting(work, line) if given_back.status == "succeeded" else None
        ours = waiting or _write(work, _lock(work, line), line=line, reason="made_at_stripe")
    settle(work, refund=ours, given_back=given_back)


def _request(work: Work, line: LineId, reason: str) -> RefundId:
    found = _lock(work, line)
    is_own = found.buyer_id == work.actor.user_id
    permission = policy.Permission.REFUND_OWN_PURCHASES if is_own else policy.Permission.REFUND_ANY_PURCHASE
    if not is_own and not policy.allows(work.actor, permission):
        raise NotFound("line_unknown", "There is no such purchase.", line=str(line))
    policy.require(work.actor, permission)
    _check(work, found, is_own=is_own)
    refund = _write(work, found, line=line, reason=reason)
    work.announce("refund.requested", refund=str(refund))
    return refund


def _write(work: Work, found: LineRow, *, line: LineId, reason: str) -> RefundId:
    _check_first(found)
    refund = money_back.request(
        work,
        subject=found.purchase_id,
        line=line,
        amount=Money(found.net_minor + found.tax_minor, found.currency),
        reason=reason,
    )
    work.run(update(PurchaseLine).where(PurchaseLine.purchase_line_id == line).values(state="refunding"))
    work.audit("refund.requested", "refund", refund, line=str(line), reason=reason)
    return refund


def _only_line(work: Work, purchase: PurchaseId, amount: Money) -> LineId:
    line = work.run(
        select(PurchaseLine.purchase_line_id).where(
            PurchaseLine.purchase_id == purchase,
            PurchaseLine.net_minor + PurchaseLine.tax_minor == amount.minor,
        )
    ).scalars()
    found = line.first()
    if found is None:
        raise Conflict("refund_in_part", "A refund made at the processor covers only a part of a line.")
    return LineId(found)


def _check_first(found: LineRow) -> None:
    if found.state in {"refunding", "refunded"}:
        raise Conflict("refunded_already", "This purchase is refunded already.")


def _check(work: Work, found: LineRow, *, is_own: bool) -> None:
    _check_first(found)
    if found.state not in {"held", "matured"}:
        raise Conflict("not_paid", "This purchase was not paid, so there is nothing to give back.")
    if found.net_minor + found.tax_minor == 0:
        raise Conflict("nothing_paid", "This course was free, so there is nothing to give back.")
    if is_own and (found.hold_until is None or work.now >= found.hold_until):
        raise Conflict(
            "refund_window_over",
            f"The {found.refund_days} days for a refund are over. Please write to support.",
        )


def _lock(work: Work, line: LineId) -> LineRow:
    found = work.run(
        select(
            PurchaseLine.purchase_id,
            PurchaseLine.state,
            PurchaseLine.net_minor,
            PurchaseLine.tax_minor,
            PurchaseLine.hold_until,
            PurchaseLine.refund_days,
            Purchase.buyer_id,
            Purchase.currency,
        )
        .join(Purchase, Purchase.purchase_id == PurchaseLine.purchase_id)
        .where(PurchaseLine.purchase_line_id == line)
        .with_for_update(of=PurchaseLine)
    ).one_or_none()
    if found is None:
        raise NotFound("line_unknown", "There is no such purchase.", line=str(line))
    return found


def _reverse_shares(work: Work, refund: RefundId, line: LineId, amount: Money) -> None:
    found = _lock(work, line)
    is_matured = _has_matured(work, line)
    parts = work.run(
        select(LineShare.party_kind, LineShare.party_id, LineShare.amount_minor, LineShare.rate_bp)
        .where(LineShare.purchase_line_id == line)
        .order_by(LineShare.share_no)
    ).all()
    postings = [credit(accounts.stripe_pending(found.currency), amount)]
    for part in parts:
        share = Share(
            Party(part.party_kind),
            UserId(part.party_id) if part.party_id else None,
            Money(part.amount_minor, found.currency),
            part.rate_bp,
        )
        postings.append(debit(_held_in(share, is_matured=is_matured), share.amount, purchase_line=line))
    book.post(
        work, Journal("refund", f"refund:{refund}", "purchase", found.purchase_id, work.now, tuple(postings))
    )
    _end(work, refund, line, found.purchase_id)


def _held_in(share: Share, *, is_matured: bool) -> Account:
    if is_matured and share.party is Party.INSTRUCTOR and share.party_id is not None:
        return accounts.instructor_available(share.party_id, share.amount.currency)
    return account_of(share)


def _has_matured(work: Work, line: LineId) -> bool:
    return book.stands(work, key=f"mature:{line}")


def _end(work: Work, refund: RefundId, line: LineId, purchase: UUID) -> None:
    work.run(update(PurchaseLine).where(PurchaseLine.purchase_line_id == line).values(state="refunded"))
    work.run(
        update(Enrolment)
        .where(Enrolment.purchase_line_id == line, Enrolment.state == "active")
        .values(state="revoked", ended_at=work.now)
    )
    kept = exists().where(PurchaseLine.purchase_id == purchase, PurchaseLine.state != "refunded")
    work.run(
        update(Purchase)
        .where(Purchase.purchase_id == purchase, ~kept)
        .values(state="refunded", ended_at=work.now)
    )
    work.audit("refund.settled", "refund", refund, line=str(line))
    work.announce("refund.settled", refund=str(refund))


def _put_back(work: Work, refund: RefundId, line: LineId) -> None:
    before = "matured" if _has_matured(work, line) else "held"
    work.run(update(PurchaseLine).where(PurchaseLine.purchase_line_id == line).values(state=before))
    work.audit("refund.failed", "refund", refund, line=str(line))
    work.announce("refund.failed", refund=str(refund))


def _undo(work: Work, refund: RefundId, line: LineId) -> None:
    purchase = _lock(work, line).purchase_id
    book.reverse(work, book.posted(work, key=f"refund:{refund}"), kind="refund_failed")
    _put_back(work, refund, line)
    work.run(
        update(Purchase)
        .where(Purchase.purchase_id == purchase, Purchase.state == "refunded")
        .values(state="settled", ended_at=None)
    )
    meanwhile = aliased(Enrolment)
    has_it_again = exists().where(
        meanwhile.user_id == Enrolment.user_id,
        meanwhile.course_id == Enrolment.course_id,
        meanwhile.state == "active",
    )
    work.run(
        update(Enrolment)
        .where(Enrolment.purchase_line_id == line, ~has_it_again)
        .values(state="active", ended_at=None)
    )
