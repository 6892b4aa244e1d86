"""Whatever happens in whatever batches, the warehouse equals one that was built from scratch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from shutil import rmtree

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.run import Pipeline
from services.kernel.actor import Actor
from services.kernel.ids import CourseId
from tests.factories.marketplace import Bought, Market
from tests.integration.pipelines.told import by_hand, whole
from warehouse.runs import State

ACTIONS = ("sell", "sell shared", "sell brought", "sell in euros", "begin", "give back", "rename", "wait")
BATCHES = st.lists(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=4), min_size=1, max_size=3)


@dataclass
class Business:
    """A marketplace in which things happen."""

    market: Market
    database: str
    pipeline: Pipeline
    alone: CourseId
    shared: CourseId
    euro: CourseId
    sold: list[tuple[Actor, Bought]] = field(default_factory=list)

    def happen(self, action: str) -> None:
        """Let one thing happen."""
        buyer = self.market.person()
        if action == "sell":
            self.sold.append((buyer, self.market.buy(buyer, self.alone)))
        elif action == "sell shared":
            self.sold.append((buyer, self.market.buy(buyer, self.shared)))
        elif action == "sell brought":
            self.sold.append((buyer, self.market.buy(buyer, self.alone, channel="instructor")))
        elif action == "sell in euros":
            self.market.begin(buyer, self.market.quote(buyer, self.euro, currency="EUR"), card="pm_card_visa")
        elif action == "begin":
            self.market.begun(buyer, self.alone)
        else:
            self._later(action)

    def _later(self, action: str) -> None:
        if action == "give back" and self.sold:
            buyer, bought = self.sold.pop(0)
            self.market.give_back(Actor("Robin Test", buyer.user_id, buyer.roles), bought.line)
        elif action == "rename":
            by_hand(self.database, "UPDATE course SET title = title || '!' WHERE course_id = %s", self.alone)
        elif action == "wait":
            self.market.pass_time(timedelta(days=16))
            self.market.mature()
            self.sold.clear()


@pytest.fixture
def business(market: Market, database: str, pipeline: Pipeline) -> Business:
    """A marketplace with three courses."""
    one, other = market.teacher(), market.teacher()
    return Business(
        market,
        database,
        pipeline,
        market.course(one, price=4_999),
        market.course({one: 3_333, other: 6_667}, price=9_999),
        market.course(one, currency="EUR"),
    )


@settings(  # the business remembers, so a failure must not be tried again in it
    max_examples=12, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=BATCHES)
def test_batch_by_batch_is_the_same_as_at_once(
    business: Business, opened: Callable[[Path], Pipeline], tmp_path: Path, batches: list[list[str]]
) -> None:
    for batch in batches:
        for action in batch:
            business.happen(action)
        result = business.pipeline.run()
        assert result.state in {State.PUBLISHED, State.UNCHANGED}
        assert result.reconciliation is None or result.reconciliation.agrees, result.reconciliation
    scratch = tmp_path / "scratch"
    rmtree(scratch, ignore_errors=True)
    with opened(scratch) as fresh:
        fresh.run()
        assert whole(business.pipeline) == whole(fresh)
