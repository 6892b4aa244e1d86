"""The marketplace over HTTP: shapes in, shapes out; every decision is the verb's."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, status
from pydantic import BaseModel, Field

from services.identity.api import Caller
from services.kernel.ids import CourseId, LineId, PurchaseId, QuoteId
from services.kernel.money import Money
from services.marketplace import learn, purchase, quote, refund

router = APIRouter(prefix="/v1", tags=["marketplace"])

Key = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=200)]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class QuoteWanted(BaseModel):
    """Which course to price, in which currency."""

    course_id: UUID
    currency: CurrencyCode = "USD"


class QuoteMade(BaseModel):
    """A price in minor units, held until it expires."""

    quote_id: UUID
    course_id: UUID
    title: str
    list_minor: int
    net_minor: int
    tax_minor: int
    total_minor: int
    currency: str
    expires_at: datetime


class PurchaseWanted(BaseModel):
    """The quote to buy at, and the amount that the buyer saw."""

    quote_id: UUID
    amount_minor: Annotated[int, Field(ge=0, le=99_999_999, strict=True)]
    currency: CurrencyCode
    card: Annotated[str, Field(max_length=100)] | None = None


class PurchaseStands(BaseModel):
    """Where a purchase stands, and where it is paid."""

    purchase_id: UUID
    state: str
    total_minor: int
    currency: str
    checkout_url: str | None


class RefundWanted(BaseModel):
    """Which line goes back, and why."""

    reason: str


class RefundStands(BaseModel):
    """A refund and how far it has come."""

    refund_id: UUID
    amount_minor: int
    currency: str
    state: str


class CourseOwned(BaseModel):
    """A course that the caller bought."""

    purchase_id: UUID
    line_id: UUID
    course_id: UUID
    title: str
    paid_minor: int
    currency: str
    state: str
    refund_until: datetime | None


@router.post("/quotes", status_code=status.HTTP_201_CREATED)
def make_quote(wanted: QuoteWanted, request: Request, caller: Caller) -> QuoteMade:
    """Hold a course's price for half an hour."""
    with request.app.state.works.begin(caller) as work:
        offer = quote.make(work, course=CourseId(wanted.course_id), currency=wanted.currency)
    return QuoteMade(
        quote_id=offer.quote_id,
        course_id=offer.course_id,
        title=offer.title,
        list_minor=offer.list_price.minor,
        net_minor=offer.net.minor,
        tax_minor=offer.tax.minor,
        total_minor=offer.total.minor,
        currency=offer.total.currency,
        expires_at=offer.expires_at,
    )


@router.post("/purchases", status_code=status.HTTP_201_CREATED)
def begin_purchase(wanted: PurchaseWanted, request: Request, caller: Caller, key: Key) -> PurchaseStands:
    """Begin a purchase; the same key begins it once."""
    address = request.app.state.address
    begun = purchase.begin(
        request.app.state.works,
        request.app.state.gateway,
        actor=caller,
        quote=QuoteId(wanted.quote_id),
        amount=Money(wanted.amount_minor, wanted.currency),
        key=key,
        card=wanted.card,
        success_url=f"{address}/my-learning",
        cancel_url=f"{address}/catalogue",
    )
    return _stands(begun)


@router.get("/purchases/{purchase_id}")
def read_purchase(purchase_id: UUID, request: Request, caller: Caller) -> PurchaseStands:
    """Where one of the caller's purchases stands."""
    with request.app.state.works.begin(caller) as work:
        return _stands(purchase.stand(work, purchase=PurchaseId(purchase_id)))


@router.post("/purchase-lines/{line_id}/refund", status_code=status.HTTP_201_CREATED)
def refund_line(
    line_id: UUID, wanted: RefundWanted, request: Request, *, caller: Caller, key: Key
) -> RefundStands:
    """Give a course back; the same key refunds once."""
    given_back = refund.issue(
        request.app.state.works,
        request.app.state.gateway,
        actor=caller,
        line=LineId(line_id),
        reason=wanted.reason,
        key=key,
    )
    return RefundStands(
        refund_id=given_back.refund_id,
        amount_minor=given_back.amount.minor,
        currency=given_back.amount.currency,
        state=given_back.state,
    )


@router.get("/my-courses")
def my_courses(request: Request, caller: Caller) -> list[CourseOwned]:
    """Every course that the caller bought, newest first."""
    with request.app.state.works.begin(caller) as work:
        owned = learn.mine(work)
    return [
        CourseOwned(
            purchase_id=each.purchase_id,
            line_id=each.line_id,
            course_id=each.course_id,
            title=each.title,
            paid_minor=each.paid.minor,
            currency=each.paid.currency,
            state=each.state,
            refund_until=each.refund_until,
        )
        for each in owned
    ]


def _stands(begun: purchase.Begun) -> PurchaseStands:
    return PurchaseStands(
        purchase_id=begun.purchase_id,
        state=begun.state,
        total_minor=begun.total.minor,
        currency=begun.total.currency,
        checkout_url=begun.checkout_url,
    )
