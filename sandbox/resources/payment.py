"""The states of a PaymentIntent.

requires_payment_method -> requires_confirmation -> (requires_action) -> succeeded or requires_capture;
a decline leads back to requires_payment_method with `last_payment_error`; canceled from any open state.
"""

from collections.abc import Set as AbstractSet

from sandbox import cards, errors
from sandbox.announce import announce, save
from sandbox.cards import Authentication, Decline
from sandbox.ids import fresh, token
from sandbox.money import smallest, written
from sandbox.resource import Call
from sandbox.resources import charges, payment_methods
from sandbox.shapes import Json

OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
_MOST = 99_999_999
_AUTHORISATION_SECONDS = 7 * 24 * 3_600


def blank(call: Call) -> Json:
    """An intent before its parameters."""
    identifier = fresh("pi")
    return {
        "id": identifier,
        "object": "payment_intent",
        "amount": 0,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{identifier}_secret_{token(25)}",
        "confirmation_method": "automatic",
        "created": call.now,
        "currency": "usd",
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": ["card"],
        "payment_record": None,
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def known(call: Call, identifier: str) -> Json:
    """The intent of that id."""
    found = call.store.find("payment_intent", identifier)
    if found is None:
        raise errors.no_such("payment_intent", identifier, param="intent")
    return found


def check_amount(amount: int, currency: str) -> None:
    """Refuse an amount below the currency's smallest charge or above Stripe's largest."""
    least = smallest(currency)
    if amount < least:
        message = f"Amount must be at least {written(least, currency)} {currency}"
        raise errors.invalid(message, param="amount", code="amount_too_small")
    if amount > _MOST:
        message = f"Amount must be no more than {written(_MOST, currency)}"
        raise errors.invalid(message, param="amount", code="amount_too_large")


def require(intent: Json, verb: str, statuses: AbstractSet[str]) -> None:
    """Refuse a transition that the intent's status does not allow."""
    if intent["status"] not in statuses:
        raise unexpected(intent, verb, statuses)


def unexpected(intent: Json, verb: str, statuses: AbstractSet[str]) -> errors.StripeError:
    """`payment_intent_unexpected_state`, with the intent as it is."""
    message = (
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. Only a "
        f"PaymentIntent with one of the following statuses may be used: {', '.join(sorted(statuses))}."
    )
    return errors.StripeError(
        400,
        "invalid_request_error",
        message,
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def confirm(call: Call, intent: Json, params: Json) -> Json:
    """Try to pay: pays, asks for authentication, or raises the card's refusal (its traces stay)."""
    method = _chosen_method(call, intent)
    card = payment_methods.card_of(call, method["id"])
    off_session = bool(params.get("off_session"))
    if call.store.private(intent["id"]).get("authenticated") == method["id"]:
        return _raised(*attempt(call, intent, method, card.decline, authenticated=True))
    if not _asks(call, intent, method, off_session=off_session):
        return _raised(*attempt(call, intent, method, card.decline))
    if off_session or params.get("error_on_requires_action"):
        return _raised(*attempt(call, intent, method, cards.AUTHENTICATION_REQUIRED))
    return ask(call, intent, params.get("return_url"))


def _chosen_method(call: Call, intent: Json) -> Json:
    if intent["payment_method"] is None:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
            "update the PaymentIntent with a payment method and then confirm it again, or confirm it again "
            "directly with a payment method or ConfirmationToken."
        )
        facts = {"code": "payment_intent_unexpected_state", "payment_intent": intent}
        raise errors.StripeError(400, "invalid_request_error", message, **facts)
    return payment_methods.of(call, intent["payment_method"], customer=intent["customer"])


def _asks(call: Call, intent: Json, method: Json, *, off_session: bool) -> bool:
    """Whether the bank, or the shop, wants the buyer to authenticate this payment."""
    if intent["payment_method_options"]["card"]["request_three_d_secure"] in {"any", "challenge"}:
        return bool(method["card"]["three_d_secure_usage"]["supported"]) and not off_session
    authentication = payment_methods.card_of(call, method["id"]).authentication
    if authentication is Authentication.UNLESS_SET_UP:
        return not call.store.private(method["id"]).get("set_up")
    if authentication is Authentication.ON_SESSION:
        return not off_session
    return authentication is Authentication.ALWAYS


def ask(call: Call, before: Json, return_url: str | None) -> Json:
    """Wait for the buyer's authentication, on a page of ours or in the shop's own."""
    if return_url is None:
        action: Json = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page_of(call, before)},
        }
    else:
        redirect = {"return_url": return_url, "url": page_of(call, before)}
        action = {"type": "redirect_to_url", "redirect_to_url": redirect}
    after = before | {"status": "requires_action", "next_action": action}
    call.store.replace(after)
    announce(call, "payment_intent.requires_action", after)
    return after


def page_of(call: Call, intent: Json) -> str:
    """Where the buyer authenticates."""
    return f"{call.base_url}/authenticate/{intent['id']}"


def authenticated(call: Call, intent: Json, *, passed: bool) -> tuple[Json, Decline | None]:
    """The buyer passed or failed the bank's question."""
    require(intent, "authenticate", {"requires_action"})
    intent = intent | {"next_action": None}
    method = payment_methods.of(call, intent["payment_method"], customer=intent["customer"])
    card = payment_methods.card_of(call, method["id"])
    if not passed:
        refusal = cards.AUTHENTICATION_FAILED
        return _refused(call, intent, method, refusal), refusal
    if intent["setup_future_usage"]:
        call.store.keep_private(method["id"], set_up=True)
    if intent["confirmation_method"] == "manual":
        after = intent | {"status": "requires_confirmation"}
        call.store.replace(after)
        call.store.keep_private(intent["id"], authenticated=method["id"])
        return after, None
    return attempt(call, intent, method, card.decline, authenticated=True)


def attempt(
    call: Call, intent: Json, method: Json, decline: Decline | None, *, authenticated: bool = False
) -> tuple[Json, Decline | None]:
    """Charge the method once; the intent after it, and the refusal if there was one."""
    charge = charges.attempt(call, intent, method, decline, authenticated=authenticated)
    if decline is not None:
        return _refused(call, intent, method, decline, charge=charge), decline
    _keep_method(call, intent, method)
    paid = intent | {"latest_charge": charge["id"], "last_payment_error": None, "next_action": None}
    paid["payment_method"] = method["id"]
    if intent["capture_method"] == "manual":
        held = paid | {"status": "requires_capture", "amount_capturable": intent["amount"]}
        call.store.set_timer(call.now + _AUTHORISATION_SECONDS, "payment_intent.expire", intent["id"])
        call.store.replace(held)
        announce(call, "payment_intent.amount_capturable_updated", held)
        return held, None
    done = paid | {"status": "succeeded", "amount_received": intent["amount"]}
    call.store.replace(done)
    announce(call, "payment_intent.succeeded", done)
    return done, None


def _keep_method(call: Call, intent: Json, method: Json) -> None:
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        attached = method | {"customer": intent["customer"]}
        save(call, method, attached, "payment_method.attached")
    else:
        payment_methods.spend(call, method)


def _refused(call: Call, intent: Json, method: Json, decline: Decline, *, charge: Json | None = None) -> Json:
    error = payment_methods.declined(
        decline, charge=charge["id"] if charge else None, payment_method=method
    ).error
    after = intent | {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": error,
        "latest_charge": charge["id"] if charge else intent["latest_charge"],
        "next_action": None,
    }
    call.store.replace(after)
    announce(call, "payment_intent.payment_failed", after)
    return after


def _raised(intent: Json, decline: Decline | None) -> Json:
    if decline is None:
        return intent
    facts = {name: value for name, value in intent["last_payment_error"].items() if name in _ERROR_FACTS}
    raise payment_methods.declined(decline, payment_intent=intent, keeps_state=True, **facts)


_ERROR_FACTS = ("charge", "payment_method")


def capture(call: Call, before: Json, amount: int) -> Json:
    """Take that much of what was authorised; the rest is released."""
    if amount > before["amount_capturable"]:
        message = (
            f"The amount to capture ({written(amount, before['currency'])}) is greater than the amount that "
            f"can be captured ({written(before['amount_capturable'], before['currency'])})."
        )
        raise errors.invalid(message, param="amount_to_capture")
    charges.capture(call, charges.known(call, before["latest_charge"]), amount)
    after = before | {"status": "succeeded", "amount_capturable": 0, "amount_received": amount}
    call.store.replace(after)
    announce(call, "payment_intent.succeeded", after)
    return after


def cancel(call: Call, before: Json, reason: str | None) -> Json:
    """Give the intent up; an authorisation is released."""
    if before["status"] == "requires_capture":
        charges.release(call, charges.known(call, before["latest_charge"]))
    after = before | {
        "status": "canceled",
        "amount_capturable": 0,
        "canceled_at": call.now,
        "cancellation_reason": reason,
        "next_action": None,
    }
    call.store.replace(after)
    announce(call, "payment_intent.canceled", after)
    return after


def expire(call: Call, identifier: str) -> None:
    """An authorisation that nobody captured within seven days is given up."""
    intent = known(call, identifier)
    if intent["status"] == "requires_capture":
        cancel(call, intent, "automatic")
