"""The record of runs outlives what it tells of."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from warehouse import runs
from warehouse.runs import Difference, Outcome, Reconciliation, Record, Report, State, Total

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
EVEN = Total("held by the processor", "USD", 100, 100, 100, 0, 0)
LATE = Difference("timing", "charge txn_1", "ledger and processor", "USD", None, 100, NOON)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """The record of an empty folder."""
    record = Record(tmp_path)
    yield record
    record.close()


def told(folder: Path, question: str) -> list[tuple[object, ...]]:
    """What the record says."""
    with closing(sqlite3.connect(runs.file_of(folder))) as file:
        return file.execute(question).fetchall()


def test_a_run_is_told_whole(record: Record, tmp_path: Path) -> None:
    run = record.begin("routine", NOON)
    report = Report(
        steps=[("load", 1.5), ("check", 2.5)],
        moved={"posting": 4},
        outcomes=[Outcome("sums", "Sums hold.", stops=True, passed=False, unexpected_count=1, rows=("{}",))],
        reconciliation=Reconciliation((EVEN,), (LATE,)),
        version="v1",
    )
    record.finish(run, report, state=State.CHECKS_FAILED, at=NOON + timedelta(seconds=1))
    assert told(tmp_path, "SELECT state, version, is_reconciled FROM run") == [("checks failed", "v1", 1)]
    assert told(tmp_path, "SELECT name FROM step ORDER BY place") == [("load",), ("check",)]
    assert told(tmp_path, "SELECT name, passed, unexpected_rows FROM outcome") == [("sums", 0, '["{}"]')]
    assert told(tmp_path, "SELECT reason, subject, ours_minor FROM difference") == [
        ("timing", "charge txn_1", None)
    ]
    assert told(tmp_path, "SELECT unexplained_minor FROM total") == [(0,)]


def test_a_run_that_never_ended_was_interrupted(tmp_path: Path) -> None:
    first = Record(tmp_path)
    first.begin("routine", NOON)
    first.close()
    Record(tmp_path).close()
    assert told(tmp_path, "SELECT state FROM run") == [("interrupted",)]


def test_old_runs_are_forgotten(record: Record, tmp_path: Path) -> None:
    first = record.begin("routine", NOON)
    record.finish(first, Report(steps=[("load", 1.0)]), state=State.UNCHANGED, at=NOON)
    for _ in range(runs.KEPT_RUNS + 1):
        record.begin("routine", NOON)
    assert told(tmp_path, "SELECT min(run_id), count(*) FROM run") == [(3, runs.KEPT_RUNS)]
    assert told(tmp_path, "SELECT count(*) FROM step") == [(0,)]


def test_a_record_of_another_shape_is_begun_anew(tmp_path: Path) -> None:
    with closing(sqlite3.connect(runs.file_of(tmp_path))) as file:
        file.execute("CREATE TABLE run (something TEXT)")
        file.execute("PRAGMA user_version = 99")
    record = Record(tmp_path)
    assert record.begin("routine", NOON) == 1
    record.close()


@pytest.mark.parametrize(
    ("totals", "differences", "agrees"),
    [
        ((), (), True),
        ((EVEN,), (LATE,), True),
        ((Total("held by the processor", "USD", 100, 101, 100, 0, 1),), (), False),
        ((EVEN,), (Difference("amount", "posting a:1", "ledger and warehouse", "USD", 1, 2, None),), False),
    ],
)
def test_stores_agree_to_the_cent_but_for_what_is_on_its_way(
    totals: tuple[Total, ...],
    differences: tuple[Difference, ...],
    agrees: bool,  # noqa: FBT001 - what is expected
) -> None:
    assert Reconciliation(totals, differences).agrees is agrees
