"""The whole API: which operation a request means, and how an object is answered, expanded or not."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox import errors
from sandbox.resource import Call, Operation, Resource
from sandbox.resources import (
    account,
    balance,
    balance_transactions,
    charges,
    checkout_sessions,
    customers,
    events,
    payment_intents,
    payment_methods,
    prices,
    refunds,
    webhook_endpoints,
)
from sandbox.shapes import Json

_DEEPEST = 4
RESOURCES = (
    account.RESOURCE,
    balance.RESOURCE,
    balance_transactions.RESOURCE,
    charges.RESOURCE,
    checkout_sessions.RESOURCE,
    checkout_sessions.LINE_ITEM,
    customers.RESOURCE,
    events.RESOURCE,
    payment_intents.RESOURCE,
    payment_methods.RESOURCE,
    prices.RESOURCE,
    refunds.RESOURCE,
    webhook_endpoints.RESOURCE,
)
_KINDS = {resource.kind: resource for resource in RESOURCES}
TIMERS = {action: act for resource in RESOURCES for action, act in resource.timers.items()}


def _pattern(operation: Operation) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "([^/]+)", operation.path))


def _routes(resources: Iterable[Resource]) -> dict[tuple[str, int], list[tuple[re.Pattern[str], Operation]]]:
    routes: dict[tuple[str, int], list[tuple[re.Pattern[str], Operation]]] = {}
    for resource in resources:
        for operation in resource.operations:
            key = (operation.method, operation.path.count("/"))
            routes.setdefault(key, []).append((_pattern(operation), operation))
    for candidates in routes.values():
        candidates.sort(key=lambda one: one[1].path.count("{"))
    return routes


_ROUTES = _routes(RESOURCES)


def operation_at(method: str, path: str) -> tuple[Operation, tuple[str, ...]]:
    """The operation of that method and path, with the identifiers in the path."""
    for pattern, operation in _ROUTES.get((method, path.count("/")), []):
        if found := pattern.fullmatch(path):
            return operation, found.groups()
    raise errors.no_such_route(method, path)


def shown(call: Call, body: Json) -> Json:
    """An object, or every object of a list, as it is answered now."""
    if body.get("object") in {"list", "search_result"}:
        return body | {"data": [shown(call, one) for one in body["data"]]}
    resource = _KINDS.get(body.get("object", ""))
    return resource.shown(call, body) if resource and resource.shown else body


def expanded(call: Call, body: Json, paths: list[str]) -> Json:
    """The answer with each dotted path (`data.customer`) replaced by the object that it names."""
    for path in paths:
        segments = path.split(".")
        if len(segments) - (segments[0] == "data") > _DEEPEST:
            message = f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}"
            raise errors.malformed(message, param="expand")
        body = _expand(call, body, segments, path)
    return body


def _expand(call: Call, body: Json, segments: list[str], whole: str) -> Json:
    if body.get("object") in {"list", "search_result"}:
        if segments[0] != "data":
            raise _not_expandable(whole)
        return body | {"data": [_expand(call, one, segments[1:], whole) for one in body["data"]]}
    if not segments or body.get("deleted"):
        return body
    return _expand_object(call, body, segments, whole)


def _expand_object(call: Call, body: Json, segments: list[str], whole: str) -> Json:
    resource = _KINDS.get(body.get("object", ""))
    taken = _longest(resource, segments)
    if resource is None or taken == 0:
        return _expand_inside(call, body, segments, whole)
    path, rest = segments[:taken], segments[taken:]
    if path[0] in resource.included and path[0] not in body:
        body = body | {path[0]: shown(call, resource.included[path[0]](call, body))}
    return _replaced(call, body, path, _Rest(rest, whole))


@dataclass(frozen=True)
class _Rest:
    """What is left of a path below the field that it names first, and the whole of it for errors."""

    segments: list[str]
    whole: str


def _longest(resource: Resource | None, segments: list[str]) -> int:
    """How many leading segments name an expandable field of the resource."""
    if resource is None:
        return 0
    if segments[0] in resource.included:
        return 1
    return next((n for n in range(len(segments), 0, -1) if ".".join(segments[:n]) in resource.expandable), 0)


def _expand_inside(call: Call, body: Json, segments: list[str], whole: str) -> Json:
    """Pass through a field that holds a whole object already (a line item's price)."""
    below = body.get(segments[0])
    if not isinstance(below, dict) or "object" not in below or len(segments) == 1:
        raise _not_expandable(whole)
    return body | {segments[0]: _expand(call, below, segments[1:], whole)}


def _replaced(call: Call, body: Json, path: list[str], rest: _Rest) -> Json:
    name = path[0]
    value = body.get(name)
    if value is None:
        return body
    if len(path) > 1:
        return body | {name: _replaced(call, value, path[1:], rest)}
    if isinstance(value, str):
        found = call.store.find_any(value)
        value = shown(call, found) if found else value
    if rest.segments and isinstance(value, dict):
        value = _expand(call, value, rest.segments, rest.whole)
    return body | {name: value}


def _not_expandable(path: str) -> errors.StripeError:
    return errors.malformed(f"This property cannot be expanded ({path}).", param="expand")
