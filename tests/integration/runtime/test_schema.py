"""The database that the migrations build is the one that the code and the warehouse think of."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, Engine, text

from services.migrations import schema
from services.runtime import database as runtime_database
from services.runtime.database import EXPORTED, MIGRATIONS, row_key_columns
from warehouse import contracts
from warehouse.contracts import Kind

NOT_OF_A_DOMAIN = {"alembic_version", "change_log"}  # kept by the migrations and by triggers alone
KINDS = {
    "uuid": Kind.ID,
    "text": Kind.TEXT,
    "character varying": Kind.TEXT,
    "bigint": Kind.WHOLE,
    "smallint": Kind.SMALL,
    "boolean": Kind.FLAG,
    "timestamp with time zone": Kind.INSTANT,
    "date": Kind.DAY,
    "numeric": Kind.DECIMAL,
}
INEXACT = """
SELECT attrelid::regclass::text || '.' || attname FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname IN ('public', 'export') AND atttypid::regtype::text = ANY (ARRAY[
    'timestamp without time zone', 'real', 'double precision', 'money', 'time without time zone'])
"""
VIEWS = """
SELECT relname, attname, format_type(atttypid, NULL) FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = 'export' AND relkind = 'v' AND attnum > 0 ORDER BY relname, attnum
"""
RECORDED = """
SELECT relname, encode(tgargs, 'escape'), tgtype FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE tgname = 'recorded'
"""
EVERY_ROW_CHANGE = 1 | 4 | 8 | 16  # for each row, after insert, delete and update
CHECKS = """
SELECT conrelid::regclass::text, conname FROM pg_constraint
WHERE contype = 'c' AND connamespace = 'public'::regnamespace
"""
SLEEPING = """
SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE tgname IN ('append_only', 'keep_all', 'balanced', 'taken') AND tgenabled <> 'A'
"""
LOOSE = """
SELECT proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE nspname IN ('public', 'export') AND prosecdef
AND NOT coalesce(array_to_string(proconfig, ',') LIKE '%search_path=%', false)
"""


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """One connection in the application's role."""
    with engine.connect() as connection:
        yield connection


def views(connection: Connection) -> dict[str, dict[str, str]]:
    """The export views, with the types of their columns in order."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for view, column, kind in connection.execute(text(VIEWS)):
        found[view][column] = kind
    return found


def test_the_migrations_build_what_the_code_declares(connection: Connection) -> None:
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, _parents: kind != "table" or name not in NOT_OF_A_DOMAIN,
        },
    )
    assert compare_metadata(context, schema.metadata) == []


def test_every_check_that_the_code_declares_is_in_the_database(connection: Connection) -> None:
    declared = {
        (table.name, str(constraint.name))
        for table in schema.metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert {(table, name) for table, name in connection.execute(text(CHECKS))} == declared


def test_there_is_one_newest_schema_and_a_database_that_has_it_stays_as_it_is(
    connection: Connection, database: str
) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1
    runtime_database.migrate(database)
    present = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    assert [present] == ScriptDirectory.from_config(config).get_heads()


def test_no_column_holds_an_inexact_amount_or_an_instant_without_its_zone(connection: Connection) -> None:
    assert connection.execute(text(INEXACT)).all() == []


def test_the_export_views_are_the_declared_columns(connection: Connection) -> None:
    seen = views(connection)
    assert list(seen.pop("change")) == ["table_name", "row_key", "xid"]
    assert {view: tuple(columns) for view, columns in seen.items()} == {
        table: ("row_key", *columns) for table, columns in EXPORTED.items()
    }


def test_the_export_views_hold_nothing_secret(connection: Connection) -> None:
    columns = {f"{view}.{column}" for view, columns in views(connection).items() for column in columns}
    secret = {"email", "password", "hash", "token", "body", "description"}
    assert {column for column in columns if secret & set(column.replace(".", "_").split("_"))} == set()


def test_every_change_of_an_exported_table_is_recorded_under_its_key(connection: Connection) -> None:
    recorded = {
        table: (arguments.split("\\000")[:-1], kind)
        for table, arguments, kind in connection.execute(text(RECORDED))
    }
    assert recorded == {table: (list(row_key_columns(table)), EVERY_ROW_CHANGE) for table in EXPORTED}


def test_the_warehouse_expects_exactly_what_is_exported(connection: Connection) -> None:
    seen = views(connection)
    del seen["change"]
    for columns in seen.values():
        assert columns.pop("row_key") == "text"
    exported = {view: {name: KINDS[kind] for name, kind in columns.items()} for view, columns in seen.items()}
    assert {table.name: dict(table.columns) for table in contracts.EXPORTS} == exported
    assert {table.name: list(table.columns) for table in contracts.EXPORTS} == {
        view: list(columns) for view, columns in exported.items()
    }
    assert {table.name: list(table.key) for table in contracts.EXPORTS} == {
        table: list(row_key_columns(table)) for table in EXPORTED
    }


def test_the_guards_stay_awake_whatever_the_session_says(connection: Connection) -> None:
    assert connection.execute(text(SLEEPING)).all() == []


def test_what_acts_with_the_owners_right_looks_nowhere_else(connection: Connection) -> None:
    assert connection.execute(text(LOOSE)).all() == []
