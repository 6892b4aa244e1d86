"""Transactions and a gateway that kill somebody at the n-th step, and write down each step they pass."""

import functools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.kernel.actor import Actor
from services.kernel.time import Clock
from services.runtime import database
from services.runtime.work import Work, Works
from services.stripe.gateway import Gateway

DEATH = " KILL"


@dataclass
class Tripwire:
    """Kills a victim (this process, when none is given) at one step; the log proves which."""

    log: Path
    at: int | None = None
    victim: int | None = None
    passed: int = field(default=0)

    def step(self, name: str) -> None:
        """Pass one step, perhaps the last."""
        is_last = self.at == self.passed
        with self.log.open("a") as log:
            log.write(f"{self.passed} {name}{DEATH if is_last else ''}\n")
        self.passed += 1
        if is_last:
            os.kill(self.victim or os.getpid(), signal.SIGKILL)


class TrippedWorks(Works):
    """Transactions with a step before and after each commit."""

    def __init__(self, url: str, clock: Clock, wire: Tripwire) -> None:
        super().__init__(database.connect(url, pool=4), clock)
        self.wire = wire

    @contextmanager
    def begin(self, actor: Actor) -> Iterator[Work]:
        """Open a transaction that steps over the wire."""
        with super().begin(actor) as work:
            yield work
            self.wire.step(f"before the commit of {actor.name}")
        self.wire.step(f"after the commit of {actor.name}")


class TrippedGateway(Gateway):
    """A gateway with a step before and after each call."""

    def __init__(self, secret_key: str, base_url: str, wire: Tripwire) -> None:
        super().__init__(secret_key, base_url)
        self.wire = wire

    def __getattribute__(self, name: str) -> object:
        """Give a call of the gateway's own with steps around it, and everything else as it is."""
        found = super().__getattribute__(name)
        return _stepping(found, name, self.wire) if name in CALLS else found


CALLS = frozenset(name for name, member in vars(Gateway).items() if callable(member) and name[0] != "_")


def _stepping(call: Callable[..., object], name: str, wire: Tripwire) -> Callable[..., object]:
    @functools.wraps(call)
    def stepping(*positional: object, **named: object) -> object:
        wire.step(f"before {name}")
        answer = call(*positional, **named)
        wire.step(f"after {name}")
        return answer

    return stepping
