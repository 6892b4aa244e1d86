"""Putting a batch into the writer file: delete and insert on its keys."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa  # type: ignore[import-untyped]  # it carries no types
from duckdb import DuckDBPyConnection

from warehouse import files
from warehouse.contracts import Table


def apply(connection: DuckDBPyConnection, table: Table, *, keys: pa.Table, rows: pa.Table) -> None:
    """Replace the rows behind keys by what they are now; a key without a row is removed."""
    with given(connection, batch_keys=keys, batch_rows=rows):
        connection.execute(f"DELETE FROM {table.raw} WHERE row_key IN (SELECT row_key FROM batch_keys)")  # noqa: S608 - a name of the contract
        _insert(connection, table)


def replace(connection: DuckDBPyConnection, table: Table, rows: pa.Table) -> None:
    """Replace a whole table, its columns too."""
    files.create_raw(connection, table)
    with given(connection, batch_rows=rows):
        _insert(connection, table)


def differing(connection: DuckDBPyConnection, table: Table, rows: pa.Table, *, is_whole: bool) -> int:
    """How many rows of a batch a table lacks, and of the table the batch, if the batch is the whole of it."""
    with given(connection, batch_rows=rows):
        came = f"SELECT row_key, {_columns(table)} FROM batch_rows"  # noqa: S608 - names of the contract
        kept = f"FROM {table.raw}"
        ways = [f"({came} EXCEPT {kept})", f"({kept} EXCEPT {came})"]
        query = " UNION ALL ".join(f"SELECT count(*) FROM {way}" for way in ways[: 1 + is_whole])  # noqa: S608 - names of the contract
        return sum(count for (count,) in connection.execute(query).fetchall())


def _columns(table: Table) -> str:
    return ", ".join(f"CAST({name} AS {kind.value}) AS {name}" for name, kind in table.columns.items())


def _insert(connection: DuckDBPyConnection, table: Table) -> None:
    connection.execute(f"INSERT INTO {table.raw} SELECT row_key, {_columns(table)} FROM batch_rows")  # noqa: S608 - names of the contract


@contextmanager
def given(connection: DuckDBPyConnection, **frames: pa.Table) -> Iterator[None]:
    """Let queries read frames by name until the block ends."""
    for name, frame in frames.items():
        connection.register(name, frame)
    try:
        yield
    finally:
        for name in frames:
            connection.unregister(name)
