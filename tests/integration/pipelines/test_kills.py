"""Killed at whichever step, the next run ends where an undisturbed one does."""

import random
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.run import Pipeline
from tests.factories.marketplace import Market
from tests.forked import preload, processes
from tests.integration.pipelines import killed
from tests.integration.pipelines.killed import Scene
from tests.integration.pipelines.told import kept, marts, whole
from warehouse import files, runs
from warehouse.runs import State

STEPS = (
    "load",
    "hear the processor",
    "rebuild",
    "check",
    "reconcile",
    "commit",
    "write version",
    "switch",
    "prune",
    "record",
)
PUBLISHED_BEFORE = frozenset({"prune", "record"})
KILLED = -9
SEED = 20261124
WRITERS = 4
DEATHS = 8

preload("tests.integration.pipelines.killed")

pytestmark = pytest.mark.faults


@pytest.fixture
def scene(market: Market, database: str, folder: Path) -> Scene:
    """The test's stores and a folder whose figures show one sale."""
    market.buy(market.person(), market.course(market.teacher()))
    scene = Scene(database, market.sandbox.base_url, market.sandbox.secret_key, folder, market.clock.now())
    folder.mkdir()
    assert ended(scene) == 0
    return scene


def ended(scene: Scene) -> int:
    """Run in a process of its own; gives how it ended."""
    process = processes.Process(target=killed.run, args=(scene,))
    process.start()
    process.join(60)
    assert process.exitcode is not None, "the run does not end"
    return process.exitcode


def states(folder: Path) -> list[str]:
    """How the runs ended, oldest first."""
    with closing(sqlite3.connect(runs.file_of(folder))) as record:
        return [state for (state,) in record.execute("SELECT state FROM run ORDER BY run_id")]


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_died_is_taken_up(
    market: Market, scene: Scene, opened: Callable[[Path], Pipeline], step: str
) -> None:
    folder = scene.folder
    buyer, course = market.person(), market.course(market.teacher())
    bought = market.buy(buyer, course)
    market.buy(market.person(), course)
    market.give_back(buyer, bought.line)
    assert ended(replace(scene, dies_at=step)) == KILLED
    assert sorted(kept(folder)) == ([0, 3_700, 3_700] if step in PUBLISHED_BEFORE else [3_700])
    assert ended(scene) == 0
    assert states(folder)[:2] == [State.PUBLISHED, State.INTERRUPTED]
    assert same_as_undisturbed(folder, opened)
    assert sorted(kept(folder)) == [0, 3_700, 3_700]


def test_every_step_has_its_death(scene: Scene) -> None:
    assert tuple((scene.folder / "steps.log").read_text().split("\n")[:-1]) == STEPS


def test_deaths_at_any_moment_while_others_sell(
    market: Market, scene: Scene, opened: Callable[[Path], Pipeline]
) -> None:
    course = market.course({market.teacher(): 7_000, market.teacher(): 3_000})
    over = threading.Event()

    def sell() -> None:
        while not over.is_set():
            buyer = market.person()
            bought = market.buy(buyer, course)
            if bought.line.int % 3 == 0:
                market.give_back(buyer, bought.line)

    writers = [threading.Thread(target=sell) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    chance = random.Random(SEED)
    try:
        deaths = [dies_within(replace(scene, times=1_000), chance.uniform(0.2, 0.9)) for _ in range(DEATHS)]
    finally:
        over.set()
        for writer in writers:
            writer.join()
    assert deaths == [KILLED] * DEATHS
    assert ended(scene) == 0
    assert same_as_undisturbed(scene.folder, opened)


def dies_within(scene: Scene, seconds: float) -> int | None:
    """Run again and again in a process of its own, killed after a while that is long enough to work."""
    process = processes.Process(target=killed.run, args=(scene,))
    process.start()
    process.join(seconds)
    process.kill()
    process.join(20)
    return process.exitcode


def same_as_undisturbed(folder: Path, opened: Callable[[Path], Pipeline]) -> bool:
    """Whether figures and rows are those of a folder that was filled in one go."""
    with opened(folder.with_name("undisturbed")) as fresh, opened(folder) as pipeline:
        fresh.run()
        pipeline.run()
        assert marts(files.open_published(folder)) == marts(
            files.open_published(folder.with_name("undisturbed"))
        )
        assert whole(pipeline) == whole(fresh)
    return True
