"""Whether the figures can be trusted: how fresh they are, what was checked, and what was compared."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from warehouse import runs as record
from warehouse.files import Figures

INSTANT = pl.Datetime("us", "UTC")
Schema = Mapping[str, type[pl.DataType] | pl.DataType]

META = "SELECT meta.as_of, meta.synced_at FROM meta"
LOOKED = "SELECT max(looked_at) FROM looked"
LAST_STATE = "SELECT state FROM run WHERE state <> 'running' ORDER BY run_id DESC LIMIT 1"
AGREES = "SELECT is_reconciled FROM run WHERE is_reconciled IS NOT NULL ORDER BY run_id DESC LIMIT 1"
RUNS = """
SELECT run_id, mode, state, version, started_at, finished_at, error,
    (SELECT sum(took_ms) FROM step WHERE step.run_id = run.run_id) AS took_ms,
    (SELECT sum(row_count) FROM moved WHERE moved.run_id = run.run_id) AS row_count
FROM run ORDER BY run_id DESC LIMIT ?
"""
STEPS = "SELECT name, took_ms FROM step WHERE run_id = ? ORDER BY place"
OUTCOMES = """
SELECT name, says, stops, passed, unexpected_count, unexpected_rows
FROM outcome WHERE run_id = (SELECT max(run_id) FROM outcome) ORDER BY passed, name
"""
TOTALS = """
SELECT measure, currency, ledger_minor, processor_minor, warehouse_minor, timing_minor, unexplained_minor
FROM total WHERE run_id = (SELECT max(run_id) FROM run WHERE is_reconciled IS NOT NULL)
ORDER BY currency, measure
"""
DIFFERENCES = """
SELECT reason, subject, stores, currency, ours_minor, theirs_minor, since_at
FROM difference WHERE run_id = (SELECT max(run_id) FROM run WHERE is_reconciled IS NOT NULL)
ORDER BY reason = 'timing', since_at
"""
FAILING_SINCE = """
SELECT min(started_at) FROM run
WHERE state IN ('checks failed', 'failed')
    AND run_id > coalesce((SELECT max(run_id) FROM run WHERE state IN ('published', 'unchanged')), 0)
"""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the published figures are, and how the last run ended.

    `looked_at` is when the sources were last asked, also when they had nothing new; `failing_since` is when
    the runs began to fail that did not succeed since. `agrees` is None before the stores were compared.
    """

    version: str
    as_of: datetime
    synced_at: datetime
    looked_at: datetime | None
    last_state: str | None
    failing_since: datetime | None
    agrees: bool | None


def freshness(figures: Figures) -> Freshness:
    """What the published version shows, and what happened since."""
    meta = figures.frame(META).row(0, named=True)
    last = _ask(figures, LAST_STATE)
    return Freshness(
        version=figures.version,
        as_of=meta["as_of"],
        synced_at=meta["synced_at"],
        looked_at=_instant(_ask(figures, LOOKED)),
        last_state=last[0][0] if last else None,
        failing_since=_instant(_ask(figures, FAILING_SINCE)),
        agrees=_agrees(figures),
    )


def runs(figures: Figures, *, limit: int = 50) -> pl.DataFrame:
    """The last runs, newest first.

    Columns: run_id, mode, state, version, started_at, finished_at, error, took_ms, row_count.
    """
    rows = _ask(figures, RUNS, limit)
    schema = {
        "run_id": pl.Int64,
        "mode": pl.String,
        "state": pl.String,
        "version": pl.String,
        "started_at": pl.String,
        "finished_at": pl.String,
        "error": pl.String,
        "took_ms": pl.Float64,
        "row_count": pl.Int64,
    }
    return _frame(rows, schema, "started_at", "finished_at")


def steps(figures: Figures, *, run: int) -> pl.DataFrame:
    """The steps of one run in their order. Columns: name, took_ms."""
    return _frame(_ask(figures, STEPS, run), {"name": pl.String, "took_ms": pl.Float64})


def checks(figures: Figures) -> pl.DataFrame:
    """The checks as they last ended, failed ones first.

    Columns: name, says, stops, passed, unexpected_count, unexpected_rows (the first ones, as JSON).
    """
    rows = [
        (name, says, bool(stops), bool(passed), count, json.loads(named))
        for name, says, stops, passed, count, named in _ask(figures, OUTCOMES)
    ]
    schema: Schema = {
        "name": pl.String,
        "says": pl.String,
        "stops": pl.Boolean,
        "passed": pl.Boolean,
        "unexpected_count": pl.Int64,
        "unexpected_rows": pl.List(pl.String),
    }
    return _frame(rows, schema)


def reconciliation(figures: Figures) -> pl.DataFrame:
    """Each measure in each currency as the three stores last had it.

    Columns: measure, currency, ledger_minor, processor_minor, warehouse_minor, timing_minor,
    unexplained_minor.
    """
    amounts = ("ledger_minor", "processor_minor", "warehouse_minor", "timing_minor", "unexplained_minor")
    schema = {"measure": pl.String, "currency": pl.String, **dict.fromkeys(amounts, pl.Int64)}
    return _frame(_ask(figures, TOTALS), schema)


def differences(figures: Figures) -> pl.DataFrame:
    """Each row that two stores last had differently, oldest first, timing last.

    Columns: reason, subject, stores, currency, ours_minor, theirs_minor, since_at.
    """
    schema = {
        "reason": pl.String,
        "subject": pl.String,
        "stores": pl.String,
        "currency": pl.String,
        "ours_minor": pl.Int64,
        "theirs_minor": pl.Int64,
        "since_at": pl.String,
    }
    return _frame(_ask(figures, DIFFERENCES), schema, "since_at")


def _agrees(figures: Figures) -> bool | None:
    found = _ask(figures, AGREES)
    return bool(found[0][0]) if found else None


def _ask(figures: Figures, question: str, *facts: object) -> list[tuple[Any, ...]]:
    file = record.file_of(figures.folder)
    if not file.exists():
        return []
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=5)) as opened:
        return opened.execute(question, facts).fetchall()


def _frame(rows: Sequence[Sequence[object]], schema: Schema, *instants: str) -> pl.DataFrame:
    found = pl.DataFrame(rows, schema=schema, orient="row")
    return found.with_columns(
        pl.col(name).str.to_datetime(time_zone="UTC").cast(INSTANT) for name in instants
    )


def _instant(found: list[tuple[Any, ...]]) -> datetime | None:
    told = found[0][0] if found else None
    return datetime.fromisoformat(str(told)) if told else None
