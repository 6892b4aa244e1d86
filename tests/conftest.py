"""What every test may ask for: a database of its own, a clock that stands still, a closed network."""

import ipaddress
import os
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, make_url

from services.kernel import actor
from services.kernel.actor import Actor
from services.kernel.time import SetClock
from services.runtime import database as runtime_database
from services.runtime import postgres
from services.runtime.settings import Settings
from services.runtime.work import Works

hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def _stay_home(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse whatever this process tries to reach beyond the loopback interface."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_home(host):
        raise AssertionError(f"the network is closed in tests: {host!r} was asked for")


def _is_home(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    try:
        return ipaddress.ip_address(name).is_loopback or ipaddress.ip_address(name).is_unspecified
    except ValueError:
        return name == "localhost"


sys.addaudithook(_stay_home)


@pytest.fixture(scope="session", autouse=True)
def _settings_from_tests_only() -> None:
    for name in [name for name in os.environ if name.startswith("BURSAR_")]:
        del os.environ[name]


@pytest.fixture(autouse=True)
def _main_module_stays() -> Iterator[None]:
    """Streamlit's test harness leaves its script as the main module: forked processes would run it again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One embedded server per test process; the owner's address of its migrated template database."""
    running = postgres.start(tmp_path_factory.mktemp("server") / "postgres", report=lambda _line: None)
    try:
        runtime_database.migrate(running.url)
        yield running.url
    finally:
        running.stop()


@pytest.fixture
def database(postgres_server: str) -> Iterator[str]:
    """The owner's address of a migrated, empty database that only this test sees."""
    template = make_url(postgres_server)
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, dbname="postgres", autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template.database or "")
            )
        )
        try:
            yield template.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands at noon of a Tuesday until the test moves it."""
    return SetClock(datetime(2026, 11, 24, 12, 0, tzinfo=UTC))


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """Connections to the test's database in the application's role."""
    engine = runtime_database.connect(database)
    yield engine
    engine.dispose()


@pytest.fixture
def works(engine: Engine, clock: SetClock) -> Works:
    """Transactions on the test's database at the test's time."""
    return Works(engine, clock)


@pytest.fixture
def system_actor() -> Actor:
    """One of our own processes."""
    return actor.system("test")


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """A whole configuration: the test's database, a data folder of its own, the sandbox as processor."""
    return Settings.model_validate({"database_url": database, "data_folder": tmp_path / "bursar"})
