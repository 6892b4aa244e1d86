"""`/v1` over HTTP: the key, the version, faults, idempotency, one transaction, and the answer."""

import asyncio
import base64
import binascii
import hmac
import json
import logging
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from sandbox import errors, faults, forms, idempotency
from sandbox.errors import StripeError
from sandbox.faults import CallFault
from sandbox.idempotency import Kept
from sandbox.ids import fresh
from sandbox.parameters import check, many, text
from sandbox.resource import Call, Operation
from sandbox.running import Sandbox
from sandbox.shapes import Json
from sandbox.surface import expanded, operation_at, shown
from sandbox.version import API_VERSION

_LONGEST_KEY = 255
_RETRY = {429: "false", 500: "true"}
_EXPAND = many(text(200))
_log = logging.getLogger("sandbox")


@dataclass(frozen=True)
class Asked:
    """A request, read: `request` is the id that the answer carries."""

    method: str
    path: str
    params: Json
    key: str | None
    request: str


async def answer(box: Sandbox, request: Request) -> Response:
    """Answer one call of the API."""
    identifier = fresh("req")
    try:
        authorise(box, request)
        asked = await _asked(request, identifier)
        return await _guarded(box, request, asked)
    except StripeError as refusal:
        return respond(refusal.status, json.dumps(refusal.body(identifier)), identifier)


def authorise(box: Sandbox, request: Request) -> None:
    """Refuse a request without the sandbox's key, by bearer or basic authentication."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    key: str | None = given.strip() or None
    if key and scheme.lower() == "basic":
        key = _basic(key)
    if key is None or scheme.lower() not in {"bearer", "basic"}:
        raise errors.unauthorised(None)
    if not hmac.compare_digest(key.encode(), box.secret_key.encode()):
        raise errors.unauthorised(key)


def _basic(given: str) -> str | None:
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


async def _asked(request: Request, identifier: str) -> Asked:
    version = request.headers.get("stripe-version", API_VERSION)
    if version != API_VERSION:
        raise errors.malformed(
            f"Invalid Stripe API version: {version}. This sandbox speaks {API_VERSION} only."
        )
    if account := request.headers.get("stripe-account"):
        raise errors.no_access(account)
    try:
        body = (await request.body()).decode()
    except UnicodeDecodeError:
        raise errors.malformed("Invalid request: the body is not UTF-8.") from None
    raw = "&".join(part for part in (request.url.query, body) if part)
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    if key is not None and not 0 < len(key) <= _LONGEST_KEY:
        raise errors.malformed(f"Idempotency keys have 1 to {_LONGEST_KEY} characters.")
    return Asked(request.method, request.url.path, forms.decode(raw), key, identifier)


async def _guarded(box: Sandbox, request: Request, asked: Asked) -> Response:
    """One key is worked on by one request at a time."""
    if asked.key is None:
        return await _with_faults(box, request, asked)
    if asked.key in box.in_progress:
        raise errors.key_in_use(asked.key)
    box.in_progress.add(asked.key)
    try:
        return await _with_faults(box, request, asked)
    finally:
        box.in_progress.discard(asked.key)


async def _with_faults(box: Sandbox, request: Request, asked: Asked) -> Response:
    fault = _fault(box, asked)
    if fault is None:
        return perform(box, asked)
    if fault.kind == "429":
        raise errors.too_many()
    if fault.kind == "500":
        raise errors.broken()
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    response = perform(box, asked)
    if fault.kind == "lost_answer":
        request.scope["extensions"]["sandbox.abort"]()
        await request.receive()
    return response


def _fault(box: Sandbox, asked: Asked) -> CallFault | None:
    if not box.store.setting("faults"):
        return None
    with box.store.transaction():
        return faults.take_call(box.store, asked.method, asked.path)


def perform(box: Sandbox, asked: Asked) -> Response:
    """Do what was asked: state, events and the kept answer commit together or not at all."""
    box.run_timers()
    asking = idempotency.fingerprint(asked.method, asked.path, asked.params) if asked.key else ""
    if asked.key and (kept := idempotency.kept(box.store, asked.key, asking, box.clock.now())):
        replayed = respond(kept.status, kept.body, asked.request, key=asked.key)
        replayed.headers["Idempotent-Replayed"] = "true"
        replayed.headers["Original-Request"] = kept.request
        return replayed
    operation, ids = operation_at(asked.method, asked.path)
    params = dict(asked.params)
    paths = _EXPAND.read("expand", params.pop("expand", []))
    params = check(operation.fields, params)
    status, body = _executed(box, asked, asking, Work(operation, ids, params, paths))
    return respond(status, body, asked.request, key=asked.key)


@dataclass(frozen=True)
class Work:
    """What an admitted request means: the operation, its identifiers, its parameters, what to expand."""

    operation: Operation
    ids: tuple[str, ...]
    params: Json
    paths: list[str]


def _executed(box: Sandbox, asked: Asked, asking: str, work: Work) -> tuple[int, str]:
    call = box.call(request=asked.request, key=asked.key)
    try:
        with box.change():
            status, body = _attempt(call, work)
            if asked.key:
                idempotency.keep(box.store, asked.key, asking, Kept(status, body, asked.request, call.now))
            return status, body
    except StripeError as refusal:
        body = json.dumps(refusal.body(asked.request))
        if asked.key and refusal.executed:
            kept_answer = Kept(refusal.status, body, asked.request, call.now)
            with box.store.transaction():
                idempotency.keep(box.store, asked.key, asking, kept_answer)
        return refusal.status, body
    except Exception:  # noqa: BLE001 - a fault of ours is answered as Stripe answers one of its own
        _log.exception("%s %s failed", asked.method, asked.path)
        raise errors.broken() from None


def _attempt(call: Call, work: Work) -> tuple[int, str]:
    """The answer; a refusal that keeps its traces is an answer like any other."""
    try:
        body = work.operation.act(call, work.params, *work.ids)
    except StripeError as refusal:
        if not refusal.keeps_state:
            raise
        return refusal.status, json.dumps(refusal.body(call.request or ""))
    return 200, json.dumps(expanded(call, shown(call, body), work.paths))


def respond(status: int, body: str, request: str, *, key: str | None = None) -> Response:
    """A JSON answer with Stripe's headers."""
    headers = {"Request-Id": request, "Stripe-Version": API_VERSION}
    if key:
        headers["Idempotency-Key"] = key
    if status in _RETRY:
        headers["Stripe-Should-Retry"] = _RETRY[status]
    return Response(body, status, headers, media_type="application/json")
