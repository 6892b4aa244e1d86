"""A batch replaces the rows of its keys, and only those."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # it carries no types
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given
from hypothesis import strategies as st

from pipelines import load
from warehouse import files
from warehouse.contracts import Kind, Table

THINGS = Table("thing", ("name",), {"name": Kind.TEXT, "amount_minor": Kind.WHOLE})
SCHEMA = pa.schema([("row_key", pa.string()), ("name", pa.string()), ("amount_minor", pa.int64())])


@pytest.fixture
def connection() -> Iterator[DuckDBPyConnection]:
    """A database with an empty place for things."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA raw")
        files.create_raw(connection, THINGS)
        yield connection


def batch(amounts: dict[str, int]) -> pa.Table:
    """Things as they come."""
    return pa.Table.from_pylist(
        [{"row_key": name, "name": name, "amount_minor": amount} for name, amount in amounts.items()],
        schema=SCHEMA,
    )


def kept(connection: DuckDBPyConnection) -> dict[str, int]:
    """Things as they are kept."""
    return dict(connection.execute("SELECT name, amount_minor FROM raw.thing").fetchall())


def apply(connection: DuckDBPyConnection, keys: set[str], rows: dict[str, int]) -> None:
    """Let a batch in."""
    load.apply(
        connection, THINGS, keys=pa.table({"row_key": pa.array(sorted(keys), pa.string())}), rows=batch(rows)
    )


def test_new_rows_come_old_ones_change_and_gone_ones_leave(connection: DuckDBPyConnection) -> None:
    apply(connection, {"a", "b", "c"}, {"a": 1, "b": 2, "c": 3})
    apply(connection, {"b", "c", "d"}, {"b": 20, "d": 4})
    assert kept(connection) == {"a": 1, "b": 20, "d": 4}


def test_a_whole_table_takes_the_place_of_the_old(connection: DuckDBPyConnection) -> None:
    load.replace(connection, THINGS, batch({"a": 1, "b": 2}))
    load.replace(connection, THINGS, batch({"c": 3}))
    assert kept(connection) == {"c": 3}


def test_what_differs_is_counted(connection: DuckDBPyConnection) -> None:
    load.replace(connection, THINGS, batch({"a": 1, "b": 2, "c": 3}))
    again = batch({"a": 1, "b": 20})
    assert load.differing(connection, THINGS, again, is_whole=False) == 1
    assert load.differing(connection, THINGS, again, is_whole=True) == 3


@given(
    batches=st.lists(
        st.dictionaries(st.sampled_from("abcde"), st.integers(-9, 9) | st.none(), max_size=5), max_size=6
    )
)
def test_batches_end_where_their_last_words_do(batches: list[dict[str, int | None]]) -> None:
    expected: dict[str, int] = {}
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA raw")
        files.create_raw(connection, THINGS)
        for told in batches:
            rows = {name: amount for name, amount in told.items() if amount is not None}
            apply(connection, set(told), rows)
            apply(connection, set(told), rows)
            expected = {name: amount for name, amount in expected.items() if name not in told} | rows
        assert kept(connection) == expected
