"""Events: a full snapshot of the object, what changed, who asked, and one delivery per endpoint."""

from sandbox.clock import wall
from sandbox.ids import fresh
from sandbox.resource import Call
from sandbox.shapes import Json
from sandbox.version import API_VERSION


def announce(call: Call, kind: str, body: Json, *, before: Json | None = None) -> Json:
    """Record that something happened; endpoints that listen get it from the delivery task."""
    data: Json = {"object": body}
    if before is not None:
        data["previous_attributes"] = changes(before, body)
    event: Json = {
        "id": fresh("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": call.now,
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": call.request, "idempotency_key": call.idempotency_key},
        "type": kind,
    }
    call.store.insert(event)
    for endpoint in call.store.objects("webhook_endpoint"):
        if listens(endpoint, kind) and not call.store.private(endpoint["id"]).get("connect"):
            enqueue(call, event["id"], endpoint["id"])
    return event


def enqueue(call: Call, event: str, endpoint: str) -> None:
    """Have an event delivered to an endpoint as soon as may be."""
    now = wall()
    call.store.run(
        "INSERT INTO delivery (event, endpoint, state, next_at, first_at) VALUES (?, ?, 'pending', ?, ?)",
        (event, endpoint, now, now),
    )


def listens(endpoint: Json, kind: str) -> bool:
    """Whether an endpoint is enabled for that type of event."""
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or kind in wanted)


def changes(before: Json, after: Json) -> Json:
    """The former values of what changed; hashes are compared key by key, lists as a whole."""
    former: Json = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        former[name] = changes(old, new) if isinstance(old, dict) and isinstance(new, dict) else old
    return former


def save(call: Call, before: Json, after: Json, *kinds: str) -> Json:
    """Write an object's new state and announce it, with what changed, as each of those types."""
    call.store.replace(after)
    for kind in kinds:
        announce(call, kind, after, before=before)
    return after
