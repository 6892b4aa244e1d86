"""Webhook endpoints: where events are sent; the signing secret is shown once, at creation."""

import re
from urllib.parse import urlsplit

from sandbox import errors
from sandbox.ids import fresh, token
from sandbox.pagination import PAGE, Condition, page
from sandbox.parameters import Fields, Parameter, boolean, choice, clearable, many, metadata, required, text
from sandbox.resource import Call, Operation, Resource
from sandbox.shapes import Json, merged_metadata
from sandbox.version import API_VERSION

_EVENT_TYPE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


def _read_url(name: str, raw: object) -> str:
    parts = urlsplit(raw) if isinstance(raw, str) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise errors.malformed(f"Invalid URL: {raw}", param=name, code="url_invalid")
    return parts.geturl()


def _read_event_type(name: str, raw: object) -> str:
    if not isinstance(raw, str) or (raw != "*" and not _EVENT_TYPE.fullmatch(raw)):
        raise errors.malformed(f"Invalid {name}: {raw} is not an event type", param=name)
    return raw


_URL = Parameter(_read_url)
_EVENTS = many(Parameter(_read_event_type))
_CREATE: Fields = {
    "api_version": choice(API_VERSION),
    "connect": boolean(),
    "description": clearable(text()),
    "enabled_events": required(_EVENTS),
    "metadata": metadata(),
    "url": required(_URL),
}
_UPDATE: Fields = {
    "description": clearable(text()),
    "disabled": boolean(),
    "enabled_events": _EVENTS,
    "metadata": metadata(),
    "url": _URL,
}


def create(call: Call, params: Json) -> Json:
    """Register an endpoint; the answer alone carries its secret."""
    secret = f"whsec_{token(32)}"
    return registered(call, params, secret) | {"secret": secret}


def registered(call: Call, params: Json, secret: str) -> Json:
    """An endpoint with a secret of the caller's choice."""
    endpoint: Json = {
        "id": fresh("we"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version"),
        "application": None,
        "created": call.now,
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata") or {}),
        "status": "enabled",
        "url": params["url"],
    }
    return call.store.insert(endpoint, private={"secret": secret, "connect": bool(params.get("connect"))})


def known(call: Call, identifier: str) -> Json:
    """The endpoint of that id."""
    found = call.store.find("webhook_endpoint", identifier)
    if found is None:
        raise errors.no_such("webhook endpoint", identifier)
    return found


def read(call: Call, _params: Json, identifier: str) -> Json:
    """One endpoint."""
    return known(call, identifier)


def update(call: Call, params: Json, identifier: str) -> Json:
    """Change an endpoint, or switch it off and on with `disabled`."""
    before = known(call, identifier)
    after = before | {
        name: params[name] for name in ("description", "enabled_events", "url") if name in params
    }
    if "disabled" in params:
        after["status"] = "disabled" if params["disabled"] else "enabled"
    if "metadata" in params:
        after["metadata"] = merged_metadata(before["metadata"], params["metadata"])
    call.store.replace(after)
    return after


def delete(call: Call, _params: Json, identifier: str) -> Json:
    """Remove an endpoint; what was not delivered to it never will be."""
    known(call, identifier)
    call.store.run("DELETE FROM delivery WHERE endpoint = ? AND state != 'delivered'", (identifier,))
    call.store.remove(identifier)
    return {"id": identifier, "object": "webhook_endpoint", "deleted": True}


def listed(call: Call, params: Json) -> Json:
    """Endpoints, newest first."""
    return page(call.store, "/v1/webhook_endpoints", params, Condition("webhook_endpoint"))


RESOURCE = Resource(
    "webhook_endpoint",
    (
        Operation("POST", "/v1/webhook_endpoints", create, _CREATE),
        Operation("GET", "/v1/webhook_endpoints", listed, PAGE),
        Operation("GET", "/v1/webhook_endpoints/{webhook_endpoint}", read),
        Operation("POST", "/v1/webhook_endpoints/{webhook_endpoint}", update, _UPDATE),
        Operation("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", delete),
    ),
)
