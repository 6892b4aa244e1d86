"""PaymentIntents: the addresses and parameters; the transitions are in `payment.py`."""

from typing import Never

from sandbox import errors
from sandbox.announce import announce
from sandbox.pagination import PAGE_CREATED, Condition, page
from sandbox.parameters import (
    BILLING_DETAILS,
    SHIPPING,
    Fields,
    Parameter,
    boolean,
    choice,
    clearable,
    currency,
    group,
    integer,
    many,
    metadata,
    required,
    text,
)
from sandbox.resource import Call, Operation, Resource
from sandbox.resources import customers, payment, payment_methods
from sandbox.shapes import Json, merged_metadata, shipping


def _gone(name: str, _raw: object) -> Never:
    message = (
        f"The `{name}` parameter is no longer supported as of endive. Use `automatic_payment_methods`, "
        "`allowed_payment_method_types` or `excluded_payment_method_types` instead."
    )
    raise errors.malformed(message, param=name, code=f"{name}_no_longer_supported")


def _with_card(name: str, raw: object) -> list[str]:
    types: list[str] = many(text()).read(name, raw)
    if ("card" in types) == (name == "excluded_payment_method_types"):
        raise errors.invalid("No payment method type is left: this account takes cards only.", param=name)
    return types


METHOD_TYPES: Fields = {
    "allowed_payment_method_types": Parameter(_with_card),
    "excluded_payment_method_types": Parameter(_with_card),
    "payment_method_types": Parameter(_gone),
}
_METHOD_DATA = group(
    {
        "type": required(choice("card")),
        "billing_details": BILLING_DETAILS,
        "card": group(payment_methods.CARD),
        "metadata": metadata(),
    }
)
_CARD_OPTIONS = group({"request_three_d_secure": choice("any", "automatic", "challenge")})
_AMOUNT = integer(most=999_999_999_999)
_DESCRIPTION: Fields = {
    "description": clearable(text(1_000)),
    "metadata": metadata(),
    "receipt_email": clearable(text(800)),
    "setup_future_usage": clearable(choice("off_session", "on_session")),
    "shipping": clearable(SHIPPING),
    "statement_descriptor": text(22),
    "statement_descriptor_suffix": text(22),
    "transfer_group": text(),
}
_METHOD: Fields = {
    "payment_method": text(),
    "payment_method_data": _METHOD_DATA,
    "payment_method_options": group({"card": _CARD_OPTIONS}),
    **METHOD_TYPES,
}
_CONFIRM: Fields = {
    **_METHOD,
    "error_on_requires_action": boolean(),
    "off_session": boolean(),
    "receipt_email": clearable(text(800)),
    "return_url": text(),
    "setup_future_usage": clearable(choice("off_session", "on_session")),
    "shipping": clearable(SHIPPING),
    "use_stripe_sdk": boolean(),
}
CAPTURE_METHOD = choice("automatic", "automatic_async", "manual")
_AUTOMATIC = group({"enabled": required(boolean()), "allow_redirects": choice("always", "never")})
_CREATE: Fields = {
    **_DESCRIPTION,
    **_CONFIRM,
    "amount": required(_AMOUNT),
    "automatic_payment_methods": _AUTOMATIC,
    "capture_method": CAPTURE_METHOD,
    "confirm": boolean(),
    "confirmation_method": choice("automatic", "manual"),
    "currency": required(currency()),
    "customer": text(),
}
_UPDATE: Fields = {
    **_DESCRIPTION,
    **_METHOD,
    "amount": _AMOUNT,
    "capture_method": CAPTURE_METHOD,
    "currency": currency(),
    "customer": text(),
}
_CAPTURE: Fields = {
    "amount_to_capture": integer(1),
    "final_capture": boolean(),
    "metadata": metadata(),
    "statement_descriptor": text(22),
    "statement_descriptor_suffix": text(22),
}
_CANCEL: Fields = {
    "cancellation_reason": choice("abandoned", "duplicate", "fraudulent", "requested_by_customer")
}
_PLAIN = (
    "allowed_payment_method_types",
    "amount",
    "automatic_payment_methods",
    "capture_method",
    "confirmation_method",
    "currency",
    "customer",
    "description",
    "excluded_payment_method_types",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def create(call: Call, params: Json) -> Json:
    """Make an intent, and confirm it at once with `confirm`."""
    for name in ("return_url", "off_session", "error_on_requires_action"):
        if name in params and not params.get("confirm"):
            message = f"You cannot set `{name}` when creating a PaymentIntent without `confirm=true`."
            raise errors.invalid(message, param=name)
    intent = call.store.insert(_changed(call, payment.blank(call), params))
    announce(call, "payment_intent.created", intent)
    return payment.confirm(call, intent, params) if params.get("confirm") else intent


def _changed(call: Call, intent: Json, params: Json) -> Json:
    after = intent | {name: params[name] for name in _PLAIN if name in params}
    if "amount" in params or "currency" in params:
        payment.check_amount(after["amount"], after["currency"])
    if "customer" in params:
        customers.known(call, params["customer"])
    if "metadata" in params:
        after["metadata"] = merged_metadata(intent["metadata"], params["metadata"])
    if "shipping" in params:
        after["shipping"] = shipping(params["shipping"])
    if options := params.get("payment_method_options", {}).get("card"):
        after["payment_method_options"] = {"card": intent["payment_method_options"]["card"] | options}
    return _with_method(call, after, params)


def _with_method(call: Call, intent: Json, params: Json) -> Json:
    method = _method(call, intent, params)
    if method is None:
        return intent
    status = intent["status"]
    chosen = {"payment_method": method["id"]}
    if status in {"requires_payment_method", "requires_action"}:
        chosen |= {"status": "requires_confirmation", "next_action": None}
    return intent | chosen


def _method(call: Call, intent: Json, params: Json) -> Json | None:
    if "payment_method" in params:
        return payment_methods.of(call, params["payment_method"], customer=intent["customer"])
    if "payment_method_data" in params:
        return payment_methods.create(call, params["payment_method_data"])
    return None


def read(call: Call, _params: Json, identifier: str) -> Json:
    """One intent."""
    return payment.known(call, identifier)


def update(call: Call, params: Json, identifier: str) -> Json:
    """Change an intent that has not been paid or cancelled."""
    before = payment.known(call, identifier)
    payment.require(before, "update", payment.OPEN | {"requires_capture"})
    if before["status"] == "requires_capture" and ("amount" in params or "currency" in params):
        raise payment.unexpected(before, "update the amount of", payment.OPEN)
    after = _changed(call, before, params)
    call.store.replace(after)
    return after


def confirm(call: Call, params: Json, identifier: str) -> Json:
    """Try to pay an intent."""
    before = payment.known(call, identifier)
    payment.require(before, "confirm", payment.OPEN)
    intent = _changed(call, before, params)
    call.store.replace(intent)
    return payment.confirm(call, intent, params)


def capture(call: Call, params: Json, identifier: str) -> Json:
    """Take the money of an authorised intent, wholly or in part."""
    before = payment.known(call, identifier)
    payment.require(before, "capture", {"requires_capture"})
    if "metadata" in params:
        before = before | {"metadata": merged_metadata(before["metadata"], params["metadata"])}
    return payment.capture(call, before, params.get("amount_to_capture") or before["amount_capturable"])


def cancel(call: Call, params: Json, identifier: str) -> Json:
    """Give an intent up; an authorisation is released."""
    before = payment.known(call, identifier)
    payment.require(before, "cancel", payment.OPEN | {"requires_capture"})
    return payment.cancel(call, before, params.get("cancellation_reason"))


def listed(call: Call, params: Json) -> Json:
    """Intents, newest first."""
    condition = Condition("payment_intent")
    condition.equals(params, "customer")
    return page(call.store, "/v1/payment_intents", params, condition)


RESOURCE = Resource(
    "payment_intent",
    (
        Operation("POST", "/v1/payment_intents", create, _CREATE),
        Operation("GET", "/v1/payment_intents", listed, {**PAGE_CREATED, "customer": text()}),
        Operation("GET", "/v1/payment_intents/{intent}", read, {"client_secret": text()}),
        Operation("POST", "/v1/payment_intents/{intent}", update, _UPDATE),
        Operation("POST", "/v1/payment_intents/{intent}/confirm", confirm, _CONFIRM),
        Operation("POST", "/v1/payment_intents/{intent}/capture", capture, _CAPTURE),
        Operation("POST", "/v1/payment_intents/{intent}/cancel", cancel, _CANCEL),
    ),
    expandable=frozenset({"customer", "latest_charge", "payment_method", "review"}),
    timers={"payment_intent.expire": payment.expire},
)
