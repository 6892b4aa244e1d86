"""Deliveries: each event to each endpoint at least once, retried with growing pauses, in no given order.

What is to be delivered is rows in the store, so a restart resumes it. Pauses follow the real time.
"""

import asyncio
import contextlib
import json
import logging
import random
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox import faults
from sandbox.clock import wall
from sandbox.running import Sandbox
from sandbox.signature import header

_AT_ONCE = 8
_ANSWER_SECONDS = 20.0
_FAREWELL_SECONDS = 1.0
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 60.0
_KEPT_SECONDS = 3 * 24 * 3_600
_IDLE_SECONDS = 0.5
_SHUFFLED = 1_000
_SUCCESS = range(200, 300)
_DUE = "SELECT id FROM delivery WHERE state = 'pending' AND next_at <= ? ORDER BY id LIMIT ?"
_ONE = """
SELECT delivery.id, delivery.event, delivery.attempts, delivery.first_at, event.body AS body,
       json_extract(endpoint.body, '$.url') AS url, json_extract(endpoint.private, '$.secret') AS secret
FROM delivery JOIN object AS event ON event.id = delivery.event
JOIN object AS endpoint ON endpoint.id = delivery.endpoint WHERE delivery.id = ?
"""
_log = logging.getLogger("sandbox")


@dataclass(frozen=True)
class Parcel:
    """One event on its way to one endpoint."""

    id: int
    event: str
    attempts: int
    first_at: float
    body: str
    url: str
    secret: str


class Courier:
    """The background task that takes events to their endpoints."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._under_way: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then is tried again after a restart."""
        try:
            while True:
                await self._round()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _round(self) -> None:
        """Do what is due, then wait until something is stirred or a retry may have come due."""
        self._box.stirred.clear()
        try:
            self._box.run_timers()
            self._start_due()
        except Exception:  # noqa: BLE001 - the task must outlive any one failure
            _log.exception("a round of deliveries failed; the next one follows")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._box.stirred.wait(), _IDLE_SECONDS)

    def _start_due(self) -> None:
        free = _AT_ONCE - len(self._under_way)
        ordered = faults.present(self._box.store)
        if ordered["hold"] or free <= 0:
            return
        limit = _SHUFFLED if ordered["shuffle"] else 2 * _AT_ONCE
        due = [row["id"] for row in self._box.store.rows(_DUE, (wall(), limit))]
        waiting = [identifier for identifier in due if identifier not in self._under_way]
        if ordered["shuffle"]:
            random.shuffle(waiting)
        for identifier in waiting[:free]:
            if not (ordered["miss"] and self._missed(identifier)):
                self._start(identifier, times=2 if ordered["duplicate"] else 1)

    def _missed(self, identifier: int) -> bool:
        with self._box.store.transaction():
            missed = faults.take_miss(self._box.store)
            if missed:
                self._box.store.run("UPDATE delivery SET state = 'missed' WHERE id = ?", (identifier,))
        return missed

    def _start(self, identifier: int, *, times: int) -> None:
        found = self._box.store.rows(_ONE, (identifier,))
        task = asyncio.create_task(self._deliver(Parcel(*found[0]), times=times))
        self._under_way[identifier] = task
        task.add_done_callback(lambda _: self._done(identifier))

    def _done(self, identifier: int) -> None:
        self._under_way.pop(identifier, None)
        self._box.stirred.set()

    async def _deliver(self, parcel: Parcel, *, times: int) -> None:
        event = json.loads(parcel.body) | {"pending_webhooks": self._pending(parcel.event)}
        body = json.dumps(event).encode()
        status: int | None = None
        problem: str | None = None
        for _ in range(times):
            try:
                status = await asyncio.wait_for(_post(parcel.url, body, parcel.secret), _ANSWER_SECONDS)
            except (OSError, TimeoutError, ValueError) as failure:
                problem = f"{type(failure).__name__}: {failure}"
        self._record(parcel, status, problem)

    def _pending(self, event: str) -> int:
        sql = "SELECT count(*) AS n FROM delivery WHERE event = ? AND state = 'pending'"
        return int(self._box.store.rows(sql, (event,))[0]["n"])

    def _record(self, parcel: Parcel, status: int | None, problem: str | None) -> None:
        attempts = parcel.attempts + 1
        delivered = status is not None and status in _SUCCESS
        given_up = wall() - parcel.first_at > _KEPT_SECONDS
        state = "delivered" if delivered else "failed" if given_up else "pending"
        with self._box.store.transaction():
            self._box.store.run(
                "UPDATE delivery SET state = ?, attempts = ?, next_at = ?, last_status = ?, last_error = ? "
                "WHERE id = ?",
                (state, attempts, wall() + _pause(attempts), status, problem, parcel.id),
            )


def _pause(attempts: int) -> float:
    """Seconds until the next attempt: doubling, with a quarter of chance in it."""
    pause = min(_FIRST_PAUSE * 2.0 ** min(attempts, 16), _LONGEST_PAUSE)
    return pause * random.uniform(0.75, 1.25)  # noqa: S311 - a pause, not a secret


async def _post(url: str, body: bytes, secret: str) -> int:
    """Send one signed event; the status of the answer."""
    parts = urlsplit(url)
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = (
            f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Content-Type: application/json; charset=utf-8\r\n"
            f"User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\nAccept: */*\r\n"
            f"Content-Length: {len(body)}\r\nStripe-Signature: {header(body, secret, int(wall()))}\r\n"
            "Connection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        line = await reader.readline()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(), _FAREWELL_SECONDS)
        return int(line.split()[1])
    except IndexError:
        raise ValueError("the endpoint closed the connection without an answer") from None
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
