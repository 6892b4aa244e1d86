"""Deliveries: each event to each endpoint at least once, retried with growing pauses, in no given order.

What is to be delivered is rows in the store, so a restart resumes it. Pauses follow the real time.
"""

import asyncio
import contextlib
import json
import random
import ssl
from urllib.parse import urlsplit

from sandbox import faults
from sandbox.clock import wall
from sandbox.running import Sandbox
from sandbox.signature import header

_AT_ONCE = 8
_ANSWER_SECONDS = 20.0
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 60.0
_KEPT_SECONDS = 3 * 24 * 3_600
_IDLE_SECONDS = 0.5
_SUCCESS = range(200, 300)
_DUE = """
SELECT delivery.id, delivery.event, delivery.attempts, delivery.first_at, event.body AS body,
       endpoint.body AS endpoint, endpoint.private AS private
FROM delivery JOIN object AS event ON event.id = delivery.event
JOIN object AS endpoint ON endpoint.id = delivery.endpoint
WHERE delivery.state = 'pending' AND delivery.next_at <= ? ORDER BY delivery.id LIMIT ?
"""


class Courier:
    """The background task that takes events to their endpoints."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._under_way: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then is tried again after a restart."""
        try:
            while True:
                self._box.stirred.clear()
                self._box.run_timers()
                self._start_due()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._box.stirred.wait(), _IDLE_SECONDS)
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _start_due(self) -> None:
        ordered = faults.present(self._box.store)
        if ordered["hold"]:
            return
        limit = 1_000 if ordered["shuffle"] else 4 * _AT_ONCE
        rows = self._box.store.rows(_DUE, (wall(), limit))
        due = [dict(row) for row in rows if row["id"] not in self._under_way]
        if ordered["shuffle"]:
            random.shuffle(due)
        for delivery in due[: _AT_ONCE - len(self._under_way)]:
            self._start(delivery, twice=ordered["duplicate"])

    def _start(self, delivery: dict[str, object], *, twice: bool) -> None:
        identifier = int(str(delivery["id"]))
        with self._box.store.transaction():
            missed = faults.take_miss(self._box.store)
            if missed:
                self._box.store.run("UPDATE delivery SET state = 'missed' WHERE id = ?", (identifier,))
        if missed:
            self._box.stirred.set()
            return
        task = asyncio.create_task(self._deliver(delivery, times=2 if twice else 1))
        self._under_way[identifier] = task
        task.add_done_callback(lambda _: self._done(identifier))

    def _done(self, identifier: int) -> None:
        self._under_way.pop(identifier, None)
        self._box.stirred.set()

    async def _deliver(self, delivery: dict[str, object], *, times: int) -> None:
        endpoint = json.loads(str(delivery["endpoint"]))
        secret = json.loads(str(delivery["private"]))["secret"]
        event = json.loads(str(delivery["body"]))
        event["pending_webhooks"] = self._pending(event["id"])
        body = json.dumps(event, indent=2).encode()
        status: int | None = None
        problem: str | None = None
        for _ in range(times):
            try:
                status = await asyncio.wait_for(_post(endpoint["url"], body, secret), _ANSWER_SECONDS)
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as failure:
                problem = f"{type(failure).__name__}: {failure}"
        self._record(delivery, status, problem)

    def _pending(self, event: str) -> int:
        sql = "SELECT count(*) AS n FROM delivery WHERE event = ? AND state = 'pending'"
        return int(self._box.store.rows(sql, (event,))[0]["n"])

    def _record(self, delivery: dict[str, object], status: int | None, problem: str | None) -> None:
        attempts = int(str(delivery["attempts"])) + 1
        age = wall() - float(str(delivery["first_at"]))
        delivered = status is not None and status in _SUCCESS
        state = "delivered" if delivered else "failed" if age > _KEPT_SECONDS else "pending"
        with self._box.store.transaction():
            self._box.store.run(
                "UPDATE delivery SET state = ?, attempts = ?, next_at = ?, last_status = ?, last_error = ? "
                "WHERE id = ?",
                (state, attempts, wall() + _pause(attempts), status, problem, delivery["id"]),
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
        await reader.read()
        return int(line.split()[1])
    except IndexError:
        raise ValueError("the endpoint closed the connection without an answer") from None
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
