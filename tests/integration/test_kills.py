"""Server, worker, sandbox and Postgres are killed at every step between two writes: nothing is lost or doubled."""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from services.kernel.money import Money
from services.runtime import database
from tests import books
from tests.faults import phases
from tests.faults.phases import AWAY, Scene
from tests.faults.trip import DEATH
from tests.faults.world import PRICES, World, world
from tests.forked import preload, processes

KILLED = -9
SEED = 20261124
EVERYTHING = bool(os.environ.get("GATE"))
PRICE, NOTHING = PRICES

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800 if EVERYTHING else 180)]


@dataclass(frozen=True)
class Story:
    """How a course is bought: its phases in order, and what is so at the end however often somebody died."""

    name: str
    price: Money
    has_card: bool
    phases: tuple[str, ...]


STORIES = {
    story.name: story
    for story in (
        Story("checkout", PRICE, False, ("begin", "pay", "drain", "give back", "drain")),
        Story("card", PRICE, True, ("begin", "drain", "give back", "drain")),
        Story("free", NOTHING, False, ("begin", "drain")),
    )
}


@dataclass(frozen=True)
class Death:
    """Who dies, in which phase of which story, and at which of its steps."""

    victim: str
    place: int
    at: int


preload("tests.faults.phases")


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("kills")) as made:
        yield made


@pytest.mark.parametrize("victim", ["itself", "sandbox", "postgres"])
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_whoever_dies_at_whichever_step_the_purchase_ends_whole(
    living: World, story: Story, victim: str
) -> None:
    steps = _live(living, story, None)
    for death in _deaths(steps, victim, seed=f"{SEED} {story.name} {victim}"):
        died = _live(living, story, death)[death.place]
        fatal = [number for number, step in enumerate(died) if step.endswith(DEATH)]
        assert fatal == [death.at], f"{story.name}, {death}: {died}"
        assert victim != "itself" or len(died) == death.at + 1, f"{story.name}, {death}: {died}"


def _deaths(steps: dict[int, list[str]], victim: str, *, seed: str) -> list[Death]:
    """Every death that there is, in an order that the seed gives; a third for those who take long to come back."""
    deaths = [Death(victim, place, at) for place, passed in steps.items() for at in range(len(passed))]
    random.Random(seed).shuffle(deaths)
    return deaths if EVERYTHING or victim == "itself" else deaths[: len(deaths) // 3]


def _live(living: World, story: Story, death: Death | None) -> dict[int, list[str]]:
    """Buy a course and give it back, with a death on the way; gives the steps of each watched phase."""
    watched: dict[int, list[str]] = {}
    with living.scene(price=story.price, has_card=story.has_card) as opened:
        scene = opened
        for place, phase in enumerate(story.phases):
            if phase == "pay":
                _pay(living, scene)
                continue
            if death is None or death.place == place:
                log = living.folder / "steps.log"
                log.unlink(missing_ok=True)
                ended = _run(phase, _watched(living, scene, log, death))
                watched[place] = log.read_text().splitlines()
                if death is None:
                    assert ended == 0, f"{story.name}: {phase} ended with {ended}"
                    continue
                assert (ended == KILLED) == (death.victim == "itself"), f"{story.name}, {death}: {ended}"
                living.revive(death.victim)
                scene = living.moved(scene)
            assert _run(phase, scene) == 0, f"{story.name}, {death}: {phase} did not recover"
        assert _told(living, scene) == EXPECTED[story.name], f"{story.name}, {death}"
    return watched


def _watched(living: World, scene: Scene, log: Path, death: Death | None) -> Scene:
    if death is None:
        return replace(scene, log=log)
    return replace(scene, log=log, at=death.at, victim=living.pid(death.victim))


def _run(phase: str, scene: Scene) -> int:
    """Run a phase in a process of its own; gives how it ended, which must be one of three ways."""
    process = processes.Process(target=phases.run, args=(phase, scene))
    process.start()
    process.join(60)
    assert process.exitcode in {0, KILLED, AWAY}, f"{phase} ended with {process.exitcode}"
    return process.exitcode or 0


def _pay(living: World, scene: Scene) -> None:
    (session,) = living.sandbox.get("/v1/checkout/sessions")["data"]
    living.sandbox.control("POST", f"pay/{session['id']}", {"payment_method": "pm_card_visa"})


GIVEN_BACK = {
    "purchases": "refunded",
    "payments": "succeeded",
    "refunds": "succeeded",
    "access": "revoked",
    "journals": "refund,sale",
    "left with anybody": 0,
    "processor's balance less ours": 0,
    "charges": [(PRICE.minor, PRICE.minor)],
    "refunds there": [PRICE.minor],
    "people there": 1,
    "open news": 0,
    "open errands": 0,
    "faults of the books": [],
}
FREE = GIVEN_BACK | {
    "purchases": "settled",
    "payments": None,
    "refunds": None,
    "access": "active",
    "journals": None,
    "charges": [],
    "refunds there": [],
    "people there": 0,
}
EXPECTED = {"checkout": GIVEN_BACK, "card": GIVEN_BACK, "free": FREE}

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
}
OURS = """
SELECT coalesce(sum(amount_minor), 0)::bigint FROM posting JOIN ledger_account USING (account_id)
WHERE code = 'stripe_pending'
"""


def _told(living: World, scene: Scene) -> dict[str, object]:
    """What the database and the processor say happened."""
    with psycopg.connect(scene.database_url) as connection:
        told: dict[str, object] = {
            about: connection.execute(question).fetchone()[0] for about, question in QUESTIONS.items()
        }
        ours = connection.execute(OURS).fetchone()[0]
    moved = living.sandbox.get("/v1/balance_transactions")["data"]
    charges = living.sandbox.get("/v1/charges")["data"]
    engine = database.connect(scene.database_url, pool=1)
    try:
        return told | {
            "processor's balance less ours": sum(each["net"] for each in moved) - ours,
            "charges": [(each["amount"], each["amount_refunded"]) for each in charges],
            "refunds there": [each["amount"] for each in living.sandbox.get("/v1/refunds")["data"]],
            "people there": len(living.sandbox.get("/v1/customers")["data"]),
            "faults of the books": books.faults(engine),
        }
    finally:
        engine.dispose()
