"""How a Checkout Session is paid: a buyer pays, is declined, authenticates, or lets it expire."""

from dataclasses import dataclass

from sandbox import errors
from sandbox.announce import announce
from sandbox.cards import Authentication, Card, Decline
from sandbox.resource import Call
from sandbox.resources import customers, payment, payment_methods
from sandbox.shapes import Json

_INTENT_FIELDS = (
    "capture_method description metadata receipt_email setup_future_usage shipping statement_descriptor "
    "statement_descriptor_suffix transfer_group"
)


@dataclass(frozen=True)
class Buyer:
    """What the buyer typed beside the card."""

    email: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Attempt:
    """A session after the buyer pressed Pay: complete, or what stands in the way."""

    session: Json
    decline: Decline | None = None
    authenticate: str | None = None


def page_of(call: Call, identifier: str) -> str:
    """Where the buyer pays."""
    return f"{call.base_url}/c/pay/{identifier}"


def known(call: Call, identifier: str) -> Json:
    """The session of that id."""
    found = call.store.find("checkout.session", identifier)
    if found is None:
        raise errors.no_such("checkout.session", identifier)
    return found


def items_of(call: Call, identifier: str) -> list[Json]:
    """A session's line items, in the order given."""
    found = (call.store.find("item", item) for item in call.store.private(identifier)["items"])
    return [item for item in found if item is not None]


def pay(call: Call, identifier: str, card: Card, buyer: Buyer) -> Attempt:
    """The buyer presses Pay with a card; a session that is complete already stays as it is."""
    session = known(call, identifier)
    if session["status"] == "complete":
        return Attempt(session)
    if session["status"] == "expired":
        raise errors.invalid("This Checkout Session has expired.", param="session")
    session = _with_details(session, buyer)
    if not session["amount_total"]:
        return Attempt(_completed(call, session, None))
    intent = _intent(call, session)
    session |= {"payment_intent": intent["id"]}
    call.store.replace(session)
    details = session["customer_details"]
    billing = {"email": details["email"], "name": details["name"]}
    method = payment_methods.made(call, card, billing=billing)
    return _attempted(call, session, intent | {"payment_method": method["id"]}, card)


def _attempted(call: Call, session: Json, intent: Json, card: Card) -> Attempt:
    if card.authentication is not Authentication.NEVER:
        asked = payment.ask(call, intent, page_of(call, session["id"]))
        return Attempt(session, authenticate=payment.page_of(call, asked))
    method = payment_methods.of(call, intent["payment_method"], customer=intent["customer"])
    paid, decline = payment.attempt(call, intent, method, card.decline)
    if decline is not None:
        return Attempt(session, decline=decline)
    return Attempt(_completed(call, session, paid))


def _with_details(session: Json, buyer: Buyer) -> Json:
    blank = dict.fromkeys(
        ("address", "business_name", "email", "individual_name", "name", "phone", "tax_ids")
    )
    details = blank | {"tax_exempt": "none"} | (session["customer_details"] or {})
    details["email"] = details["email"] or buyer.email
    details["name"] = buyer.name or details["name"]
    return session | {"customer_details": details}


def _intent(call: Call, session: Json) -> Json:
    """The session's intent: made at the first attempt, used again after a decline."""
    if session["payment_intent"]:
        intent = payment.known(call, session["payment_intent"])
        payment.require(intent, "confirm", payment.OPEN)
        return intent
    given = call.store.private(session["id"])["intent"]
    intent = payment.blank(call) | {name: given[name] for name in _INTENT_FIELDS.split() if given.get(name)}
    intent |= {
        "amount": session["amount_total"],
        "automatic_payment_methods": None,
        "currency": session["currency"],
        "customer": session["customer"] or _made_customer(call, session, given),
    }
    call.store.insert(intent, private={"session": session["id"]})
    announce(call, "payment_intent.created", intent)
    return intent


def _made_customer(call: Call, session: Json, given: Json) -> str | None:
    if session["customer_creation"] != "always" and not given.get("setup_future_usage"):
        return None
    details = session["customer_details"]
    return str(customers.create(call, {"email": details["email"], "name": details["name"]})["id"])


def authenticated(call: Call, intent: Json, *, passed: bool) -> Attempt | None:
    """The buyer answered the bank; None when the intent belongs to no session."""
    after, decline = payment.authenticated(call, intent, passed=passed)
    identifier = call.store.private(intent["id"]).get("session")
    if identifier is None:
        return None
    session = known(call, identifier)
    if decline is not None:
        return Attempt(session, decline=decline)
    return Attempt(_completed(call, session, after))


def _completed(call: Call, session: Json, intent: Json | None) -> Json:
    done = session | {"status": "complete", "url": None}
    if intent is not None:
        held = intent["status"] == "requires_capture"
        done |= {"customer": intent["customer"], "payment_status": "unpaid" if held else "paid"}
    call.store.replace(done)
    announce(call, "checkout.session.completed", done)
    return done


def expired(call: Call, session: Json) -> Json:
    """Close an open session unpaid, and give its intent up."""
    after = session | {"status": "expired", "url": None}
    if session["payment_intent"]:
        intent = payment.known(call, session["payment_intent"])
        if intent["status"] in payment.OPEN:
            payment.cancel(call, intent, "expired")
    call.store.replace(after)
    announce(call, "checkout.session.expired", after)
    return after


def expire_due(call: Call, identifier: str) -> None:
    """A session whose time is over closes, unless it was paid or expired before."""
    session = known(call, identifier)
    if session["status"] == "open":
        expired(call, session)
