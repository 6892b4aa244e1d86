"""Whole lives of a purchase, each with one death on the way, and what must be so at its end."""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from services.kernel.money import Money
from services.runtime import database
from tests import books
from tests.faults import phases
from tests.faults.phases import AWAY, Scene
from tests.faults.trip import DEATH
from tests.faults.world import PRICES, World
from tests.forked import preload, processes

KILLED = -9
SEED = 20261124
EVERYTHING = bool(os.environ.get("GATE"))
PRICE, NOTHING = PRICES
FEE = PRICE.share(290).minor + 30

preload("tests.faults.phases")


@dataclass(frozen=True)
class Story:
    """How a course is bought: its phases in order, and in how many of the first of them somebody dies."""

    name: str
    phases: tuple[str, ...]
    watched: int
    price: Money = PRICE
    has_card: bool = False


CHECKOUT = Story("checkout", ("begin", "pay", "drain", "give back", "drain"), watched=5)
CARD = Story("card", ("begin", "drain", "give back", "drain"), watched=1, has_card=True)
FREE = Story("free", ("begin", "drain"), watched=1, price=NOTHING)
STORIES = (CHECKOUT, CARD, FREE)


@dataclass(frozen=True)
class Death:
    """Who dies, in which phase, and at which of its steps."""

    victim: str
    place: int
    at: int


def die_everywhere(world: World, story: Story, victim: str, *, part: int = 1) -> int:
    """Live the story once for each death of a victim, or for every so-many-th of them; gives their number.

    The gate asks for every death in every phase.
    """
    steps = live(world, story, None)
    deaths = list(_deaths(story, steps, victim))
    random.Random(f"{SEED} {story.name} {victim}").shuffle(deaths)
    chosen = deaths if EVERYTHING else deaths[: -(-len(deaths) // part)]
    for death in chosen:
        died = live(world, story, death)[death.place]
        fatal = [number for number, step in enumerate(died) if step.endswith(DEATH)]
        assert fatal == [death.at], f"{story.name}, {death}: nobody died: {died}"
        assert victim != "itself" or len(died) == death.at + 1, f"{story.name}, {death}: {died}"
    return len(chosen)


def _deaths(story: Story, steps: dict[int, list[str]], victim: str) -> Iterator[Death]:
    for place, passed in steps.items():
        if EVERYTHING or place < story.watched:
            yield from (Death(victim, place, at) for at in range(len(passed)))


def live(world: World, story: Story, death: Death | None) -> dict[int, list[str]]:
    """Buy a course, with a death on the way, and give it back; gives the steps of each watched phase.

    Whatever was interrupted is done again as people and worker do it: the same key sent again, the worker
    started again. What stands at the end must not tell that anybody died.
    """
    watched: dict[int, list[str]] = {}
    with world.scene(price=story.price, has_card=story.has_card) as opened:
        for place, phase in enumerate(story.phases):
            scene = world.moved(opened)
            if phase == "pay":
                _pay(world)
            elif death is None:
                watched[place] = _watch(scene, phase, world.folder / "steps.log")
            elif death.place == place:
                watched[place] = _interrupt(world, scene, phase, death)
                phases.play(phase, world.moved(opened))
            else:
                phases.play(phase, scene)
        assert _told(world, world.moved(opened)) == EXPECTED[story.name], f"{story.name}, {death}"
    return watched


def _watch(scene: Scene, phase: str, log: Path) -> list[str]:
    log.unlink(missing_ok=True)
    phases.play(phase, replace(scene, log=log))
    return log.read_text().splitlines()


def _interrupt(world: World, scene: Scene, phase: str, death: Death) -> list[str]:
    """Play a phase in a process of its own with a death in it, and bring the dead back; gives its steps."""
    log = world.folder / "steps.log"
    log.unlink(missing_ok=True)
    doomed = replace(scene, log=log, at=death.at, victim=world.pid(death.victim))
    process = processes.Process(target=phases.mortal, args=(phase, doomed))
    process.start()
    process.join(60)
    survived = {0, AWAY} if death.victim != "itself" else {KILLED}
    assert process.exitcode in survived, f"{death}: {phase} ended with {process.exitcode}"
    world.revive(death.victim)
    return log.read_text().splitlines()


def _pay(world: World) -> None:
    (session,) = world.sandbox.get("/v1/checkout/sessions")["data"]
    world.sandbox.control("POST", f"pay/{session['id']}", {"payment_method": "pm_card_visa"})


GIVEN_BACK: dict[str, object] = {
    "purchases": "refunded",
    "payments": "succeeded",
    "refunds": "succeeded",
    "access": "revoked",
    "journals": "refund,sale",
    "left with anybody": 0,
    "open news": 0,
    "open errands": 0,
    "faults of the books": [],
    "our balance there": -FEE,
    "their balance of ours": -FEE,
    "charges": [(PRICE.minor, PRICE.minor)],
    "refunds there": [PRICE.minor],
    "people there": 1,
}
OPENED: dict[str, object] = GIVEN_BACK | {
    "our balance there": 0,
    "their balance of ours": 0,
    "purchases": "settled",
    "payments": None,
    "refunds": None,
    "access": "active",
    "journals": None,
    "charges": [],
    "refunds there": [],
    "people there": 0,
}
EXPECTED = {"checkout": GIVEN_BACK, "card": GIVEN_BACK, "free": OPENED}

QUESTIONS = {
    "purchases": "SELECT string_agg(state, ',') FROM purchase",
    "payments": "SELECT string_agg(state, ',') FROM payment",
    "refunds": "SELECT string_agg(state, ',') FROM refund",
    "access": "SELECT string_agg(state, ',') FROM enrolment",
    "journals": "SELECT string_agg(kind, ',' ORDER BY kind) FROM journal",
    "left with anybody": """
        SELECT count(*) FROM (
            SELECT FROM posting JOIN ledger_account USING (account_id) WHERE code NOT LIKE 'stripe%'
            GROUP BY account_id HAVING sum(amount_minor) <> 0
        ) AS owed""",
    "open news": "SELECT count(*) FROM inbox_event WHERE state NOT IN ('done', 'ignored')",
    "open errands": "SELECT count(*) FROM outbox_event WHERE state <> 'done'",
    "our balance there": """
        SELECT coalesce(sum(amount_minor), 0)::bigint FROM posting JOIN ledger_account USING (account_id)
        WHERE code = 'stripe_pending'""",
}


def _told(world: World, scene: Scene) -> dict[str, object]:
    """What the database and the processor say happened."""
    told: dict[str, object] = {}
    with psycopg.connect(scene.database_url) as connection:
        for about, question in QUESTIONS.items():
            ((told[about],),) = connection.execute(question.encode())
    engine = database.connect(scene.database_url, pool=1)
    told["faults of the books"] = books.faults(engine)
    engine.dispose()
    moved, charges, refunds, people = (
        world.sandbox.get(f"/v1/{kind}")["data"]
        for kind in ("balance_transactions", "charges", "refunds", "customers")
    )
    told["their balance of ours"] = sum(each["net"] for each in moved)
    told["charges"] = [(each["amount"], each["amount_refunded"]) for each in charges]
    told["refunds there"] = [each["amount"] for each in refunds]
    told["people there"] = len(people)
    return told
