"""Events: what happened in the last thirty days, newest first."""

from sandbox import errors
from sandbox.pagination import PAGE_CREATED, Condition, page
from sandbox.parameters import Fields, boolean, many, text
from sandbox.resource import Call, Operation, Resource
from sandbox.shapes import Json

KEPT_SECONDS = 30 * 24 * 3_600
_LIST: Fields = {**PAGE_CREATED, "delivery_success": boolean(), "type": text(), "types": many(text())}
_ALL_DELIVERED = "NOT EXISTS (SELECT 1 FROM delivery WHERE event = object.id AND state != 'delivered')"
_UNDELIVERED = "SELECT count(*) AS n FROM delivery WHERE event = ? AND state IN ('pending', 'held')"


def read(call: Call, _params: Json, identifier: str) -> Json:
    """One event."""
    found = call.store.find("event", identifier)
    if found is None or found["created"] <= call.now - KEPT_SECONDS:
        raise errors.no_such("event", identifier)
    return found


def shown(call: Call, body: Json) -> Json:
    """The same with the number of endpoints that have not taken it yet."""
    return body | {"pending_webhooks": call.store.rows(_UNDELIVERED, (body["id"],))[0]["n"]}


def listed(call: Call, params: Json) -> Json:
    """Events of one type, of a group such as `charge.*`, or of any."""
    if "type" in params and "types" in params:
        raise errors.malformed("You may only specify one of these parameters: type, types.", param="types")
    condition = Condition("event")
    condition.add("created > ?", call.now - KEPT_SECONDS)
    if "type" in params:
        kind = params["type"]
        condition.add(f"json_extract(body, '$.type') {'GLOB' if '*' in kind else '='} ?", kind)
    if types := params.get("types"):
        condition.add(f"json_extract(body, '$.type') IN ({', '.join('?' * len(types))})", *types)
    if "delivery_success" in params:
        condition.add(_ALL_DELIVERED if params["delivery_success"] else f"NOT ({_ALL_DELIVERED})")
    return page(call.store, "/v1/events", params, condition)


RESOURCE = Resource(
    "event",
    (
        Operation("GET", "/v1/events", listed, _LIST),
        Operation("GET", "/v1/events/{event}", read),
    ),
    shown=shown,
)
