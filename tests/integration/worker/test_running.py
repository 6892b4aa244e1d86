"""The worker as a thread of its own: woken, coming back by itself, and living through what goes away."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import psycopg
import pytest

from services import worker
from services.kernel.actor import Actor
from services.kernel.time import SystemClock
from services.payments import sweep
from services.runtime import database
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests.factories.marketplace import TEST, Bought
from tests.factories.news import News
from tests.faults import phases
from tests.faults.phases import Scene
from tests.faults.world import PRICES, World
from tests.waiting import until

FOR_EVER = timedelta(seconds=60)


@dataclass
class Working:
    """A worker that runs, and how many rounds it has made."""

    works: Works
    gateway: Gateway
    url: str
    stop: threading.Event = field(default_factory=threading.Event)
    rounds: int = 0

    def run(self) -> None:
        """Be the worker."""
        worker.run(self.works, self.gateway, url=self.url, on_change=self._note, stop=self.stop)

    def _note(self) -> None:
        self.rounds += 1


@contextmanager
def working(works: Works, gateway: Gateway, url: str) -> Iterator[Working]:
    """Let a worker run until the block ends; it must not have ended by itself."""
    made = Working(works, gateway, url)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
        assert thread.is_alive(), "the worker ended by itself"
    finally:
        made.stop.set()
        with works.begin(TEST) as work:
            work.wake()
        thread.join(30)
        assert not thread.is_alive(), "the worker does not end"


def is_settled(news: News, bought: Bought) -> bool:
    """Whether a purchase is settled."""
    return news.state_of(bought) == "settled"


def test_the_first_round_hears_what_no_webhook_brought(news: News, begun: Bought, database: str) -> None:
    news.pay(begun)
    with working(news.market.works, news.market.gateway, database):
        until(partial(is_settled, news, begun), "the purchase to be settled")


def test_a_commit_wakes_the_worker(
    news: News, begun: Bought, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_EVERY", FOR_EVER)
    with working(news.market.works, news.market.gateway, database) as made:
        until(lambda: made.rounds, "the first round")
        news.pay(begun)
        news.bring(news.everything())
        until(partial(is_settled, news, begun), "the purchase to be settled", seconds=30)


def test_the_worker_comes_back_by_itself_to_what_failed(news: News, begun: Bought, database: str) -> None:
    market = news.market
    market.sandbox.control("POST", "faults", {"late_balance": 600})
    news.pay_outside(begun.purchase, 10_000, capture_method="automatic_async")
    with working(market.works, market.gateway, database):
        until(news.failed, "the news to fail")
        market.pass_time(timedelta(minutes=11))
        until(partial(is_settled, news, begun), "the purchase to be settled")


def test_what_needs_no_stripe_goes_on_while_stripe_is_away(
    news: News, begun: Bought, teacher: Actor, database: str
) -> None:
    market = news.market
    news.pay(begun)
    news.hear()
    waiting = market.begun(market.person(), market.course(teacher))
    news.pay(waiting)
    news.sweep()
    with working(market.works, Gateway("sk_test_away", "http://127.0.0.1:9"), database) as made:
        until(lambda: made.rounds, "the first round")
        market.pass_time(timedelta(days=30))
        until(lambda: market.earned(teacher) == (0, 3_700), "the earnings to mature", seconds=60)
        before = made.rounds
        until(lambda: made.rounds > before, "another round", seconds=60)


@pytest.mark.faults
@pytest.mark.parametrize("is_orderly", [True, False], ids=["stopped", "killed"])
def test_a_postgres_that_comes_back_is_worked_with_again(killing_field: World, *, is_orderly: bool) -> None:
    with killing_field.scene(price=PRICES[0], has_card=False) as scene:
        engine = database.connect(scene.database_url)
        works = Works(engine, SystemClock())
        gateway = Gateway(scene.secret_key, scene.stripe_url)
        with working(works, gateway, scene.database_url) as made:
            until(lambda: made.rounds, "the first round")
            _restart(killing_field, is_orderly=is_orderly)
            before = made.rounds
            until(lambda: made.rounds > before, "a round after the restart")
            phases.play("begin", scene)
            (session,) = killing_field.sandbox.get("/v1/checkout/sessions")["data"]
            killing_field.sandbox.control("POST", f"pay/{session['id']}", {})
            sweep.sweep(works, gateway, since=works.clock.now() - timedelta(days=1))
            until(lambda: _state(scene) == "settled", "the purchase to be settled")
        engine.dispose()


def _restart(world: World, *, is_orderly: bool) -> None:
    if is_orderly:
        world.server.stop()
    else:
        os.kill(world.server.pid, signal.SIGKILL)
    world.revive("postgres")


def _state(scene: Scene) -> str:
    with psycopg.connect(scene.database_url) as connection:
        ((state,),) = connection.execute("SELECT state FROM purchase")
    return str(state)
