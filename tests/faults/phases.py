"""The parts of one purchase's life, each run in a process that may be killed."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from services import worker
from services.kernel.actor import Actor, Role
from services.kernel.errors import Unavailable
from services.kernel.ids import LineId, QuoteId, UserId
from services.kernel.money import Money
from services.kernel.time import SystemClock
from services.marketplace import learn, purchase, refund
from services.payments import sweep
from tests.faults.trip import TrippedGateway, TrippedWorks, Tripwire

AWAY = 3
BUY_KEY = "buy-once-0001"
REFUND_KEY = "back-once-0001"


@dataclass(frozen=True)
class Scene:
    """Where the purchase happens, whose it is, and where somebody dies."""

    database_url: str
    stripe_url: str
    secret_key: str
    buyer: UUID
    quote: UUID
    price: Money
    card: str | None
    log: Path
    at: int | None = None
    victim: int | None = None


@dataclass(frozen=True)
class _House:
    works: TrippedWorks
    gateway: TrippedGateway
    buyer: Actor


def mortal(phase: str, scene: Scene) -> None:
    """Be a process that plays one phase; one that finds Postgres or Stripe away ends with AWAY."""
    try:
        play(phase, scene)
    except Unavailable:
        sys.exit(AWAY)


def play(phase: str, scene: Scene) -> None:
    """Play one phase from nothing but what the stores hold, as a process that was just started does."""
    wire = Tripwire(scene.log, scene.at, scene.victim)
    works = TrippedWorks(scene.database_url, SystemClock(), wire)
    gateway = TrippedGateway(scene.secret_key, scene.stripe_url, wire)
    buyer = Actor("Robin Test", UserId(scene.buyer), frozenset({Role.LEARNER}))
    PHASES[phase](_House(works, gateway, buyer), scene)
    works.engine.dispose()


def _begin(house: _House, scene: Scene) -> None:
    """The buyer presses Buy; pressing it again sends the same key."""
    purchase.begin(
        house.works,
        house.gateway,
        actor=house.buyer,
        quote=QuoteId(scene.quote),
        amount=scene.price,
        key=BUY_KEY,
        success_url="http://localhost/bought",
        cancel_url="http://localhost/catalogue",
        card=scene.card,
    )


def _drain(house: _House, _scene: Scene) -> None:
    """The worker takes up what Stripe has to tell, and what is due."""
    sweep.sweep(house.works, house.gateway, since=house.works.clock.now() - timedelta(days=1))
    worker.drain(house.works, house.gateway)
    worker.run_due(house.works)


def _give_back(house: _House, _scene: Scene) -> None:
    """The buyer gives the course back; asking again sends the same key."""
    with house.works.begin(house.buyer) as work:
        line = LineId(learn.mine(work)[0].line_id)
    refund.issue(house.works, house.gateway, actor=house.buyer, line=line, reason="other", key=REFUND_KEY)


PHASES: Mapping[str, Callable[[_House, Scene], None]] = {
    "begin": _begin,
    "drain": _drain,
    "give back": _give_back,
}
