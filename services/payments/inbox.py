"""Where Stripe calls: an event that proves its sender is stored once, and nothing else happens here."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http import HTTPStatus
from typing import Any

from services.kernel import actor
from services.kernel.errors import Invalid, Unavailable
from services.payments import arrival
from services.payments.arrival import Arrival
from services.runtime import observe
from services.runtime.work import Works

LARGEST_BODY = 1_000_000  # bytes
TOLERANCE = 300  # seconds, in both directions

_THREADS = 4  # of each endpoint; they hold that many connections at most
_log = observe.logger("inbox")
_STRIPE = actor.system("stripe")
_JSON = (b"content-type", b"application/json")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Endpoint = Callable[[Message, Receive, Send], Awaitable[None]]


def webhook(works: Works, secrets: tuple[str, ...], *, connect: bool, live: bool) -> Endpoint:
    """The ASGI endpoint to which Stripe posts the platform's events, or its connected accounts'.

    Answers 200 once the event is committed or was before, 400 to what is not a signed event of this
    mode, 405, 413 above 1 MB, and 503 while Postgres is away, so that Stripe tries again. Signatures may
    be of any of the secrets. A live endpoint for connected accounts also gets their test events: they
    are answered with 200 and dropped.
    """
    keys = [secret.encode() for secret in secrets]
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="inbox")

    def keep(event: Arrival) -> None:
        with works.begin(_STRIPE) as work:
            arrival.store(work, [event])

    async def endpoint(scope: Message, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            body = await _body(scope["method"], headers, receive)
            _prove(headers.get(b"stripe-signature", b""), body, keys, works.clock.now())
            event = arrival.read(body)
            if _belongs(event, connect=connect, live=live):
                await asyncio.get_running_loop().run_in_executor(threads, keep, event)
        except _Unwanted as unwanted:
            await _answer(send, unwanted.status, unwanted.words, *unwanted.headers)
        except Invalid as refusal:
            _log.warning("webhook.refused", reason=refusal.message, connect=connect)
            await _answer(send, HTTPStatus.BAD_REQUEST, refusal.message)
        except Unavailable as refusal:
            await _answer(send, HTTPStatus.SERVICE_UNAVAILABLE, refusal.message, (b"retry-after", b"5"))
        else:
            await _answer(send, HTTPStatus.OK, "Received.")

    return endpoint


class _Unwanted(Exception):  # noqa: N818 - an answer, not an error of ours
    """A request that is refused before anything of it is looked at."""

    def __init__(self, status: HTTPStatus, words: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = headers


async def _body(method: str, headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """The whole body of a POST, given up as soon as it is known to be too large."""
    if method != "POST":
        raise _Unwanted(HTTPStatus.METHOD_NOT_ALLOWED, "Post the event.", (b"allow", b"POST"))
    length = int(headers.get(b"content-length", b"0"))
    body = bytearray()
    more = length <= LARGEST_BODY
    while more:
        message = await receive()
        body += message.get("body", b"")
        length = max(length, len(body))
        more = message.get("more_body", False) and length <= LARGEST_BODY
    if length > LARGEST_BODY:
        raise _Unwanted(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "At most 1 MB is read.", (b"connection", b"close")
        )
    return bytes(body)


def _prove(header: bytes, body: bytes, keys: Sequence[bytes], now: datetime) -> None:
    """Raise Invalid unless the header signs this body with one of the keys, about now."""
    parts = [part.strip().partition(b"=") for part in header.split(b",")]
    stamp = next((value for name, _, value in parts if name == b"t"), b"")
    signatures = [value for name, _, value in parts if name == b"v1"]
    expected = (hmac.digest(key, stamp + b"." + body, "sha256").hex().encode() for key in keys)
    if not _any_equal(expected, signatures):
        raise Invalid("Stripe-Signature", "The signature does not fit the body and the endpoint's secret.")
    if not stamp.isdigit() or abs(now.timestamp() - int(stamp)) > TOLERANCE:
        raise Invalid("Stripe-Signature", f"The signature must be at most {TOLERANCE} s from now.")


def _any_equal(expected: Iterable[bytes], given: Sequence[bytes]) -> bool:
    return any(hmac.compare_digest(right, signature) for right in expected for signature in given)


def _belongs(event: Arrival, *, connect: bool, live: bool) -> bool:
    """Whether an event is for this endpoint to keep; raises Invalid if it must not have come here."""
    if connect != (event.account is not None):
        raise Invalid("account", "Platform events and connected accounts' events have an endpoint each.")
    if event.is_live == live:
        return True
    if connect and live:
        return False
    raise Invalid("livemode", "Test events and live events do not mix.")


async def _answer(send: Send, status: HTTPStatus, words: str, *headers: tuple[bytes, bytes]) -> None:
    body = json.dumps({"detail": words}).encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status.value, "headers": [_JSON, length, *headers]})
    await send({"type": "http.response.body", "body": body})
