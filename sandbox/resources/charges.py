"""Charges: one for every attempt to move money; failed, or authorised, captured and refunded."""

from sandbox import errors, faults
from sandbox.announce import announce, save
from sandbox.cards import Card, Decline
from sandbox.ids import fresh, token
from sandbox.pagination import DEFAULT_LIMIT, PAGE_CREATED, Condition, page
from sandbox.parameters import SHIPPING, Fields, clearable, metadata, text
from sandbox.resource import Call, Operation, Resource
from sandbox.resources import balance_transactions, payment_methods
from sandbox.shapes import Json, listing, merged_metadata, shipping

_AUTHORISATION_SECONDS = 7 * 24 * 3_600
_LIST: Fields = {**PAGE_CREATED, "customer": text(), "payment_intent": text(), "transfer_group": text()}
_UPDATE: Fields = {
    "customer": text(),
    "description": clearable(text()),
    "metadata": metadata(),
    "receipt_email": clearable(text()),
    "shipping": SHIPPING,
    "transfer_group": text(),
}


def attempt(call: Call, intent: Json, method: Json, decline: Decline | None, *, authenticated: bool) -> Json:
    """Charge a payment method for an intent: succeeded (captured later if the intent says so) or failed."""
    card = payment_methods.card_of(call, method["id"])
    captured = decline is None and intent["capture_method"] != "manual"
    identifier = fresh("ch")
    charge: Json = _blank(call, identifier) | {
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if captured else 0,
        "billing_details": method["billing_details"],
        "captured": captured,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(decline),
        "paid": decline is None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(call, intent, method, authenticated=authenticated),
        "receipt_email": intent["receipt_email"],
        "receipt_url": None if decline else f"{call.base_url}/receipts/{identifier}",
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "failed" if decline else "succeeded",
        "transfer_group": intent["transfer_group"],
    }
    call.store.insert(charge)
    late = faults.late_balance(call.store) if intent["capture_method"] == "automatic_async" else None
    if captured and late is not None:
        call.store.set_timer(call.now + late, "charge.settle", identifier)
    elif captured:
        charge = _settled(call, charge, card)
        call.store.replace(charge)
    announce(call, "charge.failed" if decline else "charge.succeeded", charge)
    return charge


def _blank(call: Call, identifier: str) -> Json:
    return {
        "id": identifier,
        "object": "charge",
        "amount": 0,
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": None,
        "calculated_statement_descriptor": "BURSAR SANDBOX",
        "captured": False,
        "created": call.now,
        "currency": None,
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": None,
        "payment_method": None,
        "payment_method_details": None,
        "radar_options": {},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(decline: Decline | None) -> Json:
    if decline is None:
        return _judged("approved_by_network", "authorized", "Payment complete.")
    if decline.blocked:
        blocked = _judged("not_sent_to_network", "blocked", "Stripe blocked this payment as too risky.")
        return blocked | {"reason": "highest_risk_level", "risk_level": "highest", "risk_score": 90}
    refused = _judged("declined_by_network", "issuer_declined", "The bank did not accept this payment.")
    return refused | {
        "reason": decline.decline_code,
        "advice_code": "try_again_later",
        "network_decline_code": "05",
    }


def _judged(network_status: str, kind: str, message: str) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": None,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": message,
        "type": kind,
    }


def _details(call: Call, intent: Json, method: Json, *, authenticated: bool) -> Json:
    card = method["card"]
    manual = intent["capture_method"] == "manual"
    shared = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    details: Json = {name: card[name] for name in shared} | {
        "amount_authorized": intent["amount"],
        "authorization_code": token(6).upper(),
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": token(15),
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": _three_d_secure() if authenticated else None,
        "transaction_link_id": None,
        "wallet": None,
    }
    if manual:
        details["capture_before"] = call.now + _AUTHORISATION_SECONDS
    return {"card": details, "type": "card"}


def _three_d_secure() -> Json:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": token(36),
        "version": "2.2.0",
    }


def _settled(call: Call, charge: Json, card: Card) -> Json:
    transaction = balance_transactions.of_charge(
        call, charge, charge["amount_captured"], at_once=card.bypasses_pending
    )
    return charge | {"balance_transaction": transaction["id"]}


def settle(call: Call, identifier: str) -> None:
    """Money captured asynchronously reaches the balance, later than its charge."""
    before = known(call, identifier)
    card = payment_methods.card_of(call, before["payment_method"])
    save(call, before, _settled(call, before, card), "charge.updated")


def capture(call: Call, before: Json, amount: int) -> Json:
    """Take that much of an authorised charge; the rest is released."""
    card = payment_methods.card_of(call, before["payment_method"])
    taken = before | {
        "captured": True,
        "amount_captured": amount,
        "amount_refunded": before["amount"] - amount,
    }
    return save(call, before, _settled(call, taken, card), "charge.captured")


def release(call: Call, before: Json) -> Json:
    """Give up an authorisation; nothing was taken, so no money moves."""
    after = before | {"amount_refunded": before["amount"], "refunded": True}
    return save(call, before, after, "charge.refunded")


def known(call: Call, identifier: str, *, param: str = "id") -> Json:
    """The charge of that id."""
    found = call.store.find("charge", identifier)
    if found is None:
        raise errors.no_such("charge", identifier, param=param)
    return found


def read(call: Call, _params: Json, identifier: str) -> Json:
    """One charge."""
    return known(call, identifier)


def update(call: Call, params: Json, identifier: str) -> Json:
    """Change what is written about a charge."""
    before = known(call, identifier)
    after = before | params
    if "metadata" in params:
        after["metadata"] = merged_metadata(before["metadata"], params["metadata"])
    if "shipping" in params:
        after["shipping"] = shipping(params["shipping"])
    return save(call, before, after, "charge.updated")


def listed(call: Call, params: Json) -> Json:
    """Charges, newest first."""
    condition = Condition("charge")
    condition.equals(params, "customer", "payment_intent", "transfer_group")
    return page(call.store, "/v1/charges", params, condition)


def refunds_of(call: Call, charge: Json) -> Json:
    """The list that `expand[]=refunds` adds."""
    found = call.store.objects("refund", "json_extract(body, '$.charge') = ?", (charge["id"],))
    newest, more = found[::-1][:DEFAULT_LIMIT], len(found) > DEFAULT_LIMIT
    return listing(f"/v1/charges/{charge['id']}/refunds", newest, has_more=more)


RESOURCE = Resource(
    "charge",
    (
        Operation("GET", "/v1/charges", listed, _LIST),
        Operation("GET", "/v1/charges/{charge}", read),
        Operation("POST", "/v1/charges/{charge}", update, _UPDATE),
    ),
    expandable=frozenset(
        {"balance_transaction", "customer", "failure_balance_transaction", "payment_intent", "transfer"}
    ),
    included={"refunds": refunds_of},
    timers={"charge.settle": settle},
)
