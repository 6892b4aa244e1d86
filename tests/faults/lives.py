"""Whole lives of a purchase, each with one death on the way, and what must be so at its end."""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

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
    """How a course is bought: its phases in order, and the places among them where somebody dies.

    The gate lets somebody die in every phase that is a process.
    """

    name: str
    phases: tuple[str, ...]
    watched: frozenset[int]
    price: Money = PRICE
    has_card: bool = False


CHECKOUT = Story("checkout", ("begin", "pay", "drain", "give back", "drain"), frozenset({0, 2, 3}))
CARD = Story("card", ("begin", "drain", "give back", "drain"), frozenset({0}), has_card=True)
ELSEWHERE = Story("elsewhere", ("begin", "pay there", "drain", "give back there", "drain"), frozenset({4}))
FREE = Story("free", ("begin", "drain"), frozenset({0}), price=NOTHING)
STORIES = (CHECKOUT, CARD, ELSEWHERE, FREE)


@dataclass(frozen=True)
class Death:
    """Who dies, in which phase and at which of its steps, and whether the buyer waits for the worker then."""

    victim: str
    place: int
    at: int
    is_left_to_worker: bool = False


def die_everywhere(world: World, story: Story, victim: str, *, part: int = 1) -> int:
    """Live the story once for each death of a victim, or for one in so many of them; gives their number."""
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
        if EVERYTHING or place in story.watched:
            yield from (Death(victim, place, at) for at in range(len(passed)))
            if story.price and story.phases[place] != "drain":
                yield from (Death(victim, place, at, is_left_to_worker=True) for at in range(len(passed)))


def live(world: World, story: Story, death: Death | None) -> dict[int, list[str]]:
    """Buy a course, with a death on the way, and give it back; gives the steps of each watched phase.

    Whatever was interrupted is done again as people and worker do it: the same key sent again, the worker
    started again. What stands at the end must not tell that anybody died. Where the worker comes first, it
    must have brought books and processor together before the buyer comes back.
    """
    watched: dict[int, list[str]] = {}
    with world.scene(price=story.price, has_card=story.has_card) as opened:
        for place, phase in enumerate(story.phases):
            scene = world.moved(opened)
            if phase in ELSEWHERE_DONE:
                ELSEWHERE_DONE[phase](world, scene)
            elif death is None:
                watched[place] = _watch(scene, phase, world.folder / "steps.log")
            elif death.place == place:
                watched[place] = _interrupt(world, scene, phase, death)
                if death.is_left_to_worker:
                    phases.play("drain", world.moved(opened))
                    told = _told(world, world.moved(opened))
                    assert {name: told[name] for name in AGREED} == AGREED | {OURS: told[THEIRS]}, f"{death}"
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


def _pay(world: World, _scene: Scene) -> None:
    """The buyer pays on the hosted page."""
    (session,) = world.sandbox.get("/v1/checkout/sessions")["data"]
    world.sandbox.control("POST", f"pay/{session['id']}", {"payment_method": "pm_card_visa"})


def _pay_there(world: World, scene: Scene) -> None:
    """Another program collects the money, so that one event alone tells of it."""
    with psycopg.connect(scene.database_url) as connection:
        ((purchase,),) = connection.execute("SELECT purchase_id FROM purchase")
    form = {
        "amount": scene.price.minor,
        "currency": scene.price.currency.lower(),
        "payment_method": "pm_card_visa",
        "confirm": "true",
        "automatic_payment_methods[enabled]": "true",
        "automatic_payment_methods[allow_redirects]": "never",
        "metadata[purchase]": purchase,
    }
    assert world.sandbox.call("POST", "/v1/payment_intents", urlencode(form)).status == HTTPStatus.OK


def _give_back_there(world: World, _scene: Scene) -> None:
    """Somebody gives the money back at the processor itself, so that one event alone tells of it."""
    (charge,) = world.sandbox.get("/v1/charges")["data"]
    assert world.sandbox.call("POST", "/v1/refunds", f"charge={charge['id']}").status == HTTPStatus.OK


ELSEWHERE_DONE: dict[str, Callable[[World, Scene], None]] = {
    "pay": _pay,
    "pay there": _pay_there,
    "give back there": _give_back_there,
}
OURS, THEIRS = "our balance there", "their balance of ours"
GIVEN_BACK: dict[str, object] = {
    "purchases": "refunded",
    "payments": "succeeded",
    "refunds": "succeeded",
    "access": "revoked",
    "journals": "refund,sale",
    "left with anybody": 0,
    "refunds under way": 0,
    "open news": 0,
    "open errands": 0,
    "faults of the books": [],
    OURS: -FEE,
    THEIRS: -FEE,
    "charges": [(PRICE.minor, PRICE.minor)],
    "refunds there": [PRICE.minor],
    "people there": 1,
}
OPENED: dict[str, object] = GIVEN_BACK | {
    OURS: 0,
    THEIRS: 0,
    "purchases": "settled",
    "payments": None,
    "refunds": None,
    "access": "active",
    "journals": None,
    "charges": [],
    "refunds there": [],
    "people there": 0,
}
EXPECTED = {"checkout": GIVEN_BACK, "card": GIVEN_BACK, "elsewhere": GIVEN_BACK, "free": OPENED}
AGREED: dict[str, object] = {"refunds under way": 0, "open news": 0, "open errands": 0, OURS: 0}

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
    "refunds under way": "SELECT count(*) FROM refund WHERE state = 'requested'",
    "open news": "SELECT count(*) FROM inbox_event WHERE state NOT IN ('done', 'ignored')",
    "open errands": "SELECT count(*) FROM outbox_event WHERE state <> 'done'",
    OURS: """
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
    told[THEIRS] = sum(each["net"] for each in moved)
    told["charges"] = [(each["amount"], each["amount_refunded"]) for each in charges]
    told["refunds there"] = [each["amount"] for each in refunds]
    told["people there"] = len(people)
    return told
