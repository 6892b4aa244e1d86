"""One transaction: all of it or nothing, heard of once it stands, with a clear word when Postgres is away."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Never

import psycopg
import pytest
from sqlalchemy import Engine, func, make_url, select, text
from sqlalchemy.exc import ProgrammingError

from services.kernel.actor import Actor
from services.kernel.errors import Conflict, Unavailable
from services.kernel.time import SetClock
from services.runtime import database as runtime_database
from services.runtime.audit import AuditLog
from services.runtime.database import WAKE_CHANNEL
from services.runtime.events import OutboxEvent
from services.runtime.work import Work, Works


@pytest.fixture
def listener(database: str) -> Iterator[psycopg.Connection]:
    """Somebody who waits to be woken."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"LISTEN {WAKE_CHANNEL}")
        yield connection


def woken(listener: psycopg.Connection) -> int:
    """How often the listener was woken; whatever was committed before this call is heard."""
    listener.execute("SELECT 1")
    return len(list(listener.notifies(timeout=0)))


def written(engine: Engine) -> tuple[int, int]:
    """How many audit rows and pieces of news there are."""
    with engine.connect() as connection:
        return (
            connection.execute(select(func.count()).select_from(AuditLog)).scalar_one(),
            connection.execute(select(func.count()).select_from(OutboxEvent)).scalar_one(),
        )


def write(work: Work) -> None:
    """Write an audit row and a piece of news."""
    work.audit("test.done", "test", 1, cents=5)
    work.announce("test.done", cents=5)


def write_and_fail(work: Work, error: BaseException) -> Never:
    """The same, and then an error."""
    write(work)
    raise error


def write_and_ask_for_nothing(work: Work) -> None:
    """The same, and then an error of the database."""
    write(work)
    work.run(text("SELECT 1 FROM nowhere"))


def write_and_die(work: Work, killer: psycopg.Connection, *, goes_on: bool) -> None:
    """The same, and then the connection is cut, before the next statement or before the commit."""
    write(work)
    backend = work.run(text("SELECT pg_backend_pid()")).scalar_one()
    killer.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    if goes_on:
        write(work)


def test_what_a_work_writes_stands_at_its_end(
    works: Works, system_actor: Actor, engine: Engine, clock: SetClock
) -> None:
    with works.begin(system_actor) as work:
        write(work)
        clock.advance(timedelta(hours=1))
        assert work.now == clock.now() - timedelta(hours=1)
        assert written(engine) == (0, 0)
    assert written(engine) == (1, 1)
    with engine.connect() as connection:
        row = connection.execute(select(AuditLog)).one()
        news = connection.execute(select(OutboxEvent)).one()
    assert (row.actor, row.action, row.facts, row.at) == ("system:test", "test.done", {"cents": 5}, work.now)
    assert (news.kind, news.state, news.facts, news.next_try_at) == (
        "test.done",
        "waiting",
        {"cents": 5},
        work.now,
    )


@pytest.mark.parametrize(
    "error",
    [Conflict("no", "No."), ValueError("ours"), KeyboardInterrupt(), SystemExit(1), GeneratorExit()],
    ids=lambda error: type(error).__name__,
)
def test_any_error_takes_everything_back(
    works: Works, system_actor: Actor, engine: Engine, error: BaseException
) -> None:
    with pytest.raises(type(error)), works.begin(system_actor) as work:
        write_and_fail(work, error)
    assert written(engine) == (0, 0)


def test_an_error_of_the_database_takes_everything_back(
    works: Works, system_actor: Actor, engine: Engine
) -> None:
    with pytest.raises(ProgrammingError, match="nowhere"), works.begin(system_actor) as work:
        write_and_ask_for_nothing(work)
    assert written(engine) == (0, 0)


def test_the_worker_is_woken_when_a_work_stands_and_not_before(
    works: Works, system_actor: Actor, listener: psycopg.Connection
) -> None:
    with works.begin(system_actor) as work:
        work.announce("test.done")
        work.announce("test.done")
        assert woken(listener) == 0
    assert woken(listener) == 1
    with works.begin(system_actor) as work:
        work.audit("test.done", "test", 1)
    assert woken(listener) == 0
    with works.begin(system_actor) as work:
        work.wake()
    assert woken(listener) == 1


def test_nobody_is_woken_for_what_failed(
    works: Works, system_actor: Actor, listener: psycopg.Connection
) -> None:
    with pytest.raises(ValueError, match="ours"), works.begin(system_actor) as work:
        write_and_fail(work, ValueError("ours"))
    assert woken(listener) == 0


def test_a_work_has_the_applications_rights_and_its_limits(works: Works, system_actor: Actor) -> None:
    with works.begin(system_actor) as work:
        settings = ("role", "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        seen = [work.run(text(f"SHOW {name}")).scalar_one() for name in (*settings, "timezone")]
        isolation = work.run(text("SHOW transaction_isolation")).scalar_one()
    assert (seen, isolation) == (["bursar_app", "2s", "5s", "10s", "UTC"], "read committed")


def test_a_postgres_that_is_not_there_is_told_as_such(clock: SetClock, system_actor: Actor) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        nowhere = runtime_database.connect(f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing")
        with pytest.raises(Unavailable) as refused, Works(nowhere, clock).begin(system_actor):
            pytest.fail("there is nothing to work on")
    assert refused.value.code == "database_unavailable"
    assert "127.0.0.1" not in refused.value.message


def test_a_wrong_password_is_not_told(database: str, clock: SetClock, system_actor: Actor) -> None:
    wrong = make_url(database).set(password="betrayed").render_as_string(hide_password=False)
    with (
        pytest.raises(Unavailable) as refused,
        Works(runtime_database.connect(wrong), clock).begin(system_actor),
    ):
        pytest.fail("the door must stay shut")
    assert "betrayed" not in repr(refused.value) + repr(refused.value.__cause__)


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_connection_that_dies_loses_the_work_and_the_next_one_goes_on(
    works: Works, system_actor: Actor, listener: psycopg.Connection, *, goes_on: bool
) -> None:
    with pytest.raises(Unavailable), works.begin(system_actor) as work:
        write_and_die(work, listener, goes_on=goes_on)
    assert written(works.engine) == (0, 0)
    with works.begin(system_actor) as work:
        write(work)
    assert written(works.engine) == (1, 1)


def test_a_lock_that_somebody_keeps_is_waited_for_two_seconds(
    works: Works, system_actor: Actor, listener: psycopg.Connection
) -> None:
    with listener.transaction():
        listener.execute("LOCK TABLE audit_log IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable), works.begin(system_actor) as work:
            work.audit("test.done", "test", 1)


def test_when_every_connection_is_taken_one_more_is_refused(
    database: str, clock: SetClock, system_actor: Actor
) -> None:
    narrow = runtime_database.connect(database, pool=1)
    works = Works(narrow, clock)
    with works.begin(system_actor), pytest.raises(Unavailable), works.begin(system_actor):
        pytest.fail("there is no second connection")
    with works.begin(system_actor) as work:
        assert work.run(text("SELECT 1")).scalar_one() == 1
    narrow.dispose()
