"""One refresh of the figures: extract, load, rebuild, check, reconcile, commit or roll back, publish."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Self

from duckdb import DuckDBPyConnection

from pipelines import load, reconcile
from pipelines.sources import postgres, stripe
from pipelines.sources.postgres import Postgres, Snapshot
from services.kernel.errors import Unavailable
from services.kernel.time import Clock
from services.runtime import observe
from services.stripe.gateway import Gateway
from warehouse import build, checks, contracts, files
from warehouse.contracts import BALANCE_TRANSACTIONS
from warehouse.engines.duckdb import DuckDB
from warehouse.files import Cursor, Writer
from warehouse.runs import Difference, Outcome, Reconciliation, Record, Report, State

AUDIT_EVERY = timedelta(minutes=1)

log = observe.logger("pipelines")


class Mode(StrEnum):
    """How much a run looks at.

    A routine run takes what changed, and compares the stores whenever something did and once a minute. An
    audit compares every row and hears all of the processor again. A reload takes everything anew.
    """

    ROUTINE = "routine"
    AUDIT = "audit"
    RELOAD = "reload"


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended; `version` is the published one that pages see from now on."""

    state: State
    version: str | None
    run_id: int | None = None
    steps: tuple[tuple[str, float], ...] = ()
    moved: Mapping[str, int] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    reconciliation: Reconciliation | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one run will do; without a kept cursor of this very cluster everything is taken."""

    mode: Mode
    now: datetime
    keys: Mapping[str, list[str]]
    is_whole: bool
    is_due: bool


class _ChecksFailedError(Exception):
    """Rolls the refresh back."""


class Pipeline:
    """The way of facts into figures, kept open between runs. Raises WriterBusyError if another one is.

    `on_step` is called with the name of each step before it begins.
    """

    def __init__(
        self,
        *,
        database_url: str,
        folder: Path,
        clock: Clock,
        processor: Gateway,
        on_step: Callable[[str], object] | None = None,
    ) -> None:
        self._writer = Writer(folder)
        self._record = Record(folder)
        self._postgres = Postgres(database_url)
        self._clock = clock
        self._processor = processor
        self._on_step = on_step
        self._audited_at: datetime | None = None
        self._refused: Mapping[str, list[str]] | None = None

    @property
    def folder(self) -> Path:
        """Where the figures are kept."""
        return self._writer.folder

    def run(self, mode: Mode = Mode.ROUTINE) -> RunResult:
        """Carry what is new to the figures; nothing new costs little and publishes nothing.

        A failed check or an error leaves the last good figures standing. Raises Unavailable when Postgres
        does not answer.
        """
        with self._postgres.snapshot() as snapshot:
            plan = self._plan(snapshot, mode)
            if self._is_idle(plan):
                return self._looked(plan)
            number = self._record.begin(mode, plan.now)
            steps = _Steps(self._on_step)
            try:
                state = self._refresh(plan, snapshot, steps)
            except Exception as error:
                told = str(observe.redacted(f"{type(error).__name__}: {error}"))
                self._finish(number, steps, State.FAILED, error=told)
                raise
        return self._finish(number, steps, state)

    def close(self) -> None:
        """Let go of the files and of the connection."""
        self._postgres.close()
        self._record.close()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _plan(self, snapshot: Snapshot, mode: Mode) -> _Plan:
        now = self._clock.now()
        cursor = self._writer.cursor(postgres.SOURCE)
        is_whole = mode is Mode.RELOAD or cursor is None or cursor.identity != snapshot.position.identity
        keys = {} if is_whole or cursor is None else snapshot.changed(cursor.position)
        is_due = mode is not Mode.ROUTINE or self._audited_at is None or now - self._audited_at >= AUDIT_EVERY
        return _Plan(mode, now, keys, is_whole, is_due)

    def _is_idle(self, plan: _Plan) -> bool:
        if plan.is_due:
            return False
        if self._refused is not None:
            return self._refused == plan.keys
        return not plan.is_whole and not plan.keys

    def _looked(self, plan: _Plan) -> RunResult:
        self._record.looked({postgres.SOURCE: plan.now})
        state = State.CHECKS_FAILED if self._refused else State.UNCHANGED
        return RunResult(state, files.newest(self._writer.folder))

    def _refresh(self, plan: _Plan, snapshot: Snapshot, steps: "_Steps") -> State:
        self._audited_at = plan.now
        try:
            with self._writer.transaction() as connection:
                self._bring(plan, snapshot, connection, steps)
                steps.begin("commit")
        except _ChecksFailedError:
            self._refused = plan.keys
            return State.CHECKS_FAILED
        self._refused = None
        return self._publish(steps)

    def _bring(
        self, plan: _Plan, snapshot: Snapshot, connection: DuckDBPyConnection, steps: "_Steps"
    ) -> None:
        report = steps.report
        steps.begin("load")
        report.moved = self._load(plan, snapshot, connection)
        steps.begin("hear the processor")
        altered = self._hear(plan, report, connection)
        steps.begin("rebuild")
        changed = {f"raw.{name}" for name, count in report.moved.items() if count or plan.is_whole}
        built = build.rebuild(DuckDB(connection), changed)
        steps.begin("check")
        report.outcomes = checks.run(connection)
        steps.begin("reconcile")
        report.reconciliation = self._compare(plan, snapshot, connection, altered)
        is_news = reconcile.keep(connection, report.reconciliation)
        if is_news:
            build.rebuild(DuckDB(connection), {table.raw for table in contracts.RECONCILIATION})
        if any(outcome.stops and not outcome.passed for outcome in report.outcomes):
            raise _ChecksFailedError
        if built or is_news or self._writer.version() is None:
            self._writer.stamp(as_of=_bare(plan.now), synced_at=_bare(self._clock.now()))

    def _load(self, plan: _Plan, snapshot: Snapshot, connection: DuckDBPyConnection) -> dict[str, int]:
        moved = {}
        if plan.is_whole:
            for table, rows in snapshot.whole():
                load.replace(connection, table, rows)
                moved[table.name] = rows.num_rows
            for table in (BALANCE_TRANSACTIONS, *contracts.RECONCILIATION):
                files.create_raw(connection, table)
            self._writer.forget(stripe.SOURCE)
        else:
            for change in snapshot.rows(plan.keys):
                load.apply(connection, change.table, keys=change.keys, rows=change.rows)
                moved[change.table.name] = change.keys.num_rows
        position = snapshot.position
        self._writer.move(postgres.SOURCE, Cursor(position.told(), position.identity, _bare(plan.now)))
        return moved

    def _hear(self, plan: _Plan, report: Report, connection: DuckDBPyConnection) -> list[Difference]:
        """Take the processor's movements; while it does not answer the known ones stand."""
        before = self._writer.cursor(stripe.SOURCE)
        known = datetime.fromisoformat(before.position) if before and before.position else None
        is_all = known is None or plan.mode is Mode.AUDIT
        try:
            rows = stripe.movements(self._processor, since=None if is_all else known)
        except Unavailable as error:
            log.warning("processor not heard", code=error.code)
            return []
        altered = reconcile.altered(connection, rows) if before else []
        count = load.differing(connection, BALANCE_TRANSACTIONS, rows, is_whole=is_all)
        if count and is_all:
            load.replace(connection, BALANCE_TRANSACTIONS, rows)
        elif count:
            load.apply(connection, BALANCE_TRANSACTIONS, keys=rows.select(["row_key"]), rows=rows)
        if count:
            report.moved[BALANCE_TRANSACTIONS.name] = count
        newest = stripe.newest(rows, known)
        position = newest.isoformat() if newest else ""
        self._writer.move(stripe.SOURCE, Cursor(position, "", _bare(plan.now)))
        return altered

    def _compare(
        self,
        plan: _Plan,
        snapshot: Snapshot,
        connection: DuckDBPyConnection,
        altered: Sequence[Difference],
    ) -> Reconciliation:
        heard = self._writer.cursor(stripe.SOURCE)
        found = reconcile.compare(
            connection,
            totals=snapshot.totals(),
            postings=snapshot.postings,
            now=plan.now,
            processor_read_at=heard.read_at.replace(tzinfo=UTC) if heard else None,
            whole=plan.is_whole or plan.mode is Mode.AUDIT,
        )
        return Reconciliation(found.totals, (*altered, *found.differences))

    def _publish(self, steps: "_Steps") -> State:
        """Publish the committed state unless it is published, also one that an earlier run left."""
        folder, version = self._writer.folder, self._writer.version()
        if version is None or files.newest(folder) == version.name:
            return State.UNCHANGED
        steps.begin("write version")
        files.write_version(
            self._writer, version, [model.name for model in build.models() if model.is_published]
        )
        steps.begin("switch")
        files.switch(folder, version)
        steps.begin("prune")
        files.prune(folder)
        return State.PUBLISHED

    def _finish(self, number: int, steps: "_Steps", state: State, error: str | None = None) -> RunResult:
        steps.begin("record")
        steps.end()
        report, at = steps.report, self._clock.now()
        report.version = files.newest(self._writer.folder)
        self._record.finish(number, report, state=state, at=at, error=error)
        self._record.looked({postgres.SOURCE: at})
        log.info("run", run=number, state=state, version=report.version, steps=dict(report.steps))
        return RunResult(
            state,
            report.version,
            number,
            tuple(report.steps),
            report.moved,
            tuple(report.outcomes),
            report.reconciliation,
        )


class _Steps:
    """The steps of one run, each told before it begins and timed until the next."""

    def __init__(self, on_step: Callable[[str], object] | None) -> None:
        self.report = Report()
        self._on_step = on_step
        self._open: tuple[str, float] | None = None

    def begin(self, name: str) -> None:
        """Go on to a step."""
        self.end()
        if self._on_step:
            self._on_step(name)
        self._open = (name, perf_counter())

    def end(self) -> None:
        """Write down how long the last step took, in milliseconds."""
        if self._open:
            name, begun = self._open
            self.report.steps.append((name, round((perf_counter() - begun) * 1_000, 1)))
        self._open = None


def _bare(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
