"""Refunds: succeeded at once, pending then succeeded, or succeeded then failed, as the card decides.

The processing fee is not returned. A failed refund brings its money back to the balance.
"""

from sandbox import errors
from sandbox.announce import announce, save
from sandbox.ids import fresh
from sandbox.money import written
from sandbox.pagination import PAGE_CREATED, Condition, page
from sandbox.parameters import Fields, choice, integer, metadata, text
from sandbox.resource import Call, Operation, Resource
from sandbox.resources import balance_transactions, charges, payment_methods
from sandbox.shapes import Json, merged_metadata

_BANK_SECONDS = 5
_CREATE: Fields = {
    "amount": integer(1),
    "charge": text(),
    "metadata": metadata(),
    "payment_intent": text(),
    "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
}
_LIST: Fields = {**PAGE_CREATED, "charge": text(), "payment_intent": text()}


def create(call: Call, params: Json) -> Json:
    """Refund a charge, wholly or in part."""
    charge = _charge(call, params)
    amount = _amount(charge, params)
    card = payment_methods.card_of(call, charge["payment_method"])
    refund = _blank(call, charge, params) | {"amount": amount}
    transaction = call.store.find("balance_transaction", charge["balance_transaction"])
    if transaction is None:
        message = f"Charge {charge['id']} has not reached the balance yet. Try again later."
        raise errors.invalid(message, param="charge")
    call.store.insert(refund)
    refund["balance_transaction"] = balance_transactions.of_refund(call, refund, transaction)["id"]
    refund["status"] = "pending" if card.refund == "pends" else "succeeded"
    if card.refund == "pends":
        refund["pending_reason"] = "processing"
    call.store.replace(refund)
    if card.refund != "succeeds":
        call.store.set_timer(call.now + _BANK_SECONDS, f"refund.{card.refund}", refund["id"])
    _refunded(call, charge, amount, "charge.refunded")
    announce(call, "refund.created", refund)
    return refund


def _charge(call: Call, params: Json) -> Json:
    if "charge" in params:
        charge = charges.known(call, params["charge"], param="charge")
    elif "payment_intent" in params:
        charge = _charge_of_intent(call, params["payment_intent"])
    else:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise errors.malformed(message, code="parameter_missing", param="charge")
    if not charge["paid"] or not charge["captured"]:
        raise errors.invalid(
            f"Charge {charge['id']} is not captured, so it cannot be refunded.", param="charge"
        )
    if charge["refunded"]:
        message = f"Charge {charge['id']} has already been refunded."
        raise errors.invalid(message, code="charge_already_refunded")
    return charge


def _charge_of_intent(call: Call, identifier: str) -> Json:
    intent = call.store.find("payment_intent", identifier)
    if intent is None:
        raise errors.no_such("payment_intent", identifier, param="payment_intent")
    if intent["status"] != "succeeded":
        message = f"This PaymentIntent ({identifier}) does not have a successful charge to refund."
        raise errors.invalid(message, param="payment_intent", code="payment_intent_unexpected_state")
    return charges.known(call, intent["latest_charge"])


def _amount(charge: Json, params: Json) -> int:
    left = int(charge["amount"] - charge["amount_refunded"])
    amount = int(params.get("amount", left))
    if amount > left:
        message = (
            f"Refund amount ({written(amount, charge['currency'])}) is greater than unrefunded amount on "
            f"charge ({written(left, charge['currency'])})"
        )
        raise errors.invalid(message, param="amount")
    return amount


def _blank(call: Call, charge: Json, params: Json) -> Json:
    return {
        "id": fresh("re"),
        "object": "refund",
        "amount": 0,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": merged_metadata({}, params.get("metadata") or {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }


def _refunded(call: Call, charge: Json, amount: int, *kinds: str) -> Json:
    total = charge["amount_refunded"] + amount
    return save(
        call, charge, charge | {"amount_refunded": total, "refunded": total == charge["amount"]}, *kinds
    )


def known(call: Call, identifier: str) -> Json:
    """The refund of that id."""
    found = call.store.find("refund", identifier)
    if found is None:
        raise errors.no_such("refund", identifier)
    return found


def read(call: Call, _params: Json, identifier: str) -> Json:
    """One refund."""
    return known(call, identifier)


def update(call: Call, params: Json, identifier: str) -> Json:
    """Change a refund's metadata."""
    before = known(call, identifier)
    after = dict(before)
    if "metadata" in params:
        after["metadata"] = merged_metadata(before["metadata"], params["metadata"])
    return save(call, before, after, "refund.updated", "charge.refund.updated")


def cancel(call: Call, _params: Json, identifier: str) -> Json:
    """Card refunds cannot be cancelled."""
    refund = known(call, identifier)
    raise errors.invalid(
        f"Refund {refund['id']} cannot be canceled: only a refund that requires action can be."
    )


def succeed(call: Call, identifier: str) -> None:
    """The bank took a pending refund."""
    before = known(call, identifier)
    after = {name: value for name, value in before.items() if name != "pending_reason"}
    save(call, before, after | {"status": "succeeded"}, "refund.updated", "charge.refund.updated")


def fail(call: Call, identifier: str) -> None:
    """The bank sent a refund back: its money returns, and the charge is no longer refunded by it."""
    before = known(call, identifier)
    transaction = call.store.find("balance_transaction", before["balance_transaction"]) or {}
    returned = balance_transactions.of_failed_refund(call, before, transaction)
    after = before | {
        "status": "failed",
        "failure_reason": "expired_or_canceled_card",
        "failure_balance_transaction": returned["id"],
    }
    _refunded(call, charges.known(call, before["charge"]), -before["amount"], "charge.updated")
    save(call, before, after, "refund.failed", "refund.updated", "charge.refund.updated")


def listed(call: Call, params: Json) -> Json:
    """Refunds, newest first."""
    condition = Condition("refund")
    condition.equals(params, "charge", "payment_intent")
    return page(call.store, "/v1/refunds", params, condition)


def listed_of_charge(call: Call, params: Json, charge: str) -> Json:
    """The same list, by the charge's own address."""
    charges.known(call, charge)
    condition = Condition("refund")
    condition.equals({"charge": charge}, "charge")
    return page(call.store, f"/v1/charges/{charge}/refunds", params, condition)


RESOURCE = Resource(
    "refund",
    (
        Operation("POST", "/v1/refunds", create, _CREATE),
        Operation("GET", "/v1/refunds", listed, _LIST),
        Operation("GET", "/v1/refunds/{refund}", read),
        Operation("POST", "/v1/refunds/{refund}", update, {"metadata": metadata()}),
        Operation("POST", "/v1/refunds/{refund}/cancel", cancel),
        Operation("GET", "/v1/charges/{charge}/refunds", listed_of_charge, _LIST),
    ),
    expandable=frozenset(
        {
            "balance_transaction",
            "charge",
            "customer",
            "failure_balance_transaction",
            "payment_intent",
            "payment_method",
        }
    ),
    timers={"refund.pends": succeed, "refund.fails": fail},
)
