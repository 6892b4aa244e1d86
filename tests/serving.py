"""A real shell in a process of its own, for tests that speak HTTP or drive a browser."""

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psycopg
from fastapi import FastAPI
from psycopg import sql
from sqlalchemy import make_url

from app import server
from app.wiring import Wiring
from services.identity import people
from services.kernel.actor import Role, system
from services.kernel.time import SystemClock
from services.runtime import database
from services.runtime.settings import Settings
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests.waiting import until

PASSWORD = "a test password 1"
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Shell:
    """A running shell: where it listens, and the same database and folder from this side."""

    address: str
    works: Works
    folder: Path
    process: subprocess.Popen[bytes]

    def person(self, email: str, *roles: Role, name: str = "Robin Test") -> str:
        """Add somebody who can sign in with PASSWORD; gives their e-mail."""
        with self.works.begin(system("test")) as work:
            people.register(work, email=email, name=name, password=PASSWORD, roles=roles)
        return email


@contextmanager
def database_from(template: str) -> Iterator[str]:
    """A migrated, empty database that goes away again."""
    name = f"test_{uuid.uuid4().hex}"
    origin = sql.Identifier(make_url(template).database or "")
    with psycopg.connect(template, dbname="postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), origin))
        try:
            yield make_url(template).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def shell(
    url: str, folder: Path, *, demo: bool = False, stripe: str = "http://127.0.0.1:9"
) -> Iterator[Shell]:
    """Serve a database and a data folder on a free port until the block ends."""
    port = free_port()
    wanted = {"database_url": url, "data_folder": str(folder), "port": port, "demo": demo, "stripe": stripe}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "shell.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.serving", json.dumps(wanted)],
            cwd=ROOT,
            env={**os.environ, "PYTHONWARNINGS": "default"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    address = f"http://localhost:{port}"
    engine = database.connect(url, pool=4)
    try:
        until(lambda: process.poll() is not None or answers(address), "the shell answers", seconds=60)
        assert process.poll() is None, (folder / "shell.log").read_text()
        yield Shell(address, Works(engine, SystemClock()), folder, process)
    finally:
        engine.dispose()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(address: str) -> bool:
    """Whether a shell lives at an address."""
    try:
        return httpx2.get(f"{address}/healthz", timeout=2).is_success
    except httpx2.TransportError:
        return False


def _serve(wanted: dict[str, object]) -> None:
    settings = Settings.model_validate({name: value for name, value in wanted.items() if name != "stripe"})
    works = Works(database.connect(str(wanted["database_url"])), SystemClock())
    gateway = Gateway("sk_test_shell", str(wanted["stripe"]))
    server.serve(Wiring(settings, works, gateway), FastAPI())


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
