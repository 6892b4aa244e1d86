"""The running sandbox: its state, its clock, and the one way to change them."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sandbox import idempotency
from sandbox.clock import Clock
from sandbox.ids import fresh
from sandbox.resource import Call
from sandbox.resources.events import KEPT_SECONDS
from sandbox.store import Store
from sandbox.surface import TIMERS

_log = logging.getLogger("sandbox")


@dataclass
class Sandbox:
    """State, clock and address of one sandbox; `stirred` is set when a delivery may be due."""

    store: Store
    clock: Clock
    base_url: str
    secret_key: str
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    in_progress: set[str] = field(default_factory=set)

    @classmethod
    def opened(cls, store: Store, *, base_url: str, secret_key: str) -> "Sandbox":
        """A sandbox on a store, with the clock as it was left."""
        with store.transaction():
            frozen_at = store.setting("frozen_at")
        box = cls(store, Clock(frozen_at), base_url, secret_key)
        box.begin()
        return box

    def begin(self) -> None:
        """Give a fresh store its account."""
        with self.store.transaction():
            if self.store.setting("account") is None:
                self.store.remember("account", fresh("acct"))
                self.store.remember("began", self.clock.now())

    def call(self, *, request: str | None = None, key: str | None = None, now: int | None = None) -> Call:
        """What a resource sees of one request."""
        at = self.clock.now() if now is None else now
        return Call(self.store, at, self.base_url, self.store.setting("account"), request, key)

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction; the delivery task is woken when it has committed."""
        with self.store.transaction():
            yield
        self.stirred.set()

    def run_timers(self) -> int:
        """Do everything that is due, in time order, each in its own transaction; returns how many."""
        done = 0
        while due := self._next_due():
            identifier, at, action, subject = due
            try:
                with self.change():
                    self._drop_timer(identifier)
                    TIMERS[action](self.call(now=at), subject)
            except Exception:  # noqa: BLE001 - one broken timer must not stop all the others
                _log.exception("%s of %s failed and is dropped", action, subject)
                with self.store.transaction():
                    self._drop_timer(identifier)
            done += 1
        return done

    def _drop_timer(self, identifier: int) -> None:
        self.store.run("DELETE FROM timer WHERE id = ?", (identifier,))

    def _next_due(self) -> tuple[int, int, str, str] | None:
        sql = "SELECT id, due, action, subject FROM timer WHERE due <= ? ORDER BY due, id LIMIT 1"
        found = self.store.rows(sql, (self.clock.now(),))
        return tuple(found[0]) if found else None

    def move_clock(self, *, at: int | None = None, advance: int | None = None) -> None:
        """Freeze at a second, let time run again (neither given), or advance; then do what fell due."""
        if advance is not None:
            self.clock.advance(advance)
        else:
            self.clock.freeze(at)
        with self.store.transaction():
            self.store.remember("frozen_at", self.clock.frozen_at)
        self.run_timers()
        self.prune()

    def prune(self) -> None:
        """Forget answers older than a day and events older than thirty days."""
        now = self.clock.now()
        with self.store.transaction():
            idempotency.prune(self.store, now)
            dropped = self.store.run(
                "DELETE FROM object WHERE kind = 'event' AND created <= ? AND NOT EXISTS "
                "(SELECT 1 FROM delivery WHERE event = object.id AND state IN ('pending', 'held'))",
                (now - KEPT_SECONDS,),
            )
            if dropped:
                self.store.run("DELETE FROM delivery WHERE event NOT IN (SELECT id FROM object)")

    def reset(self) -> None:
        """Forget everything; the clock runs in real time and nothing goes wrong."""
        with self.store.transaction():
            self.store.wipe()
        self.clock.freeze(None)
        self.begin()
