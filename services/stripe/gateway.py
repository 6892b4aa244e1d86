"""Everything that we ask of Stripe; the only importer of its SDK."""

import json
import random
import time
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Never, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID

import stripe
from stripe.checkout import Session

from services.kernel.errors import Conflict, NotFound, Unavailable
from services.kernel.money import Money
from services.stripe.facts import (
    BalanceTransaction,
    Card,
    CheckoutState,
    CheckoutStatus,
    PaymentState,
    PaymentStatus,
    RefundState,
    RefundStatus,
    StripeEvent,
)

API_VERSION = "2026-10-28.endive"

_TIMEOUT = (3, 20)  # seconds to connect, seconds to answer
_PAUSES = (0.25, 0.5, 1.0)  # seconds before asking again when told that we ask too much; the SDK does not
_PAGE = 100  # the most that one answer may hold
_WHOLE_PAYMENT = ["latest_charge.balance_transaction"]
_WHOLE_CHECKOUT = ["payment_intent.latest_charge.balance_transaction"]
_LATER = "The card processor does not answer just now. Please try again in a moment."
_STATE_REFUSALS = {
    "charge_already_refunded": "This payment has already been refunded in full.",
    "charge_disputed": "The cardholder's bank disputes this payment: it cannot be refunded as well.",
}

_T = TypeVar("_T")
_Object = TypeVar("_Object", bound=stripe.StripeObject)

stripe.enable_telemetry = False  # else the SDK writes a file in the user's folder and reports the platform


class Gateway:
    """One Stripe account, safe to share between threads.

    `base_url` is None for Stripe itself. Every request that changes something takes the idempotency key
    under which it may be repeated; the same key with other facts is a Conflict. Raises Unavailable when
    Stripe does not answer: its fact `outcome` is "unknown" when the change may have happened, so ask
    again with the same key, or look; "not_done" when it surely has not.
    """

    def __init__(self, secret_key: str, base_url: str | None) -> None:
        direct = {"no_proxy": urlsplit(base_url).hostname} if base_url else None
        self._stripe = stripe.StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": base_url.rstrip("/")} if base_url else None,
            max_network_retries=2,
            http_client=stripe.RequestsClient(timeout=_TIMEOUT, proxy=cast("Any", direct)),
        ).v1

    def open_checkout(
        self,
        *,
        subject: UUID,
        payer_email: str,
        customer: str | None,
        title: str,
        amount: Money,
        success_url: str,
        cancel_url: str,
        expires_at: datetime,
        key: str,
    ) -> CheckoutState:
        """Open a hosted page on which the payer pays an amount; it lives 30 minutes to 24 hours.

        A known customer is offered to keep the card. Keep every fact, the expiry too, with the key.
        """
        metadata = {"purchase": str(subject)}
        payer: dict[str, Any] = {"customer_email": payer_email}
        if customer is not None:
            payer = {"customer": customer, "saved_payment_method_options": {"payment_method_save": "enabled"}}
        price = {
            "currency": amount.currency.lower(),
            "unit_amount": amount.minor,
            "product_data": {"name": title},
        }
        params: Any = {
            "mode": "payment",
            "client_reference_id": str(subject),
            "line_items": [{"quantity": 1, "price_data": price}],
            "metadata": metadata,
            "payment_intent_data": {"capture_method": "automatic", "metadata": metadata},
            "success_url": success_url,
            "cancel_url": cancel_url,
            "expires_at": int(expires_at.timestamp()),
            **payer,
        }
        opened = _write(lambda: self._stripe.checkout.sessions.create(params, {"idempotency_key": key}))
        return _checkout_state(opened)

    def checkout(self, session_id: str) -> CheckoutState:
        """A hosted page and its payment as they stand now."""
        params: Any = {"expand": _WHOLE_CHECKOUT}
        return _checkout_state(_read(lambda: self._stripe.checkout.sessions.retrieve(session_id, params)))

    def expire_checkout(self, session_id: str, key: str) -> CheckoutState:
        """Close a hosted page; one that is complete or expired already stays as it is."""
        params: Any = {"expand": _WHOLE_CHECKOUT}
        try:
            return _checkout_state(
                _write(
                    lambda: self._stripe.checkout.sessions.expire(
                        session_id, params, {"idempotency_key": key}
                    )
                )
            )
        except stripe.InvalidRequestError:
            ended = self.checkout(session_id)
            if ended.status == "open":
                raise
            return ended

    def charge_card(
        self, *, subject: UUID, customer: str, card: str, amount: Money, key: str
    ) -> PaymentState:
        """Charge a saved card while its holder is away; a declined one is told as a state, not raised."""
        params: Any = {
            "amount": amount.minor,
            "currency": amount.currency.lower(),
            "customer": customer,
            "payment_method": card,
            "confirm": True,
            "off_session": True,
            "capture_method": "automatic",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {"purchase": str(subject)},
            "expand": _WHOLE_PAYMENT,
        }

        def charge() -> stripe.PaymentIntent:
            try:
                return self._stripe.payment_intents.create(params, {"idempotency_key": key})
            except stripe.CardError as declined:
                if declined.error is None or declined.error.payment_intent is None:
                    raise
                return declined.error.payment_intent

        return _payment_state(_write(charge))

    def payment(self, payment_intent_id: str) -> PaymentState:
        """A payment, its charge and its fee as they stand now."""
        params: Any = {"expand": _WHOLE_PAYMENT}
        return _payment_state(_read(lambda: self._stripe.payment_intents.retrieve(payment_intent_id, params)))

    def refund(self, *, payment_intent_id: str, amount: Money, subject: UUID, key: str) -> RefundState:
        """Give an amount of a payment back."""
        params: Any = {
            "payment_intent": payment_intent_id,
            "amount": amount.minor,
            "reason": "requested_by_customer",
            "metadata": {"refund": str(subject)},
        }
        return _refund_state(_write(lambda: self._stripe.refunds.create(params, {"idempotency_key": key})))

    def refund_state(self, refund_id: str) -> RefundState:
        """A refund as it stands now."""
        return _refund_state(_read(lambda: self._stripe.refunds.retrieve(refund_id)))

    def refunds_of(self, charge_id: str) -> list[RefundState]:
        """Every refund of a charge, newest first, those made elsewhere included."""
        return [_refund_state(refund) for refund in _all(self._stripe.refunds.list, charge=charge_id)]

    def make_customer(self, *, user: UUID, email: str, name: str, key: str) -> str:
        """Make one of our people known to Stripe; returns the customer's id there."""
        params: Any = {"email": email, "name": name, "metadata": {"user": str(user)}}
        return _write(lambda: self._stripe.customers.create(params, {"idempotency_key": key})).id

    def cards(self, customer: str) -> list[Card]:
        """The cards that a customer has kept, newest first."""
        return [
            _card(kept) for kept in _all(self._stripe.payment_methods.list, customer=customer, type="card")
        ]

    def balance_transactions(self, created_from: datetime) -> Iterator[BalanceTransaction]:
        """Every movement of our balance since an instant, newest first, fetched page by page."""
        since = {"gte": int(created_from.timestamp())}
        return map(_balance_transaction, _all(self._stripe.balance_transactions.list, created=since))

    def events(self, created_from: datetime) -> Iterator[StripeEvent]:
        """The news since an instant, newest first, fetched page by page; Stripe keeps 30 days of it."""
        since = {"gte": int(created_from.timestamp())}
        for page in _pages(self._stripe.events.list, created=since):
            yield from map(_event, cast("Any", page.last_response).data["data"])


def _read(ask: Callable[[], _T]) -> _T:
    return _asked(ask, outcome="not_done")


def _write(ask: Callable[[], _T]) -> _T:
    return _asked(ask, outcome="unknown")


def _asked(ask: Callable[[], _T], *, outcome: str) -> _T:
    for pause in (*_PAUSES, None):
        try:
            return ask()
        except stripe.StripeError as error:
            if pause is None or not isinstance(error, stripe.RateLimitError):
                _refuse(error, outcome)
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads callers, guards nothing
    raise AssertionError("unreachable: the last try answers or is refused")


def _refuse(error: stripe.StripeError, outcome: str) -> Never:
    """Say what an error of Stripe's means to us; one that is our own mistake goes on as it came."""
    seen = {"request_id": error.request_id}
    if isinstance(error, stripe.RateLimitError):
        raise Unavailable("stripe_busy", _LATER, outcome="not_done", **seen) from error
    if isinstance(error, stripe.APIConnectionError | stripe.APIError):
        raise Unavailable("stripe_unavailable", _LATER, outcome=outcome, **seen) from error
    if isinstance(error, stripe.CardError):
        code = _failure_code(error.error)
        raise Conflict("card_declined", "The card was declined.", failure_code=code, **seen) from error
    if isinstance(error, stripe.IdempotencyError):
        raise Conflict(
            "stripe_key_reused", "This was already asked of Stripe with other facts.", **seen
        ) from error
    if error.code == "resource_missing":
        raise NotFound(
            "stripe_object_missing", "Stripe does not know what this refers to.", **seen
        ) from error
    if error.code in _STATE_REFUSALS:
        raise Conflict(error.code, _STATE_REFUSALS[error.code], **seen) from error
    raise error


def _pages(
    listing: Callable[[Any], stripe.ListObject[_Object]], **filters: object
) -> Iterator[stripe.ListObject[_Object]]:
    params = {**filters, "limit": _PAGE}
    while True:
        page = _read(partial(listing, params))
        yield page
        if not page.has_more:
            return
        params = {**params, "starting_after": page.data[-1]["id"]}


def _all(listing: Callable[[Any], stripe.ListObject[_Object]], **filters: object) -> Iterator[_Object]:
    for page in _pages(listing, **filters):
        yield from page.data


def _checkout_state(session: Session) -> CheckoutState:
    intent = session.payment_intent
    return CheckoutState(
        session_id=session.id,
        status=cast("CheckoutStatus", session.status),
        url=session.url,
        subject=_subject(session, "purchase"),
        payment=_payment_state(intent) if isinstance(intent, stripe.PaymentIntent) else None,
    )


def _payment_state(intent: stripe.PaymentIntent) -> PaymentState:
    paid = intent.status == "succeeded"
    charge = intent.latest_charge if isinstance(intent.latest_charge, stripe.Charge) else None
    movement = charge.balance_transaction if charge else None
    failure = None if paid else intent.last_payment_error
    return PaymentState(
        payment_intent_id=intent.id,
        subject=_subject(intent, "purchase"),
        status=cast("PaymentStatus", intent.status),
        amount=_money(intent.amount_received if paid else intent.amount, intent.currency),
        charge_id=_id(intent.latest_charge),
        balance_transaction_id=_id(movement),
        fee=_money(movement.fee, movement.currency)
        if isinstance(movement, stripe.BalanceTransaction)
        else None,
        paid_at=_instant(charge.created) if paid and charge else None,
        failure_code=_failure_code(failure),
        failure_message=_told(failure, "message"),
        customer=_id(intent.customer),
        card=_id(intent.payment_method),
    )


def _refund_state(refund: stripe.Refund) -> RefundState:
    return RefundState(
        refund_id=refund.id,
        subject=_subject(refund, "refund"),
        payment_intent_id=_id(refund.payment_intent),
        status=cast("RefundStatus", refund.status),
        amount=_money(refund.amount, refund.currency),
        balance_transaction_id=_id(refund.balance_transaction),
        failure_reason=_told(refund, "failure_reason"),
        created_at=_instant(refund.created),
    )


def _card(kept: stripe.PaymentMethod) -> Card:
    if kept.card is None:
        raise ValueError(f"{kept.id} was listed as a card but has none")
    year, month = kept.card.exp_year, kept.card.exp_month
    expires = date(year, month, monthrange(year, month)[1])
    return Card(card_id=kept.id, brand=kept.card.brand, last4=kept.card.last4, expires=expires)


def _balance_transaction(movement: stripe.BalanceTransaction) -> BalanceTransaction:
    return BalanceTransaction(
        balance_transaction_id=movement.id,
        source_id=_id(movement.source),
        kind=movement.type,
        amount_minor=movement.amount,
        fee_minor=movement.fee,
        net_minor=movement.net,
        currency=movement.currency.upper(),
        created_at=_instant(movement.created),
        available_on=_instant(movement.available_on).date(),
        reporting_category=movement.reporting_category,
    )


def _event(event: Mapping[str, Any]) -> StripeEvent:
    return StripeEvent(
        event_id=event["id"],
        kind=event["type"],
        object_id=event["data"]["object"].get("id") or "",
        created_at=_instant(event["created"]),
        api_version=event["api_version"],
        body=json.dumps(event),
    )


def _failure_code(failure: object) -> str | None:
    """The most telling word for a failed payment: the bank's reason where it gave one."""
    return _told(failure, "decline_code") or _told(failure, "code")


def _told(said: object, field: str) -> str | None:
    """A field that Stripe leaves out when it has nothing to say."""
    return cast("str | None", getattr(said, field, None))


def _subject(said: stripe.PaymentIntent | stripe.Refund | Session, kind: str) -> UUID | None:
    """Which of our own rows an object is about; None for one that Bursar did not make."""
    try:
        return UUID(said.metadata[kind]) if said.metadata else None
    except (KeyError, ValueError):
        return None


def _id(reference: object) -> str | None:
    return reference if isinstance(reference, str) else _told(reference, "id")


def _money(minor: int, currency: str) -> Money:
    return Money(minor, currency.upper())


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
