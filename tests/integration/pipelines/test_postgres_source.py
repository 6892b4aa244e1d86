"""What changed is known by transaction id: nothing late is lost, what is gone leaves a tombstone."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import psycopg
import pyarrow as pa  # type: ignore[import-untyped]  # it carries no types
import pytest

from pipelines.sources.postgres import Changes, Position, Postgres
from warehouse import contracts

ADD = """
INSERT INTO user_account (user_id, email, name, password_hash, status, created_at)
VALUES (%s, %s, 'A', 'x', 'active', now())
"""


@pytest.fixture
def source(database: str) -> Iterator[Postgres]:
    """The test's database as the pipelines read it."""
    source = Postgres(database)
    yield source
    source.close()


def add(connection: psycopg.Connection) -> str:
    """A new person; gives the key."""
    person = str(uuid4())
    connection.execute(ADD, [person, f"{person}@example.com"])
    return person


def position(source: Postgres) -> Position:
    """Where the database stands now."""
    with source.snapshot() as snapshot:
        return snapshot.position


def people_since(source: Postgres, before: Position) -> list[str]:
    """The people who changed after a position."""
    with source.snapshot() as snapshot:
        return sorted(snapshot.changed(before.told()).get("user_account", []))


def changes_since(source: Postgres, before: Position) -> dict[str, Changes]:
    """What changed after a position, with its rows."""
    with source.snapshot() as snapshot:
        return {found.table.name: found for found in snapshot.rows(snapshot.changed(before.told()))}


def test_contracts_are_what_the_export_views_show(database: str) -> None:
    with psycopg.connect(database) as connection:
        shown = connection.execute(
            "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) "
            "FROM information_schema.columns WHERE table_schema = 'export' AND table_name <> 'change' "
            "GROUP BY table_name"
        ).fetchall()
    assert dict(shown) == {table.name: ["row_key", *table.columns] for table in contracts.EXPORTS}


def test_what_commits_late_with_an_older_id_is_not_lost(source: Postgres, database: str) -> None:
    start = position(source)
    with psycopg.connect(database) as late, psycopg.connect(database) as quick:
        slow = add(late)
        fast = add(quick)
        quick.commit()
        assert people_since(source, start) == [fast]
        between = position(source)
        late.commit()
    assert people_since(source, between) == [slow]
    assert people_since(source, start) == sorted([slow, fast])


def test_a_long_transaction_does_not_make_the_rest_come_again(source: Postgres, database: str) -> None:
    with psycopg.connect(database) as long, psycopg.connect(database) as quick:
        add(long)
        add(quick)
        quick.commit()
        seen = position(source)
        assert people_since(source, seen) == []
        long.rollback()
    assert people_since(source, seen) == []


def test_what_is_gone_leaves_a_key_without_a_row(source: Postgres, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        person = add(connection)
        before = position(source)
        connection.execute("DELETE FROM user_account WHERE user_id = %s", [person])
    found = changes_since(source, before)["user_account"]
    assert found.keys.to_pylist() == [{"row_key": person}]
    assert found.rows.num_rows == 0


def test_all_rows_are_of_one_instant(source: Postgres, database: str) -> None:
    start = position(source)
    with psycopg.connect(database, autocommit=True) as connection, source.snapshot() as snapshot:
        keys = snapshot.changed(start.told())
        add(connection)
        whole = {table.name: rows.num_rows for table, rows in snapshot.whole()}
    assert (keys, whole["user_account"]) == ({}, 0)


def test_after_a_restart_the_last_changes_are_read_once_more(source: Postgres, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        person = add(connection)
    seen = position(source)
    assert people_since(source, seen) == []
    assert people_since(source, replace(seen, started="at another time")) == [person]


def test_a_lost_connection_is_opened_again(source: Postgres, database: str) -> None:
    start = position(source)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        person = add(connection)
    assert people_since(source, start) == [person]


def test_the_pipelines_see_the_views_and_nothing_else(source: Postgres) -> None:
    with source.snapshot() as snapshot, pytest.raises(Exception, match="permission denied"):
        snapshot._ask("SELECT email FROM public.user_account")  # noqa: SLF001 - what no method of it asks


def test_every_kind_of_column_comes_over(source: Postgres) -> None:
    with source.snapshot() as snapshot:
        schemas = {table.name: rows.schema for table, rows in snapshot.whole()}
    for table in contracts.EXPORTS:
        assert schemas[table.name].names == ["row_key", *table.columns]
    assert schemas["journal"].field("occurred_at").type == pa.timestamp("us")
    assert schemas["posting"].field("amount_minor").type == pa.int64()
