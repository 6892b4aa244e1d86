"""What the figures say of themselves: how fresh, how checked, and how they compare."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.run import Mode, Pipeline
from tests.factories.marketplace import Market
from tests.integration.pipelines.told import by_hand, one
from warehouse import files
from warehouse.files import Figures
from warehouse.reads import operations


@pytest.fixture
def figures(market: Market, pipeline: Pipeline, folder: Path) -> Figures:
    """Figures of one sale."""
    market.buy(market.person(), market.course(market.teacher()))
    pipeline.run()
    return files.open_published(folder)


def test_how_fresh_they_are(market: Market, pipeline: Pipeline, figures: Figures) -> None:
    told = market.clock.now()
    market.clock.advance(timedelta(seconds=30))
    pipeline.run()
    found = operations.freshness(figures)
    assert (found.version, found.as_of, found.synced_at) == ("v1", told, told)
    assert found.looked_at == told + timedelta(seconds=30)
    assert (found.last_state, found.failing_since, found.agrees) == ("published", None, True)


def test_what_was_checked_and_compared(figures: Figures) -> None:
    checks = operations.checks(figures)
    assert checks["passed"].all()
    assert checks.height > 15
    totals = operations.reconciliation(figures)
    assert totals.filter(measure="held by the processor").to_dicts() == [
        {
            "measure": "held by the processor",
            "currency": "USD",
            "ledger_minor": 9_680,
            "processor_minor": 9_680,
            "warehouse_minor": 9_680,
            "timing_minor": 0,
            "unexplained_minor": 0,
        }
    ]
    assert operations.differences(figures).is_empty()


def test_what_went_wrong_is_named_beside_the_figures_that_stand(
    market: Market, pipeline: Pipeline, figures: Figures, database: str
) -> None:
    journal = one(database, "SELECT journal_id FROM journal")
    by_hand(database, "ALTER TABLE posting DISABLE TRIGGER append_only")
    by_hand(database, "UPDATE posting SET amount_minor = amount_minor + 1 WHERE line_no = 1")
    market.clock.advance(timedelta(minutes=5))
    failed_at = market.clock.now()
    pipeline.run()
    market.clock.advance(timedelta(minutes=5))
    pipeline.run()
    found = operations.freshness(figures)
    assert (found.version, found.last_state, found.failing_since) == ("v1", "checks failed", failed_at)
    assert found.agrees is False
    broken = operations.checks(figures).filter(passed=False)
    assert "journals_sum_to_zero" in broken["name"].to_list()
    assert journal in broken["unexpected_rows"].explode().to_list()[0]
    assert f"journal {journal}" in operations.differences(figures)["subject"].to_list()


def test_runs_and_their_steps(market: Market, pipeline: Pipeline, figures: Figures) -> None:
    market.buy(market.person(), market.course(market.teacher()))
    pipeline.run(Mode.AUDIT)
    runs = operations.runs(figures, limit=10)
    assert runs["run_id"].to_list() == [2, 1]
    newest = runs.row(0, named=True)
    assert (newest["mode"], newest["state"], newest["version"], newest["error"]) == (
        "audit",
        "published",
        "v2",
        None,
    )
    assert newest["started_at"] == market.clock.now()
    steps = operations.steps(figures, run=2)
    assert steps["name"].to_list()[:3] == ["load", "hear the processor", "rebuild"]
    assert steps["took_ms"].sum() == pytest.approx(newest["took_ms"])
    assert operations.runs(figures, limit=1).height == 1
