"""The record of runs, in a file of its own so that it outlives a rollback."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

KEPT_RUNS = 1_000
_SHAPE = 1  # of the tables below; a file of another shape is begun anew

_TABLES = """
CREATE TABLE run (
    run_id INTEGER PRIMARY KEY AUTOINCREMENT, mode TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT,
    state TEXT NOT NULL, version TEXT, is_reconciled INTEGER, error TEXT
);
CREATE TABLE step (run_id INTEGER, place INTEGER, name TEXT, took_ms REAL, PRIMARY KEY (run_id, place));
CREATE TABLE moved (run_id INTEGER, relation TEXT, row_count INTEGER, PRIMARY KEY (run_id, relation));
CREATE TABLE outcome (
    run_id INTEGER, name TEXT, says TEXT, stops INTEGER, passed INTEGER, unexpected_count INTEGER,
    unexpected_rows TEXT, PRIMARY KEY (run_id, name)
);
CREATE TABLE total (
    run_id INTEGER, measure TEXT, currency TEXT, ledger_minor INTEGER, processor_minor INTEGER,
    warehouse_minor INTEGER, timing_minor INTEGER, unexplained_minor INTEGER,
    PRIMARY KEY (run_id, measure, currency)
);
CREATE TABLE difference (
    run_id INTEGER, reason TEXT, subject TEXT, stores TEXT, currency TEXT, ours_minor INTEGER,
    theirs_minor INTEGER, since_at TEXT
);
CREATE TABLE looked (source TEXT PRIMARY KEY, looked_at TEXT NOT NULL);
"""


class State(StrEnum):
    """How a run stands or ended."""

    RUNNING = "running"
    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    CHECKS_FAILED = "checks failed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Reason(StrEnum):
    """In which way two stores differ over a row."""

    MISSING_HERE = "missing here"
    MISSING_THERE = "missing there"
    AMOUNT = "amount"
    CURRENCY = "currency"
    TIMING = "timing"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended, and the first rows that broke it, as JSON."""

    name: str
    says: str
    stops: bool
    passed: bool
    unexpected_count: int
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """One measure in one currency as each store has it; a store that does not know it has none.

    `timing_minor` is what the processor has before us or we before it, and is named row by row.
    """

    measure: str
    currency: str
    ledger_minor: int
    processor_minor: int | None
    warehouse_minor: int
    timing_minor: int
    unexplained_minor: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that two stores have differently. `stores` says whose figure is ours and whose is theirs."""

    reason: str
    subject: str
    stores: str
    currency: str
    ours_minor: int | None
    theirs_minor: int | None
    since_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Ledger, processor and warehouse compared."""

    totals: tuple[Total, ...]
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether the three stores are equal to the cent, but for what is still on its way."""
        return not any(total.unexplained_minor for total in self.totals) and all(
            difference.reason == Reason.TIMING for difference in self.differences
        )


@dataclass(slots=True)
class Report:
    """What a run did, as far as it came."""

    steps: list[tuple[str, float]] = field(default_factory=list)
    moved: dict[str, int] = field(default_factory=dict)
    outcomes: Sequence[Outcome] = ()
    reconciliation: Reconciliation | None = None
    version: str | None = None


class Record:
    """The record as its one writer keeps it."""

    def __init__(self, folder: Path) -> None:
        self._file = sqlite3.connect(file_of(folder), isolation_level=None, timeout=10)
        if self._file.execute("PRAGMA user_version").fetchone() != (_SHAPE,):
            self._begin_anew()
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.execute("UPDATE run SET state = ? WHERE state = ?", [State.INTERRUPTED, State.RUNNING])

    def begin(self, mode: str, at: datetime) -> int:
        """Write down that a run starts; gives its number."""
        found = self._file.execute(
            "INSERT INTO run (mode, started_at, state) VALUES (?, ?, ?) RETURNING run_id",
            [mode, at.isoformat(), State.RUNNING],
        ).fetchone()
        self._forget_old()
        return int(found[0])

    def finish(
        self, run: int, report: Report, *, state: State, at: datetime, error: str | None = None
    ) -> None:
        """Write down how a run ended, all of it or nothing."""
        told = report.reconciliation
        with self._all():
            self._file.execute(
                "UPDATE run SET finished_at = ?, state = ?, version = ?, is_reconciled = ?, error = ? "
                "WHERE run_id = ?",
                [at.isoformat(), state, report.version, told and told.agrees, error, run],
            )
            self._keep("step", run, ((place, *step) for place, step in enumerate(report.steps)))
            self._keep("moved", run, report.moved.items())
            self._keep("outcome", run, map(_outcome, report.outcomes))
            if told:
                self._keep("total", run, map(_total, told.totals))
                self._keep("difference", run, map(_difference, told.differences))

    def looked(self, at: Mapping[str, datetime]) -> None:
        """Write down when each source was last asked, also when it had nothing new."""
        self._file.executemany(
            "INSERT OR REPLACE INTO looked VALUES (?, ?)",
            [(source, instant.isoformat()) for source, instant in at.items()],
        )

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _keep(self, table: str, run: int, rows: Iterable[tuple[object, ...]]) -> None:
        kept = [(run, *row) for row in rows]
        if kept:
            places = ", ".join("?" * len(kept[0]))
            self._file.executemany(f"INSERT INTO {table} VALUES ({places})", kept)  # noqa: S608 - a table named above

    def _all(self) -> "_Whole":
        return _Whole(self._file)

    def _forget_old(self) -> None:
        oldest = self._file.execute(
            "SELECT run_id FROM run ORDER BY run_id DESC LIMIT 1 OFFSET ?", [KEPT_RUNS]
        ).fetchone()
        if oldest:
            with self._all():
                for table in ("run", "step", "moved", "outcome", "total", "difference"):
                    self._file.execute(f"DELETE FROM {table} WHERE run_id <= ?", oldest)  # noqa: S608 - a table named above

    def _begin_anew(self) -> None:
        self._file.execute("PRAGMA journal_mode = WAL")
        tables = self._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        with self._all():
            for (table,) in tables:
                if not table.startswith("sqlite_"):
                    self._file.execute(f"DROP TABLE {table}")
            for statement in filter(str.strip, _TABLES.split(";")):
                self._file.execute(statement)
            self._file.execute(f"PRAGMA user_version = {_SHAPE}")


class _Whole:
    """A transaction of the record."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def __enter__(self) -> None:
        self._file.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._file.execute("ROLLBACK" if kind else "COMMIT")


def file_of(folder: Path) -> Path:
    """Where the record of a folder of figures is kept."""
    return folder / "runs.sqlite"


def _outcome(outcome: Outcome) -> tuple[object, ...]:
    return (
        outcome.name,
        outcome.says,
        outcome.stops,
        outcome.passed,
        outcome.unexpected_count,
        json.dumps(outcome.rows),
    )


def _total(total: Total) -> tuple[object, ...]:
    return (
        total.measure,
        total.currency,
        total.ledger_minor,
        total.processor_minor,
        total.warehouse_minor,
        total.timing_minor,
        total.unexplained_minor,
    )


def _difference(difference: Difference) -> tuple[object, ...]:
    return (
        difference.reason,
        difference.subject,
        difference.stores,
        difference.currency,
        difference.ours_minor,
        difference.theirs_minor,
        difference.since_at and difference.since_at.isoformat(),
    )
