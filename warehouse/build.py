"""The models: plain SELECT files, their order and lineage as the SQL itself says, and their rebuilding."""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Protocol

import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.optimizer.scope import traverse_scope

from warehouse import contracts
from warehouse.engines.duckdb import DIALECT

MODELS = Path(__file__).parent / "models"
PUBLISHED = ("dim_", "mart_")

_HEADER = re.compile(r"^-- (grain|key|refresh): (.+)$", re.MULTILINE)
_REFRESHES = ("view", "full")


class Engine(Protocol):
    """What can hold models."""

    def fingerprints(self) -> dict[str, str]:
        """The models that were built, each with the fingerprint of the SQL behind it."""
        ...

    def build_view(self, name: str, query: str) -> None:
        """Define a model that is computed when it is read."""
        ...

    def build_table(self, name: str, query: str) -> int:
        """Compute a model whole; gives its number of rows."""
        ...

    def remember(self, name: str, fingerprint: str) -> None:
        """Keep the fingerprint of the SQL that a model was built from."""
        ...

    def drop(self, name: str) -> None:
        """Remove a model that is no longer one."""
        ...


@dataclass(frozen=True, slots=True)
class Model:
    """One SELECT with what its header says: one row per `grain`, known by `key`.

    `optional` are the columns of the key that may be empty; `inputs` are the relations that it reads.
    """

    name: str
    query: str
    grain: str
    key: tuple[str, ...]
    optional: frozenset[str]
    refresh: str
    inputs: frozenset[str]
    columns: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Changes when the SQL does."""
        return hashlib.sha256(self.query.encode()).hexdigest()[:16]

    @property
    def is_published(self) -> bool:
        """Whether pages may read it."""
        return self.name.startswith(PUBLISHED)


@dataclass(frozen=True, slots=True)
class Built:
    """A model that was rebuilt, with its number of rows; none for one that is computed when read."""

    name: str
    row_count: int | None


@cache
def models(folder: Path = MODELS) -> tuple[Model, ...]:
    """Every model, each after those that it reads. Raises ValueError for a file that says too little."""
    found = {file.stem: _read(file) for file in sorted(folder.rglob("*.sql"))}
    sources = {table.raw for table in contracts.RAW}
    for model in found.values():
        unknown = sorted(model.inputs - found.keys() - sources)
        if unknown:
            raise ValueError(f"{model.name} reads {', '.join(unknown)}, which nothing provides")
    order = TopologicalSorter({name: model.inputs & found.keys() for name, model in found.items()})
    return tuple(found[name] for name in order.static_order())


def outdated(engine: Engine, known: Iterable[Model]) -> frozenset[str]:
    """The models whose SQL is not what they were built from, and those that were built and are gone."""
    built = engine.fingerprints()
    wanted = {model.name: model.fingerprint for model in known}
    return frozenset(name for name in built | wanted if built.get(name) != wanted.get(name))


def affected(known: Sequence[Model], changed: Collection[str]) -> list[Model]:
    """The models to build again when relations changed, in order."""
    moved = set(changed)
    found = []
    for model in known:
        if model.name in moved or moved & model.inputs:
            moved.add(model.name)
            found.append(model)
    return found


def rebuild(engine: Engine, changed: Collection[str], known: Sequence[Model] | None = None) -> list[Built]:
    """Build every model again that reads what changed, and every one whose SQL is new."""
    known = models() if known is None else known
    old = outdated(engine, known)
    for gone in old - {model.name for model in known}:
        engine.drop(gone)
    return [_build(engine, model, is_new=model.name in old) for model in affected(known, {*changed, *old})]


def origins(model: Model, column: str, known: Sequence[Model] | None = None) -> frozenset[str]:
    """The columns of the sources that a column of a model comes from, as `raw.payment.amount_minor`."""
    known = models() if known is None else known
    queries = {each.name: each.query for each in known if each.name != model.name}
    schema = {"raw": {table.name: {"row_key": "VARCHAR", **table.columns} for table in contracts.RAW}}
    root = lineage(column, model.query, schema=schema, sources=queries, dialect=DIALECT)
    return frozenset(
        f"{node.expression.db}.{node.expression.name}.{node.name.rsplit('.', 1)[-1]}"
        for node in root.walk()
        if isinstance(node.expression, exp.Table)
    )


def _build(engine: Engine, model: Model, *, is_new: bool) -> Built:
    count = None
    if model.refresh == "full":
        count = engine.build_table(model.name, model.query)
    elif is_new:
        engine.build_view(model.name, model.query)
    if is_new:
        engine.remember(model.name, model.fingerprint)
    return Built(model.name, count)


def _read(file: Path) -> Model:
    text = file.read_text(encoding="utf-8")
    said = dict(_HEADER.findall(text))
    missing = [word for word in ("grain", "key", "refresh") if word not in said]
    if missing:
        raise ValueError(f"{file.name} does not say its {' and '.join(missing)}")
    if said["refresh"] not in _REFRESHES:
        raise ValueError(f"{file.name} is refreshed by {said['refresh']}: say {' or '.join(_REFRESHES)}")
    query = sqlglot.parse_one(text, dialect=DIALECT)
    if not isinstance(query, exp.Query):
        raise TypeError(f"{file.name} is not a SELECT")
    columns = [name.strip() for name in said["key"].split(",")]
    return Model(
        name=file.stem,
        query=query.sql(dialect=DIALECT, comments=False),
        grain=said["grain"],
        key=tuple(column.rstrip("?") for column in columns),
        optional=frozenset(column.rstrip("?") for column in columns if column.endswith("?")),
        refresh=said["refresh"],
        inputs=_inputs(query),
        columns=tuple(query.named_selects),
    )


def _inputs(query: exp.Query) -> frozenset[str]:
    return frozenset(
        f"{table.db}.{table.name}" if table.db else table.name
        for scope in traverse_scope(query)
        for table in scope.tables
        if table.db or table.name not in scope.cte_sources
    )
