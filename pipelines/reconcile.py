"""Ledger, processor and warehouse compared to the cent, and every row named that they differ over.

The ledger's figures are read from Postgres itself, in the snapshot of the run; the warehouse's from its
models; the processor's from its balance transactions. What one of two stores has first is timing, until it
is older than it may be.
"""

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # it carries no types
from duckdb import DuckDBPyConnection

from pipelines import load
from warehouse import contracts
from warehouse.contracts import Kind, Table
from warehouse.runs import Difference, Reconciliation, Total

_ARROW = {
    Kind.TEXT: pa.string(),
    Kind.WHOLE: pa.int64(),
    Kind.INSTANT: pa.timestamp("us"),
}
_COMPARISONS = Path(__file__).parent / "comparisons"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
ON_ITS_WAY = timedelta(minutes=20)  # longer than a webhook that got lost takes to be found by the sweep


def compare(
    connection: DuckDBPyConnection,
    *,
    totals: pa.Table,
    postings: Callable[[], pa.Table],
    now: datetime,
    processor_read_at: datetime | None,
    whole: bool,
) -> Reconciliation:
    """Compare the three stores as the open transaction sees the warehouse.

    `totals` and `postings` are the ledger's own; the latter are fetched only when the totals differ, or when
    `whole` asks for every row. Of a processor that was never heard nothing is missing yet.
    """
    since = {
        "here_since": _bare(now - ON_ITS_WAY),
        "there_since": _bare(processor_read_at - ON_ITS_WAY if processor_read_at else _LONG_AGO),
    }
    with load.given(connection, given_totals=totals):
        differing = connection.execute(_query("accounts_differ")).fetchall()
        found = _postings(connection, postings()) if whole or differing != [(0,)] else []
        found += _named(connection.sql(_query("journals_off")).to_arrow_table())
        late = connection.sql(_query("movements_differ"), params=since).to_arrow_table()
        with load.given(connection, given_movements=late):
            measured = connection.execute(_query("totals")).fetchall()
    return Reconciliation(tuple(Total(*row) for row in measured), (*found, *_named(late)))


def altered(connection: DuckDBPyConnection, movements: pa.Table) -> list[Difference]:
    """The movements that the processor tells otherwise than it did before; they never change there."""
    with load.given(connection, given_movements=movements):
        return _named(connection.sql(_query("movements_altered")).to_arrow_table())


def keep(connection: DuckDBPyConnection, found: Reconciliation) -> bool:
    """Keep a comparison beside the rows that it is about; true if it says something new."""
    totals = [{"row_key": f"{row.measure}:{row.currency}", **asdict(row)} for row in found.totals]
    breaks = [
        {
            **asdict(row),
            "row_key": f"{row.subject}:{row.reason}:{row.stores}",
            "since_at": row.since_at and _bare(row.since_at),
        }
        for row in found.differences
    ]
    return any(
        [
            _keep(connection, contracts.RECONCILIATION_TOTALS, totals),
            _keep(connection, contracts.RECONCILIATION_BREAKS, breaks),
        ]
    )


def _keep(connection: DuckDBPyConnection, table: Table, found: list[dict[str, object]]) -> bool:
    kinds = ((name, _ARROW[kind]) for name, kind in table.columns.items())
    rows = pa.Table.from_pylist(found, schema=pa.schema([("row_key", pa.string()), *kinds]))
    if load.differing(connection, table, rows, is_whole=True) == 0:
        return False
    load.replace(connection, table, rows)
    return True


@cache
def _query(name: str) -> str:
    return (_COMPARISONS / f"{name}.sql").read_text(encoding="utf-8")


def _postings(connection: DuckDBPyConnection, postings: pa.Table) -> list[Difference]:
    with load.given(connection, given_postings=postings):
        return _named(connection.sql(_query("postings_differ")).to_arrow_table())


def _named(rows: pa.Table | None) -> list[Difference]:
    found = rows.select([field.name for field in fields(Difference)]).to_pylist() if rows else []
    return [
        Difference(**{**row, "since_at": row["since_at"] and row["since_at"].replace(tzinfo=UTC)})
        for row in found
    ]


def _bare(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
