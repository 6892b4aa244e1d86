"""Payment methods: cards made from test tokens, attached to a customer and detached.

A card that paid without being attached, or was detached, is spent: it can neither pay nor be attached.
"""

from sandbox import cards, errors
from sandbox.announce import save
from sandbox.cards import Card, Decline
from sandbox.ids import fresh, token
from sandbox.pagination import PAGE, Condition, page
from sandbox.parameters import BILLING_DETAILS, Fields, choice, group, integer, metadata, required, text
from sandbox.resource import Call, Operation, Resource
from sandbox.shapes import Json, billing_details, merged_metadata

_EXPIRY_MONTH = 12
_EXPIRY_YEAR = 2034
_TEST_METHOD = "pm_card_"
_REDISPLAY = choice("always", "limited", "unspecified")

CARD: Fields = {
    "token": text(),
    "number": text(),
    "exp_month": integer(),
    "exp_year": integer(),
    "cvc": text(),
}
_CREATE: Fields = {
    "type": required(choice("card")),
    "card": group(CARD),
    "billing_details": BILLING_DETAILS,
    "metadata": metadata(),
    "allow_redisplay": _REDISPLAY,
}
_UPDATE: Fields = {
    "billing_details": BILLING_DETAILS,
    "metadata": metadata(),
    "allow_redisplay": _REDISPLAY,
    "card": group({"exp_month": integer(1, 12), "exp_year": integer(1970, 2100)}),
}
_LIST: Fields = {**PAGE, "customer": text(), "type": choice("card"), "allow_redisplay": _REDISPLAY}
_LIST_OF_CUSTOMER: Fields = {**PAGE, "type": choice("card"), "allow_redisplay": _REDISPLAY}


def made(call: Call, card: Card, *, billing: Json | None = None, params: Json | None = None) -> Json:
    """A new payment method for a test card."""
    given = params or {}
    body: Json = {
        "id": fresh("pm"),
        "object": "payment_method",
        "allow_redisplay": given.get("allow_redisplay", "unspecified"),
        "billing_details": billing_details(billing),
        "card": _card(card),
        "created": call.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": merged_metadata({}, given.get("metadata") or {}),
        "type": "card",
    }
    return call.store.insert(body, private={"card": card.name})


def _card(card: Card) -> Json:
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "fail" if card.decline is cards.INCORRECT_CVC else "pass",
        },
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": _EXPIRY_MONTH,
        "exp_year": _EXPIRY_YEAR,
        "fingerprint": token(16),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.brand != "amex"},
        "wallet": None,
    }


def create(call: Call, params: Json) -> Json:
    """Make a payment method from a card token such as `tok_visa`."""
    given = params.get("card")
    if given is None:
        raise errors.missing("card")
    if "number" in given:
        message = (
            "Sending credit card numbers directly to the Stripe API is generally unsafe. To continue "
            "processing use a test token such as tok_visa, or Checkout."
        )
        raise errors.invalid(message, param="card[number]")
    if "token" not in given:
        raise errors.missing("card[token]")
    card = cards.by_token(given["token"], "tok_")
    if card is None:
        raise errors.no_such("token", given["token"], param="card[token]")
    return made(call, card, billing=params.get("billing_details"), params=params)


def of(call: Call, identifier: str, *, customer: str | None, param: str = "payment_method") -> Json:
    """The payment method that a parameter names, fit for that customer; a test token makes a new one."""
    if card := cards.by_token(identifier, _TEST_METHOD):
        return made(call, card)
    found = call.store.find("payment_method", identifier)
    if found is None:
        raise errors.no_such("PaymentMethod", identifier, param=param)
    if call.store.private(identifier).get("spent"):
        message = (
            f"The provided PaymentMethod ({identifier}) was previously used with a PaymentIntent without "
            "Customer attachment or was detached from a Customer, and may not be used again. To use a "
            "PaymentMethod multiple times, you must attach it to a Customer first."
        )
        raise errors.invalid(message, param=param)
    if found["customer"] and found["customer"] != customer:
        owner = "belongs to a Customer. Please include the Customer in the `customer` parameter."
        raise errors.invalid(f"The PaymentMethod {identifier} {owner}", param=param)
    return found


def card_of(call: Call, identifier: str) -> Card:
    """The test card behind a payment method."""
    return cards.by_name(call.store.private(identifier)["card"])


def read(call: Call, _params: Json, identifier: str) -> Json:
    """One payment method; a test token answers with a fresh one of that card."""
    if card := cards.by_token(identifier, _TEST_METHOD):
        return made(call, card)
    found = call.store.find("payment_method", identifier)
    if found is None:
        raise errors.no_such("PaymentMethod", identifier)
    return found


def update(call: Call, params: Json, identifier: str) -> Json:
    """Change the billing details, expiry or metadata of an attached payment method."""
    before = read(call, {}, identifier)
    if before["customer"] is None:
        raise errors.invalid("You must save this PaymentMethod to a customer before you can update it.")
    after = before | {name: params[name] for name in ("allow_redisplay",) if name in params}
    if "billing_details" in params:
        after["billing_details"] = billing_details(before["billing_details"] | params["billing_details"])
    if "card" in params:
        after["card"] = before["card"] | params["card"]
    if "metadata" in params:
        after["metadata"] = merged_metadata(before["metadata"], params["metadata"])
    return save(call, before, after, "payment_method.updated")


def attach(call: Call, params: Json, identifier: str) -> Json:
    """Attach to a customer; the cards that decline outright are declined here already."""
    owner = call.store.find("customer", params["customer"])
    if owner is None or owner.get("deleted"):
        raise errors.no_such("customer", params["customer"], param="customer")
    before = of(call, identifier, customer=params["customer"])
    card = card_of(call, before["id"])
    if card.decline and not card.attaches:
        raise declined(card.decline)
    if before["customer"]:
        raise errors.invalid("The payment method you provided has already been attached to a customer.")
    return save(call, before, before | {"customer": params["customer"]}, "payment_method.attached")


def detach(call: Call, _params: Json, identifier: str) -> Json:
    """Detach from its customer; it cannot be used again."""
    before = read(call, {}, identifier)
    if before["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise errors.invalid(message, param="payment_method")
    call.store.keep_private(before["id"], spent=True)
    return save(call, before, before | {"customer": None}, "payment_method.detached")


def spend(call: Call, method: Json) -> None:
    """Note that a payment method paid; unattached, it paid for the last time."""
    if method["customer"] is None:
        call.store.keep_private(method["id"], spent=True)


def of_customer(call: Call, customer: str) -> list[Json]:
    """The payment methods attached to a customer, oldest first."""
    return call.store.objects("payment_method", "json_extract(body, '$.customer') = ?", (customer,))


def listed(call: Call, params: Json) -> Json:
    """Payment methods attached to a customer, newest first."""
    if "customer" not in params:
        message = "You must provide `customer` or `customer_account` when listing payment methods."
        raise errors.malformed(message, param="customer", code="parameter_missing")
    return _page(call, params, "/v1/payment_methods")


def listed_of_customer(call: Call, params: Json, customer: str) -> Json:
    """The same list, by the customer's own address."""
    return _page(call, params | {"customer": customer}, f"/v1/customers/{customer}/payment_methods")


def read_of_customer(call: Call, _params: Json, customer: str, identifier: str) -> Json:
    """One payment method of a customer."""
    found = read(call, {}, identifier)
    if found["customer"] != customer:
        raise errors.no_such("PaymentMethod", identifier)
    return found


def _page(call: Call, params: Json, url: str) -> Json:
    if call.store.find("customer", params["customer"]) is None:
        raise errors.no_such("customer", params["customer"], param="customer")
    condition = Condition("payment_method")
    condition.equals(params, "customer", "type", "allow_redisplay")
    return page(call.store, url, params, condition)


def declined(decline: Decline, **facts: object) -> errors.StripeError:
    """A card's refusal, as an answer."""
    return errors.StripeError(
        402,
        "card_error",
        decline.message,
        code=decline.code,
        decline_code=decline.decline_code,
        **facts,
    )


RESOURCE = Resource(
    "payment_method",
    (
        Operation("POST", "/v1/payment_methods", create, _CREATE),
        Operation("GET", "/v1/payment_methods", listed, _LIST),
        Operation("GET", "/v1/payment_methods/{payment_method}", read),
        Operation("POST", "/v1/payment_methods/{payment_method}", update, _UPDATE),
        Operation(
            "POST", "/v1/payment_methods/{payment_method}/attach", attach, {"customer": required(text())}
        ),
        Operation("POST", "/v1/payment_methods/{payment_method}/detach", detach),
        Operation("GET", "/v1/customers/{customer}/payment_methods", listed_of_customer, _LIST_OF_CUSTOMER),
        Operation("GET", "/v1/customers/{customer}/payment_methods/{payment_method}", read_of_customer),
    ),
    expandable=frozenset({"customer"}),
)
