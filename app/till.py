"""The step from a quote to the processor's own payment page: one address that redirects."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

import anyio
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app import session_cookie
from app.door import said
from app.wiring import Wiring
from app.wording import markup, t
from services.identity import signin
from services.kernel.actor import Actor, system
from services.kernel.errors import Invalid, Refusal
from services.kernel.ids import CourseId, QuoteId
from services.kernel.money import Money
from services.marketplace import purchase
from services.marketplace.quote import Offer

CHECKOUT = "/checkout"
_TILL = system("till")


@dataclass(frozen=True, slots=True)
class Till:
    """Begins the purchase of a quote and sends the buyer to pay for it."""

    wiring: Wiring

    def routes(self) -> list[Route]:
        """The address of the till."""
        return [Route(CHECKOUT, self.go, methods=["GET"])]

    async def go(self, request: Request) -> Response:
        """Send the buyer to the payment page, or say why not; asking again leads to the same payment."""
        token = session_cookie.token_in(request.scope)
        buyer = await anyio.to_thread.run_sync(self._buyer, token) if token else None
        if buyer is None:
            return RedirectResponse("/login", 303)
        here = str(request.base_url).rstrip("/")
        try:
            address = await anyio.to_thread.run_sync(self._address, buyer, request.query_params, here)
        except Refusal as refusal:
            back = f'<a class="back" href="/catalogue">{t("Back to the catalogue")}</a>'
            return said(t("This purchase cannot go on"), markup(refusal.message), back, status=409)
        return RedirectResponse(address, 303, headers={"cache-control": "no-store"})

    def _buyer(self, token: str) -> Actor | None:
        with self.wiring.works.begin(_TILL) as work:
            session = signin.session_of(work, token)
        return session.actor if session else None

    def _address(self, buyer: Actor, asked: Mapping[str, str], here: str) -> str:
        wanted = _seen(asked)
        begun = purchase.begin(
            self.wiring.works,
            self.wiring.gateway,
            actor=buyer,
            quote=wanted.quote,
            amount=wanted.amount,
            key=f"quote:{wanted.quote}",
            success_url=f"{here}/my-learning",
            cancel_url=f"{here}/course?course={wanted.course}",
        )
        return begun.checkout_url or "/my-learning"


def address(offer: Offer) -> str:
    """Where the till begins the purchase of an offer, at the price that the buyer saw."""
    asked = {
        "quote": str(offer.quote_id),
        "course": str(offer.course_id),
        "amount": str(offer.total.minor),
        "currency": offer.total.currency,
    }
    return f"{CHECKOUT}?{urlencode(asked)}"


@dataclass(frozen=True, slots=True)
class _Seen:
    quote: QuoteId
    course: CourseId
    amount: Money


def _seen(asked: Mapping[str, str]) -> _Seen:
    try:
        quote, course = QuoteId(UUID(asked["quote"])), CourseId(UUID(asked["course"]))
        return _Seen(quote, course, Money(int(asked["amount"]), asked["currency"]))
    except (KeyError, ValueError):
        raise Invalid("quote", "The address names no quote: open the course and choose it again.") from None
