"""What must hold of the figures before they may be seen, judged by Great Expectations."""

import importlib
import json
import os
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection
from sqlglot import exp

from warehouse import build
from warehouse.build import Model
from warehouse.engines.duckdb import DIALECT
from warehouse.runs import Outcome

CHECKS = Path(__file__).parent / "checks"
NAMED_ROWS = 20  # of those that break a check, so many are kept by name

_SENTENCE = re.compile(r"^-- (.+)$", re.MULTILINE)
_WARNS = re.compile(r"^-- severity: warn$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Check:
    """A query whose rows break what `says` says; only one that `stops` keeps figures from being published."""

    name: str
    says: str
    query: str
    stops: bool = True


@cache
def catalogue() -> tuple[Check, ...]:
    """Every check: the files of this folder, and the key of every model that is kept."""
    written = [_read(file) for file in sorted(CHECKS.glob("*.sql"))]
    return (*written, *(_key_of(model) for model in build.models() if model.refresh == "full"))


def run(connection: DuckDBPyConnection, checks: Sequence[Check] | None = None) -> list[Outcome]:
    """Ask every check over one connection, inside whatever transaction it has open, and judge the answers."""
    checks = catalogue() if checks is None else checks
    broken = {check.name: _ask(connection, check) for check in checks}
    passed = _verdict({name: count for name, (count, _rows) in broken.items()})
    return [
        Outcome(check.name, check.says, check.stops, check.name in passed, *broken[check.name])
        for check in checks
    ]


def warm() -> None:
    """Import what judges, seven seconds of it, before anybody waits for it."""
    _judge()


def _ask(connection: DuckDBPyConnection, check: Check) -> tuple[int, tuple[str, ...]]:
    found = connection.execute(check.query)
    columns = [column[0] for column in found.description or ()]
    first = found.fetchmany(NAMED_ROWS)
    if not first:
        return 0, ()
    count = len(first)
    while more := found.fetchmany(1_000):
        count += len(more)
    rows = tuple(json.dumps(dict(zip(columns, row, strict=True)), default=str) for row in first)
    return count, rows


def _verdict(unexpected: dict[str, int]) -> frozenset[str]:
    """The names whose count of unexpected rows is as expected: none."""
    judge, frame_of, suite_of = _judge()
    frame = frame_of({name: [count] for name, count in unexpected.items()})
    result = judge(frame, suite_of(tuple(unexpected)))
    return frozenset(each.expectation_config.kwargs["column"] for each in result.results if each.success)


@cache
def _judge() -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Great Expectations on frames: how to validate one, how to make one, and the suite for its columns."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings(action="ignore"):  # its own imports of deprecated modules
        gx, pd = (importlib.import_module(name) for name in ("great_expectations", "pandas"))
        plain = importlib.import_module("great_expectations.data_context.types.base")

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = plain.ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("warehouse").add_dataframe_asset("unexpected_rows")
    batches = asset.add_batch_definition_whole_dataframe("run")

    @cache
    def suite_of(names: Iterable[str]) -> object:
        return gx.ExpectationSuite(
            name="no unexpected rows",
            expectations=[
                gx.expectations.ExpectColumnMaxToBeBetween(column=name, min_value=0, max_value=0)
                for name in names
            ],
        )

    def judge(frame: object, suite: object) -> object:
        return batches.get_batch(batch_parameters={"dataframe": frame}).validate(suite)

    return judge, pd.DataFrame, suite_of


def _read(file: Path) -> Check:
    text = file.read_text(encoding="utf-8")
    sentence = _SENTENCE.search(text)
    if sentence is None:
        raise ValueError(f"{file.name} does not say in its first line what it checks")
    return Check(file.stem, sentence[1], text, stops=_WARNS.search(text) is None)


def _key_of(model: Model) -> Check:
    """Each row of a model has a key, and no other row has the same."""
    columns = [exp.column(name) for name in model.key]
    empty = [column.is_(exp.null()) for column in columns if column.name not in model.optional]
    query = (
        exp.select(*columns, exp.Count(this=exp.Star()).as_("row_count"))
        .from_(model.name)
        .group_by(*columns)
        .having(exp.or_(exp.Count(this=exp.Star()) > 1, *empty))
    )
    return Check(
        f"{model.name}_key",
        f"{model.name} has {model.grain}: {', '.join(model.key)}.",
        query.sql(dialect=DIALECT),
    )
