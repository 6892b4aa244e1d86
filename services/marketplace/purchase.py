"""One purchase, from the buyer's word to the opened course."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from services.identity import policy
from services.identity.tables import UserAccount
from services.kernel import ids
from services.kernel.actor import Actor
from services.kernel.errors import Conflict, Invalid, NotFound
from services.kernel.ids import CourseId, LineId, PurchaseId, QuoteId, UserId
from services.kernel.money import Money
from services.marketplace import settle
from services.marketplace.quote import buyer_of, has_course
from services.marketplace.tables import Course, Purchase, PurchaseLine, Quote, RevenueRule
from services.payments import charge, customer
from services.runtime import idempotency
from services.runtime.work import Work, Works
from services.stripe.facts import CheckoutState
from services.stripe.gateway import Gateway

CHECKOUT_OPEN_FOR = timedelta(hours=1)
OPENED_WITHIN = timedelta(minutes=25)  # the processor wants 30 minutes left when a checkout is opened
GIVEN_UP_AFTER = CHECKOUT_OPEN_FOR + timedelta(days=1)
AT_ONCE = 100
REFUND_DAYS = 30


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a purchase stands, and where the buyer pays for it if anything is left to pay."""

    purchase_id: PurchaseId
    state: str
    total: Money
    checkout_url: str | None = None


@dataclass(frozen=True, slots=True)
class OpenQuote:
    """What a quote promised."""

    course_id: UUID
    currency: str
    list_minor: int
    net_minor: int
    tax_minor: int
    channel: str
    rule_id: UUID


def begin(
    works: Works,
    gateway: Gateway,
    *,
    actor: Actor,
    quote: QuoteId,
    amount: Money,
    key: str,
    success_url: str,
    cancel_url: str,
    card: str | None = None,
) -> Begun:
    """Turn a quote into a purchase: enrol at once when it is free, else charge a saved card or open Checkout.

    `amount` is what the buyer saw. The same key gives the same purchase. No transaction is open while the
    processor answers; whatever is interrupted is taken up by the same call or by the worker. Raises
    NotFound, Conflict (quote expired, owned already, card declined, ended unpaid), Invalid (amount,
    currency), Unavailable.
    """
    request = {"quote": str(quote), "amount": amount.minor, "currency": amount.currency, "card": card}
    with works.begin(actor) as work:
        policy.require(actor, policy.Permission.BUY_COURSES)
        answer = idempotency.once(
            work, key=key, request=request, then=lambda: {"purchase": str(_write(work, quote, amount))}
        )
        purchase = PurchaseId(UUID(answer["purchase"]))
        begun = stand(work, purchase=purchase)
        session = charge.session_of(work, subject=purchase) if begun.total else None
        details = _details(work, purchase)
    if begun.state == "abandoned":
        raise _ended()
    if begun.state != "pending":
        return begun
    if session:
        return _look_at(works, gateway.checkout(session), actor=actor, begun=begun)
    payer = customer.ensure(works, gateway, actor=actor, user=UserId(details.buyer_id))
    if card:
        return _charge(works, gateway, actor=actor, begun=begun, payer=payer, card=card)
    if works.clock.now() > details.begun_at + OPENED_WITHIN:
        raise _give_up(works, actor=actor, purchase=purchase)
    opened = gateway.open_checkout(
        subject=purchase,
        payer_email=details.email,
        customer=payer,
        title=details.title,
        amount=begun.total,
        success_url=success_url,
        cancel_url=cancel_url,
        expires_at=details.begun_at + CHECKOUT_OPEN_FOR,
        key=f"open:{purchase}",
    )
    with works.begin(actor) as work:
        charge.opened(work, subject=purchase, session_id=opened.session_id)
    return _look_at(works, opened, actor=actor, begun=begun)


def stand(work: Work, *, purchase: PurchaseId) -> Begun:
    """Where one of the actor's own purchases stands. Raises NotFound for anybody else's."""
    found = work.run(
        select(Purchase.state, Purchase.total_minor, Purchase.currency, Purchase.buyer_id).where(
            Purchase.purchase_id == purchase
        )
    ).one_or_none()
    if found is None or found.buyer_id != work.actor.user_id:
        raise NotFound("purchase_unknown", "There is no such purchase.", purchase=str(purchase))
    return Begun(purchase, found.state, Money(found.total_minor, found.currency))


def abandon(work: Work, *, purchase: PurchaseId, failure_code: str | None, expired: bool) -> None:
    """End a purchase that nobody paid for; one that was paid stays as it is."""
    ended = work.run(
        update(Purchase)
        .where(Purchase.purchase_id == purchase, Purchase.state == "pending")
        .values(state="abandoned", ended_at=work.now)
        .returning(Purchase.purchase_id)
    ).first()
    if ended is None:
        return
    work.run(update(PurchaseLine).where(PurchaseLine.purchase_id == purchase).values(state="void"))
    charge.fail(work, subject=purchase, failure_code=failure_code, expired=expired)
    work.audit("purchase.abandoned", "purchase", purchase, failure_code=failure_code)
    work.wake()


def abandon_stale(work: Work) -> int:
    """End the purchases whose checkout was never opened and can no longer be; gives their number.

    Should money arrive for one of them all the same, it is settled as usual.
    """
    stale = work.run(
        select(Purchase.purchase_id)
        .where(Purchase.state == "pending", Purchase.begun_at < work.now - GIVEN_UP_AFTER)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).scalars()
    gone = [PurchaseId(found) for found in stale]
    for purchase in gone:
        abandon(work, purchase=purchase, failure_code=None, expired=True)
    return len(gone)


def _charge(works: Works, gateway: Gateway, *, actor: Actor, begun: Begun, payer: str, card: str) -> Begun:
    paid = gateway.charge_card(
        subject=begun.purchase_id,
        customer=payer,
        card=card,
        amount=begun.total,
        key=f"charge:{begun.purchase_id}",
    )
    with works.begin(actor) as work:
        if paid.status == charge.SUCCEEDED:
            settle.settle(work, purchase=begun.purchase_id, paid=paid)
        else:
            abandon(work, purchase=begun.purchase_id, failure_code=paid.failure_code, expired=False)
    if paid.status != charge.SUCCEEDED:
        words = paid.failure_message or "The bank did not accept this card. Please try another one."
        raise Conflict("card_declined", words, failure_code=paid.failure_code)
    return Begun(begun.purchase_id, "settled", begun.total)


def _look_at(works: Works, checkout: CheckoutState, *, actor: Actor, begun: Begun) -> Begun:
    if checkout.status == "expired":
        raise _give_up(works, actor=actor, purchase=begun.purchase_id)
    return Begun(begun.purchase_id, begun.state, begun.total, checkout.url)


def _give_up(works: Works, *, actor: Actor, purchase: PurchaseId) -> Conflict:
    with works.begin(actor) as work:
        abandon(work, purchase=purchase, failure_code=None, expired=True)
    return _ended()


def _ended() -> Conflict:
    return Conflict("purchase_ended", "This purchase ended without a payment: open the course again.")


def _write(work: Work, quote: QuoteId, amount: Money) -> PurchaseId:
    buyer = buyer_of(work)
    work.run(select(UserAccount.user_id).where(UserAccount.user_id == buyer).with_for_update(key_share=True))
    before = work.run(
        select(Purchase.purchase_id).where(Purchase.quote_id == quote, Purchase.buyer_id == buyer)
    ).scalar_one_or_none()
    if before:
        return PurchaseId(before)
    offer = _open_quote(work, quote, buyer)
    _check_amount(offer, amount)
    course = CourseId(offer.course_id)
    if has_course(work, course=course, user=buyer):
        raise Conflict("already_enrolled", "You have this course already: open it under My learning.")
    waiting = _waiting(work, course, buyer, amount)
    if waiting:
        return waiting
    purchase = PurchaseId(ids.fresh(work.now))
    work.run(
        insert(Purchase).values(
            purchase_id=purchase,
            quote_id=quote,
            buyer_id=buyer,
            currency=offer.currency,
            total_minor=offer.net_minor + offer.tax_minor,
            channel=offer.channel,
            begun_at=work.now,
        )
    )
    work.run(
        insert(PurchaseLine).values(
            purchase_line_id=LineId(ids.fresh(work.now)),
            purchase_id=purchase,
            line_no=1,
            course_id=course,
            list_minor=offer.list_minor,
            discount_minor=offer.list_minor - offer.net_minor,
            net_minor=offer.net_minor,
            tax_minor=offer.tax_minor,
            rule_id=offer.rule_id,
            instructor_bp=select(RevenueRule.instructor_bp)
            .where(RevenueRule.rule_id == offer.rule_id)
            .scalar_subquery(),
            refund_days=REFUND_DAYS,
        )
    )
    work.audit("purchase.begun", "purchase", purchase, total_minor=amount.minor, currency=amount.currency)
    if amount:
        charge.expect(work, payer=buyer, subject_kind="purchase", subject=purchase, amount=amount)
    else:
        settle.settle_free(work, purchase=purchase)
    return purchase


def _open_quote(work: Work, quote: QuoteId, buyer: UserId) -> OpenQuote:
    found = work.run(
        select(
            Quote.course_id,
            Quote.currency,
            Quote.list_minor,
            Quote.net_minor,
            Quote.tax_minor,
            Quote.channel,
            Quote.rule_id,
            Quote.buyer_id,
            Quote.expires_at,
        ).where(Quote.quote_id == quote)
    ).one_or_none()
    if found is None or found.buyer_id != buyer:
        raise NotFound("quote_unknown", "There is no such quote: open the course to get a new one.")
    if found.expires_at <= work.now:
        raise Conflict("quote_expired", "This price was held for 30 minutes: open the course again.")
    return OpenQuote(*found[:7])


def _check_amount(offer: OpenQuote, amount: Money) -> None:
    if amount.currency != offer.currency:
        raise Invalid("currency", f"The quote is in {offer.currency}: send that currency.")
    total = offer.net_minor + offer.tax_minor
    if amount.minor != total:
        raise Invalid("amount_minor", f"The quote is for {total} minor units: send that amount.")


def _waiting(work: Work, course: CourseId, buyer: UserId, amount: Money) -> PurchaseId | None:
    found = work.run(
        select(Purchase.purchase_id, Purchase.total_minor, Purchase.currency)
        .join(PurchaseLine, PurchaseLine.purchase_id == Purchase.purchase_id)
        .where(
            Purchase.buyer_id == buyer,
            Purchase.state == "pending",
            PurchaseLine.course_id == course,
            Purchase.begun_at > work.now - CHECKOUT_OPEN_FOR,
        )
    ).one_or_none()
    if found is None:
        return None
    if Money(found.total_minor, found.currency) != amount:
        raise Conflict(
            "purchase_open", "You have an open checkout at an older price: finish it or let it expire."
        )
    return PurchaseId(found.purchase_id)


def _details(work: Work, purchase: PurchaseId) -> Row[UUID, str, datetime, str]:
    return work.run(
        select(Purchase.buyer_id, UserAccount.email, Purchase.begun_at, Course.title)
        .join(UserAccount, UserAccount.user_id == Purchase.buyer_id)
        .join(PurchaseLine, PurchaseLine.purchase_id == Purchase.purchase_id)
        .join(Course, Course.course_id == PurchaseLine.course_id)
        .where(Purchase.purchase_id == purchase)
    ).one()
