"""Balance transactions: the one record of money that moved; each is pending, then available."""

from sandbox import errors
from sandbox.ids import fresh
from sandbox.money import SETTLING_SECONDS, fee
from sandbox.pagination import PAGE_CREATED, Condition, page
from sandbox.parameters import Fields, currency, text
from sandbox.resource import Call, Operation, Resource
from sandbox.shapes import Json

_LIST: Fields = {**PAGE_CREATED, "currency": currency(), "payout": text(), "source": text(), "type": text()}


def _posted(call: Call, source: Json, kind: str, **facts: object) -> Json:
    amount = int(str(facts["amount"]))
    charged = int(str(facts.get("fee", 0)))
    description = "Stripe processing fees"
    detail = {"amount": charged, "application": None, "currency": source["currency"]}
    body: Json = {
        "id": fresh("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": facts.get("available_on", call.now),
        "balance_type": "payments",
        "created": call.now,
        "currency": source["currency"],
        "description": facts.get("description"),
        "exchange_rate": None,
        "fee": charged,
        "fee_details": [detail | {"description": description, "type": "stripe_fee"}] if charged else [],
        "net": amount - charged,
        "reporting_category": kind,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }
    return shown(call, call.store.insert(body))


def of_charge(call: Call, charge: Json, amount: int, *, at_once: bool) -> Json:
    """The money of a captured charge less the fee, available after two days or at once."""
    return _posted(
        call,
        charge,
        "charge",
        amount=amount,
        fee=fee(amount),
        available_on=call.now if at_once else call.now + SETTLING_SECONDS,
        description=charge["description"],
    )


def of_refund(call: Call, refund: Json, charge_transaction: Json) -> Json:
    """The money of a refund; it leaves where the charge's money is, pending or available."""
    return _posted(
        call,
        refund,
        "refund",
        amount=-refund["amount"],
        available_on=max(call.now, charge_transaction["available_on"]),
        description="REFUND FOR CHARGE",
    )


def of_failed_refund(call: Call, refund: Json, refund_transaction: Json) -> Json:
    """The money of a refund that the bank sent back."""
    return _posted(
        call,
        refund,
        "refund_failure",
        amount=refund["amount"],
        available_on=max(call.now, refund_transaction["available_on"]),
        description="REFUND FAILURE",
    )


def shown(call: Call, body: Json) -> Json:
    """The same with the status of this moment."""
    return body | {"status": "available" if body["available_on"] <= call.now else "pending"}


def read(call: Call, _params: Json, identifier: str) -> Json:
    """One balance transaction."""
    found = call.store.find("balance_transaction", identifier)
    if found is None:
        raise errors.no_such("balance_transaction", identifier)
    return found


def listed(call: Call, params: Json) -> Json:
    """Balance transactions, newest first."""
    condition = Condition("balance_transaction")
    if "payout" in params:
        transactions = call.store.private(params["payout"]).get("transactions")
        if transactions is None:
            raise errors.no_such("payout", params["payout"], param="payout")
        condition.add("id IN (SELECT value FROM json_each(?))", transactions)
    condition.equals(params, "currency", "source", "type")
    return page(call.store, "/v1/balance_transactions", params, condition)


RESOURCE = Resource(
    "balance_transaction",
    (
        Operation("GET", "/v1/balance_transactions", listed, _LIST),
        Operation("GET", "/v1/balance_transactions/{balance_transaction}", read),
        Operation("GET", "/v1/balance/history", listed, _LIST),
        Operation("GET", "/v1/balance/history/{balance_transaction}", read),
    ),
    expandable=frozenset({"source"}),
    shown=shown,
)
