"""Rows that break a check are counted and named; what only warns is told apart."""

import json
from collections.abc import Iterator

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from warehouse import build, checks
from warehouse.checks import NAMED_ROWS, Check


@pytest.fixture
def connection() -> Iterator[DuckDBPyConnection]:
    """An empty database in memory."""
    with duckdb.connect() as connection:
        yield connection


def test_what_is_broken_is_counted_and_named(connection: DuckDBPyConnection) -> None:
    good = Check("good", "Nothing is wrong.", "SELECT 1 AS one WHERE false")
    bad = Check(
        "bad", "Numbers are small.", "SELECT range AS number, DATE '2026-11-24' AS day FROM range(1500)"
    )
    mild = Check("mild", "Nothing is late.", "SELECT 'late' AS source", stops=False)
    found = {outcome.name: outcome for outcome in checks.run(connection, [good, bad, mild])}
    assert (found["good"].passed, found["good"].unexpected_count, found["good"].rows) == (True, 0, ())
    assert (found["bad"].passed, found["bad"].unexpected_count, len(found["bad"].rows)) == (
        False,
        1_500,
        NAMED_ROWS,
    )
    assert json.loads(found["bad"].rows[0]) == {"number": 0, "day": "2026-11-24"}
    assert (found["mild"].passed, found["mild"].stops) == (False, False)


def test_a_check_sees_what_its_transaction_wrote(connection: DuckDBPyConnection) -> None:
    connection.execute("CREATE TABLE figure (amount_minor BIGINT)")
    connection.execute("BEGIN TRANSACTION")
    connection.execute("INSERT INTO figure VALUES (-1)")
    (outcome,) = checks.run(
        connection, [Check("negative", "None is negative.", "FROM figure WHERE amount_minor < 0")]
    )
    assert outcome.rows == ('{"amount_minor": -1}',)
    connection.execute("ROLLBACK")


def test_every_check_says_what_must_hold() -> None:
    assert all(check.says.endswith(".") for check in checks.catalogue())
    assert len({check.name for check in checks.catalogue()}) == len(checks.catalogue())


def test_the_key_of_every_kept_model_is_checked() -> None:
    names = {check.name for check in checks.catalogue()}
    assert {f"{model.name}_key" for model in build.models() if model.refresh == "full"} <= names


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ("('a', 1), ('a', 2)", 0),
        ("('a', 1), ('a', 1)", 1),
        ("('a', NULL)", 0),
        ("(NULL, 1)", 1),
        ("('a', NULL), ('a', NULL)", 1),
    ],
)
def test_a_key_is_there_and_is_the_only_one(connection: DuckDBPyConnection, rows: str, count: int) -> None:
    (model,) = (model for model in build.models() if model.name == "mart_instructor_balances")
    connection.execute(
        "CREATE TABLE mart_instructor_balances "
        "(instructor_id TEXT, hold_until INT, currency TEXT DEFAULT 'USD', bucket TEXT DEFAULT 'pending')"
    )
    connection.execute(f"INSERT INTO mart_instructor_balances (instructor_id, hold_until) VALUES {rows}")  # noqa: S608 - rows of the test
    (check,) = (check for check in checks.catalogue() if check.name == f"{model.name}_key")
    (outcome,) = checks.run(connection, [check])
    assert outcome.unexpected_count == count
