"""`/_control`: what no real Stripe offers: reset, the clock, faults, resending, paying as a buyer, planting.

JSON in and out, under the same key as the API.
"""

import json
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox import announce, cards, errors, faults
from sandbox.api import authorise
from sandbox.errors import StripeError
from sandbox.resources import checkout, payment, webhook_endpoints
from sandbox.running import Sandbox
from sandbox.shapes import Json

Control = Callable[[Sandbox, Json, str], Json]
_COUNTS = """
SELECT count(*) AS total, coalesce(sum(attempts), 0) AS attempts,
       coalesce(sum(state = 'pending'), 0) AS pending, coalesce(sum(state = 'delivered'), 0) AS delivered,
       coalesce(sum(state = 'failed'), 0) AS failed, coalesce(sum(state = 'missed'), 0) AS missed
FROM delivery
"""


async def answer(box: Sandbox, request: Request) -> Response:
    """Answer one control call."""
    try:
        health_only = request.url.path == "/_control/health"
        if not health_only or "authorization" in request.headers:
            authorise(box, request)
        if health_only:
            return JSONResponse(health(box))
        given = await _json(request)
        act, subject = _act(request.method, request.url.path.removeprefix("/_control/"))
        return JSONResponse(act(box, given, subject))
    except StripeError as refusal:
        return JSONResponse(refusal.body("control"), refusal.status)


async def _json(request: Request) -> Json:
    raw = await request.body()
    if not raw:
        return {}
    try:
        given = json.loads(raw)
    except ValueError:
        raise errors.malformed("The body must be JSON.") from None
    if not isinstance(given, dict):
        raise errors.malformed("The body must be a JSON object.")
    return given


def _act(method: str, path: str) -> tuple[Control, str]:
    name, _, subject = path.partition("/")
    found = _ACTS.get((method, name))
    if found is None or found[1] != bool(subject):
        raise errors.no_such_route(method, f"/_control/{path}")
    return found[0], subject


def health(box: Sandbox) -> Json:
    """That the sandbox runs, and its time."""
    return {"ok": True, "now": box.clock.now(), "frozen": box.clock.frozen_at is not None}


def reset(box: Sandbox, _given: Json, _subject: str) -> Json:
    """Forget everything; real time, no faults."""
    box.reset()
    return {"reset": True}


def clock(box: Sandbox, given: Json, _subject: str) -> Json:
    """`{"at": seconds or null}` or `{"advance": seconds}`; what falls due meanwhile is done."""
    if given.keys() not in ({"at"}, {"advance"}):
        raise errors.malformed('Give either {"at": seconds or null} or {"advance": seconds}.')
    value = next(iter(given.values()))
    if not isinstance(value, int) and not (value is None and "at" in given):
        raise errors.malformed("Seconds are a whole number.")
    box.move_clock(**given)
    return health(box)


def webhook_endpoint(box: Sandbox, given: Json, _subject: str) -> Json:
    """`{"url", "secret", "connect"}`: make or change the endpoint of that url; twice is once."""
    for name in ("url", "secret"):
        if not isinstance(given.get(name), str) or not given[name]:
            raise errors.missing(name)
    params = {"url": given["url"], "enabled_events": given.get("enabled_events", ["*"])}
    connect = bool(given.get("connect", False))
    with box.change():
        for known in box.store.objects("webhook_endpoint"):
            if known["url"] == given["url"]:
                box.store.replace(known | {"status": "enabled", "enabled_events": params["enabled_events"]})
                box.store.keep_private(known["id"], secret=given["secret"], connect=connect)
                return known
        return webhook_endpoints.registered(box.call(), params | {"connect": connect}, given["secret"])


def order_faults(box: Sandbox, given: Json, _subject: str) -> Json:
    """Put faults in force."""
    with box.change():
        return faults.order(box.store, given)


def show_faults(box: Sandbox, _given: Json, _subject: str) -> Json:
    """The faults in force."""
    return faults.present(box.store)


def clear_faults(box: Sandbox, _given: Json, _subject: str) -> Json:
    """Nothing goes wrong any more; what was held is delivered."""
    with box.change():
        faults.clear(box.store)
    return faults.present(box.store)


def deliver(box: Sandbox, _given: Json, event: str) -> Json:
    """Send an event again to every endpoint that listens to it."""
    found = box.store.find("event", event)
    if found is None:
        raise errors.no_such("event", event)
    listening = [
        endpoint
        for endpoint in box.store.objects("webhook_endpoint")
        if announce.listens(endpoint, found["type"]) and not box.store.private(endpoint["id"]).get("connect")
    ]
    with box.change():
        for endpoint in listening:
            announce.enqueue(box.call(), event, endpoint["id"])
    return {"event": event, "endpoints": len(listening)}


def deliveries(box: Sandbox, _given: Json, _subject: str) -> Json:
    """How many deliveries there are in each state."""
    return dict(box.store.rows(_COUNTS)[0])


def pay(box: Sandbox, given: Json, session: str) -> Json:
    """`{"payment_method": "pm_card_visa"}`: pay a Checkout Session as its buyer would; 402 when declined."""
    token = given.get("payment_method", "pm_card_visa")
    card = cards.by_token(token, "pm_card_")
    if card is None:
        raise errors.no_such("PaymentMethod", token, param="payment_method")
    buyer = checkout.Buyer(given.get("email", "buyer@example.com"), given.get("name", "Test Buyer"))
    box.run_timers()
    with box.change():
        outcome = checkout.pay(box.call(), session, card, buyer)
    return _outcome(outcome)


def authenticate(box: Sandbox, given: Json, intent: str) -> Json:
    """`{"passed": true}`: answer the bank's question about an intent as the buyer would."""
    with box.change():
        call = box.call()
        known = payment.known(call, intent)
        outcome = checkout.authenticated(call, known, passed=bool(given.get("passed", True)))
        after = payment.known(call, intent)
    if outcome is None:
        return {"status": after["status"], "payment_intent": intent}
    return _outcome(outcome)


def _outcome(outcome: checkout.Attempt) -> Json:
    session = outcome.session
    shown = {
        "status": session["status"],
        "payment_status": session["payment_status"],
        "session": session["id"],
    }
    shown["payment_intent"] = session["payment_intent"]
    if outcome.decline is not None:
        raise errors.StripeError(
            402,
            "card_error",
            outcome.decline.message,
            code=outcome.decline.code,
            decline_code=outcome.decline.decline_code,
        )
    return shown | {"authenticate": outcome.authenticate}


def plant(box: Sandbox, given: Json, _subject: str) -> Json:
    """`{"balance_transaction": id, "cents": 1}`: alter one stored amount, for reconciliation to find."""
    identifier, cents = given.get("balance_transaction"), given.get("cents", 1)
    found = box.store.find("balance_transaction", str(identifier))
    if found is None:
        raise errors.no_such("balance_transaction", str(identifier), param="balance_transaction")
    if not isinstance(cents, int):
        raise errors.malformed("cents must be a whole number", param="cents")
    altered = found | {"amount": found["amount"] + cents, "net": found["net"] + cents}
    with box.change():
        box.store.replace(altered)
    return altered


_ACTS: dict[tuple[str, str], tuple[Control, bool]] = {
    ("POST", "reset"): (reset, False),
    ("POST", "clock"): (clock, False),
    ("PUT", "webhook_endpoint"): (webhook_endpoint, False),
    ("POST", "faults"): (order_faults, False),
    ("GET", "faults"): (show_faults, False),
    ("DELETE", "faults"): (clear_faults, False),
    ("POST", "deliver"): (deliver, True),
    ("GET", "deliveries"): (deliveries, False),
    ("POST", "pay"): (pay, True),
    ("POST", "authenticate"): (authenticate, True),
    ("POST", "plant"): (plant, False),
}
