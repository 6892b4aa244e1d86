"""Checkout Sessions: a hosted page for one payment; open, then complete or expired.

How a session is paid is in `checkout.py`; the page itself in `sandbox/pages.py`.
"""

from urllib.parse import urlsplit

from sandbox import errors
from sandbox.ids import fresh
from sandbox.pagination import PAGE, PAGE_CREATED, Condition, page
from sandbox.parameters import (
    SHIPPING,
    Fields,
    Parameter,
    boolean,
    choice,
    clearable,
    group,
    integer,
    many,
    metadata,
    moment,
    required,
    text,
)
from sandbox.resource import Call, Operation, Resource
from sandbox.resources import checkout, customers, payment, prices
from sandbox.resources.payment_intents import CAPTURE_METHOD, METHOD_TYPES
from sandbox.shapes import Json, listing, merged_metadata

_SHORTEST_SECONDS = 30 * 60
_LONGEST_SECONDS = 24 * 3_600
_LEEWAY_SECONDS = 60
_MOST_ITEMS = 100
_LIST: Fields = {
    **PAGE_CREATED,
    "customer": text(),
    "customer_details": group({"email": required(text())}),
    "payment_intent": text(),
    "status": choice("complete", "expired", "open"),
}


def _read_url(name: str, raw: object) -> str:
    if not isinstance(raw, str) or urlsplit(raw).scheme not in {"http", "https"}:
        raise errors.malformed(f"Not a valid URL: {raw}", param=name, code="url_invalid")
    return raw


_URL = Parameter(_read_url)
_ITEM = group(
    {
        "price_data": required(group(prices.PRICE_DATA)),
        "quantity": required(integer(1, 999_999)),
        "metadata": metadata(),
    }
)
_INTENT_DATA = group(
    {
        "capture_method": CAPTURE_METHOD,
        "description": clearable(text(1_000)),
        "metadata": metadata(),
        "receipt_email": clearable(text(800)),
        "setup_future_usage": choice("off_session", "on_session"),
        "shipping": SHIPPING,
        "statement_descriptor": text(22),
        "statement_descriptor_suffix": text(22),
        "transfer_group": text(),
    }
)
_CREATE: Fields = {
    **METHOD_TYPES,
    "allow_promotion_codes": boolean(),
    "billing_address_collection": choice("auto", "required"),
    "cancel_url": _URL,
    "client_reference_id": text(200),
    "currency": text(3),
    "customer": text(),
    "customer_creation": choice("always", "if_required"),
    "customer_email": text(800),
    "expires_at": moment(),
    "line_items": many(_ITEM),
    "locale": text(8),
    "metadata": metadata(),
    "mode": required(choice("payment", "setup", "subscription")),
    "origin_context": choice("mobile_app", "web"),
    "payment_intent_data": _INTENT_DATA,
    "saved_payment_method_options": group({"payment_method_save": choice("disabled", "enabled")}),
    "submit_type": choice("auto", "book", "donate", "pay", "subscribe"),
    "success_url": _URL,
    "ui_mode": choice("elements", "embedded_page", "form", "hosted_page"),
}
_PLAIN = (
    "allowed_payment_method_types",
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_creation",
    "customer_email",
    "excluded_payment_method_types",
    "locale",
    "mode",
    "origin_context",
    "submit_type",
    "success_url",
)


def create(call: Call, params: Json) -> Json:
    """Open a session for the line items given."""
    _check(call, params)
    items = [_item(call, item, position) for position, item in enumerate(params["line_items"])]
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        message = "You must pass the same currency in all line items of a session."
        raise errors.invalid(message, param="line_items")
    total = sum(item["amount_total"] for item in items)
    if total:
        _check_total(total, items[0]["currency"])
    session = _blank(call) | {name: params[name] for name in _PLAIN if name in params}
    session |= {
        "amount_subtotal": total,
        "amount_total": total,
        "currency": items[0]["currency"],
        "expires_at": params.get("expires_at", call.now + _LONGEST_SECONDS),
        "metadata": merged_metadata({}, params.get("metadata") or {}),
        "payment_status": "unpaid" if total else "no_payment_required",
        "url": checkout.page_of(call, session["id"]),
    }
    _prefill(call, session)
    private = {"items": [item["id"] for item in items], "intent": params.get("payment_intent_data", {})}
    call.store.insert(session, private=private)
    call.store.set_timer(session["expires_at"], "checkout.session.expire", session["id"])
    return session


def _check(call: Call, params: Json) -> None:
    if params["mode"] != "payment" or params.get("ui_mode", "hosted_page") != "hosted_page":
        raise errors.invalid("This sandbox has hosted sessions of mode `payment` only, so far.", param="mode")
    for name in ("success_url", "line_items"):
        if not params.get(name):
            raise errors.missing(name)
    if len(params["line_items"]) > _MOST_ITEMS:
        raise errors.invalid(f"A session can have up to {_MOST_ITEMS} line items.", param="line_items")
    if "customer" in params and "customer_email" in params:
        message = "You may only specify one of these parameters: customer, customer_email."
        raise errors.invalid(message, param="customer_email")
    if "customer" in params and "customer_creation" in params:
        message = "`customer_creation` can only be used when `customer` is not set."
        raise errors.invalid(message, param="customer_creation")
    if "expires_at" in params:
        _check_expiry(call, params["expires_at"])


def _check_expiry(call: Call, expires_at: int) -> None:
    ahead = expires_at - call.now
    if not _SHORTEST_SECONDS - _LEEWAY_SECONDS <= ahead <= _LONGEST_SECONDS + _LEEWAY_SECONDS:
        message = (
            "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout "
            "Session creation."
        )
        raise errors.invalid(message, param="expires_at")


def _check_total(total: int, currency: str) -> None:
    try:
        payment.check_amount(total, currency)
    except errors.StripeError as refusal:
        message = "The total amount due cannot be charged: " + refusal.error["message"]
        code = refusal.error["code"]
        raise errors.invalid(message, code=code, param="line_items") from None


def _item(call: Call, given: Json, position: int) -> Json:
    price, product = prices.inline(call, given["price_data"], f"line_items[{position}][price_data]")
    total = price["unit_amount"] * given["quantity"]
    item: Json = {
        "id": fresh("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "created": call.now,
        "currency": price["currency"],
        "description": product["name"],
        "metadata": given.get("metadata") or {},
        "price": price,
        "quantity": given["quantity"],
    }
    return call.store.insert(item)


def _prefill(call: Call, session: Json) -> None:
    details = dict.fromkeys(("address", "business_name", "individual_name", "name", "phone", "tax_ids"))
    details |= {"email": session["customer_email"], "tax_exempt": "none"}
    if session["customer"]:
        customer = customers.known(call, session["customer"])
        details |= {name: customer[name] for name in ("email", "name", "phone", "address", "tax_exempt")}
        details["tax_exempt"] = details["tax_exempt"] or "none"
        details["name"] = None
    session["customer_creation"] = None if session["customer"] else session["customer_creation"]
    if details["email"]:
        session["customer_details"] = details


def _blank(call: Call) -> Json:
    nothing = (
        "after_expiration allow_promotion_codes amount_subtotal amount_total billing_address_collection "
        "cancel_url client_reference_id client_secret collected_information consent consent_collection "
        "currency currency_conversion customer customer_account customer_details customer_email "
        "integration_identifier invoice locale managed_payments optional_items origin_context payment_intent "
        "payment_link "
        "payment_method_collection payment_method_configuration_details permissions recovered_from "
        "saved_payment_method_options setup_intent shipping_address_collection shipping_cost submit_type "
        "subscription success_url wallet_options"
    )
    return dict.fromkeys(nothing.split()) | {
        "id": fresh("cs_test"),
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "branding_settings": {
            "background_color": "#ffffff",
            "border_style": "rounded",
            "button_color": "#0074d4",
            "display_name": "Bursar sandbox",
            "font_family": "default",
            "icon": None,
            "logo": None,
        },
        "created": call.now,
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        ),
        "customer_creation": "if_required",
        "discounts": [],
        "expires_at": 0,
        "invoice_creation": {"enabled": False, "invoice_data": _INVOICE_DATA},
        "livemode": False,
        "metadata": {},
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": None,
    }


_INVOICE_DATA: Json = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": None,
    "metadata": {},
    "rendering_options": None,
}


def shown(call: Call, body: Json) -> Json:
    """The same with the page's address while it is open, wherever this process listens now."""
    return body | {"url": checkout.page_of(call, body["id"]) if body["status"] == "open" else None}


def read(call: Call, _params: Json, identifier: str) -> Json:
    """One session."""
    return checkout.known(call, identifier)


def update(call: Call, params: Json, identifier: str) -> Json:
    """Change a session's metadata."""
    session = checkout.known(call, identifier)
    if "metadata" in params:
        session["metadata"] = merged_metadata(session["metadata"], params["metadata"])
    call.store.replace(session)
    return session


def expire(call: Call, _params: Json, identifier: str) -> Json:
    """Close an open session before its time."""
    session = checkout.known(call, identifier)
    if session["status"] != "open":
        message = (
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a '
            f"status of {session['status']}."
        )
        raise errors.invalid(message, param="session")
    return checkout.expired(call, session)


def listed(call: Call, params: Json) -> Json:
    """Sessions, newest first."""
    condition = Condition("checkout.session")
    condition.equals(params, "customer", "payment_intent", "status")
    if "customer_details" in params:
        condition.add(
            "json_extract(body, '$.customer_details.email') = ?", params["customer_details"]["email"]
        )
    return page(call.store, "/v1/checkout/sessions", params, condition)


def line_items(call: Call, params: Json, identifier: str) -> Json:
    """A session's line items, in the order given."""
    checkout.known(call, identifier)
    items = checkout.items_of(call, identifier)
    ids = [item["id"] for item in items]
    start = _position(ids, params, "starting_after") + 1 if "starting_after" in params else 0
    end = _position(ids, params, "ending_before") if "ending_before" in params else len(items)
    limit = params.get("limit", 10)
    window = items[start:end]
    chosen = window[-limit:] if "ending_before" in params else window[:limit]
    return listing(f"/v1/checkout/sessions/{identifier}/line_items", chosen, has_more=len(window) > limit)


def _position(ids: list[str], params: Json, cursor: str) -> int:
    if params[cursor] not in ids:
        raise errors.no_such("line item", params[cursor], param=cursor)
    return ids.index(params[cursor])


def included_items(call: Call, session: Json) -> Json:
    """The list that `expand[]=line_items` adds."""
    return line_items(call, {}, session["id"])


def item_shown(_call: Call, body: Json) -> Json:
    """A line item without the creation time that only the store needs."""
    return {name: value for name, value in body.items() if name != "created"}


LINE_ITEM = Resource("item", (), shown=item_shown)
RESOURCE = Resource(
    "checkout.session",
    (
        Operation("POST", "/v1/checkout/sessions", create, _CREATE),
        Operation("GET", "/v1/checkout/sessions", listed, _LIST),
        Operation("GET", "/v1/checkout/sessions/{session}", read),
        Operation("POST", "/v1/checkout/sessions/{session}", update, {"metadata": metadata()}),
        Operation("GET", "/v1/checkout/sessions/{session}/line_items", line_items, PAGE),
        Operation("POST", "/v1/checkout/sessions/{session}/expire", expire),
    ),
    expandable=frozenset({"customer", "payment_intent"}),
    included={"line_items": included_items},
    timers={"checkout.session.expire": checkout.expire_due},
    shown=shown,
)
