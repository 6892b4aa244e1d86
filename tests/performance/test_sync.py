"""Carrying one new sale to the figures, against a bare ADBC copy of the same rows."""

import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-untyped]  # it carries no types
import psycopg
import pytest

from pipelines.run import Pipeline
from services.kernel.time import SetClock
from services.runtime.database import EXPORTED
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests.factories.marketplace import Market
from tests.factories.marketplace_fixtures import sandbox
from tests.sandboxed import SandboxProcess

__all__ = ["sandbox"]

BEFORE = 200
ROUNDS = 20


@pytest.fixture
def market(works: Works, clock: SetClock, sandbox: SandboxProcess) -> Market:
    made = Market(works, clock, Gateway(sandbox.secret_key, sandbox.base_url), sandbox)
    made.set_time(datetime.now(UTC))
    return made


@pytest.fixture
def pipeline(database: str, market: Market, tmp_path: Path) -> Iterator[Pipeline]:
    with Pipeline(
        database_url=database, folder=tmp_path / "figures", clock=market.clock, processor=market.gateway
    ) as opened:
        yield opened


def test_one_new_sale(market: Market, pipeline: Pipeline, database: str) -> None:
    teacher = market.teacher()
    courses = [market.course(teacher) for _ in range(BEFORE + ROUNDS + 1)]
    buyer = market.person()
    for _ in range(BEFORE):
        market.buy(buyer, courses.pop())
        market.pass_time(timedelta(minutes=10))
    pipeline.run()
    took, idle, steps = [], [], {}
    for _ in range(ROUNDS):
        market.buy(buyer, courses.pop())
        market.pass_time(timedelta(seconds=5))
        begun = time.perf_counter()
        result = pipeline.run()
        took.append((time.perf_counter() - begun) * 1_000)
        assert result.state == "published"
        steps = dict(result.steps)
        begun = time.perf_counter()
        pipeline.run()
        idle.append((time.perf_counter() - begun) * 1_000)
    floor = _floor(database)
    print(f"\none new sale carried: median {statistics.median(took):.0f} ms, longest {max(took):.0f} ms")
    print(f"its steps, ms: {steps}")
    print(f"nothing new: median {statistics.median(idle):.1f} ms")
    print(f"bare ADBC copy of the same rows: {floor:.1f} ms, ratio {statistics.median(took) / floor:.1f}")
    assert statistics.median(took) < 1_000


def _floor(database: str) -> float:
    """Reading the rows that the last sale changed, view by view, into Arrow and nothing more."""
    with psycopg.connect(database) as connection:
        changed = connection.execute(
            "SELECT table_name, array_agg(DISTINCT row_key) FROM change_log "
            "WHERE xid >= (SELECT max(xid) - 4 FROM change_log) GROUP BY 1"
        ).fetchall()
    took = []
    with adbc.connect(database) as connection:
        for _ in range(10):
            begun = time.perf_counter()
            with connection.cursor() as cursor:
                for table, keys in changed:
                    assert table in EXPORTED
                    cursor.execute(
                        f"SELECT * FROM export.{table} WHERE row_key = ANY(string_to_array($1, ','))",  # noqa: S608 - one of ours
                        (",".join(keys),),
                    )
                    assert cursor.fetch_arrow_table().num_rows
            took.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(took)
