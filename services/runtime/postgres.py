"""The embedded PostgreSQL: started on a folder, watched, shared between starters, stopped by its owner.

Two locks in the folder say who is there, and the kernel lets go of them whatever way a process ends:
`running.lock` is held by every process of the server itself, `owner.lock` by the process that will stop it.
"""

import fcntl
import itertools
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from services.kernel.errors import Unavailable
from services.runtime import ports, postgres_cluster
from services.runtime.postgres_cluster import Cluster

_TICK = 0.05  # seconds
_PATIENCE = 20  # seconds of orderly stopping before the server is told to drop everything
_LOG_KEPT = 16 * 1024 * 1024  # bytes

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",  # a statement may quote what it was given
    "log_error_verbosity": "terse",  # the detail lines quote rows
    "log_checkpoints": "off",
    "jit": "off",
}


@dataclass
class Running:
    """A server that accepts connections; `url` is its owner's address, password included."""

    url: str
    pid: int
    _cluster: Cluster
    _ownership: IO[bytes] | None

    @property
    def owned(self) -> bool:
        """Whether this start is the one whose stop ends the server."""
        return self._ownership is not None

    @property
    def is_alive(self) -> bool:
        """Whether the server still runs."""
        return _is_server(self.pid, self._cluster.data)

    def stop(self) -> None:
        """End the server in good order if this start owns it; a second call does nothing."""
        if self._ownership is None:
            return
        _end(self._cluster, self.pid)
        self._ownership.close()
        self._ownership = None


def start(folder: Path, *, report: Callable[[str], None]) -> Running:
    """Start the server on a folder, or join the one that runs there; returns once it accepts connections.

    The folder is set up if it is new. A server whose starter is gone is taken over; one whose starter
    lives is shared and outlives this start. Raises Unavailable with a sentence when it cannot be.
    """
    folder = postgres_cluster.open_folder(folder)
    for _turn in _turns("Waiting for another start or stop of the database", report):
        lock = _lock(folder / "running.lock")
        if lock is not None:
            with lock:
                cluster = postgres_cluster.find(folder)
                postgres_cluster.set_up(cluster, lock, report=report)
                pid, port = _launch(cluster, lock, report)
            return _join(cluster, pid, port)
        found = _read_pid_file(folder / "data")
        if found and _is_ready(found, folder / "data"):
            try:
                return _join(postgres_cluster.find(folder), found[0], found[1])
            except Unavailable:
                if _is_ready(_read_pid_file(folder / "data"), folder / "data"):
                    raise
    raise AssertionError("unreachable: waiting has no end")


def _join(cluster: Cluster, pid: int, port: int) -> Running:
    ownership = _lock(cluster.folder / "owner.lock")
    try:
        _make_database(cluster, port)
    except BaseException:
        if ownership:
            _end(cluster, pid)
            ownership.close()
        raise
    return Running(cluster.url(port), pid, cluster, ownership)


def _launch(cluster: Cluster, lock: IO[bytes], report: Callable[[str], None]) -> tuple[int, int]:
    """Start the server's process and wait until it accepts connections; returns its process id and port."""
    alive = _clear_pid_file(cluster.data)
    if alive:
        return alive
    _turn_log(cluster)
    for port in ports.free(cluster.folder / "port"):
        log_start = cluster.log.stat().st_size
        process = _spawn(cluster, lock, port)
        if _until_ready(cluster, process, log_start, report):
            (cluster.folder / "port").write_text(str(port))
            return process.pid, port
        said = _said(cluster, log_start)
        if "could not create any TCP/IP sockets" not in said:
            raise _failure(cluster, said)
    raise Unavailable(
        "postgres_port", f"No free port from {ports.RANGE.start} to {ports.RANGE.stop} on 127.0.0.1."
    )


def _spawn(cluster: Cluster, lock: IO[bytes], port: int) -> subprocess.Popen[bytes]:
    """Start the process from a thread that lives as long as it, since the system ends it with that thread."""
    settings = _SETTINGS | {"port": str(port)}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    started: list[subprocess.Popen[bytes] | OSError] = []
    told = threading.Event()

    def keep() -> None:
        try:
            with cluster.log.open("ab") as log:
                process = subprocess.Popen(  # noqa: S603 - our own program, words we made
                    cluster.command("postgres", "-D", str(cluster.data), *words),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=cluster.data,
                    env=postgres_cluster.ENVIRONMENT,
                    pass_fds=[lock.fileno()],
                    start_new_session=True,
                )
        except OSError as error:
            started.append(error)
            told.set()
            return
        started.append(process)
        told.set()
        process.wait()

    threading.Thread(target=keep, name="postgres", daemon=True).start()
    told.wait()
    if isinstance(started[0], OSError):
        raise Unavailable("postgres_missing", f"PostgreSQL could not be started: {started[0]}")
    return started[0]


def _until_ready(
    cluster: Cluster, process: subprocess.Popen[bytes], log_start: int, report: Callable[[str], None]
) -> bool:
    """Wait without limit, saying so every second; false if the process ended instead."""

    def news() -> str:
        recovers = "automatic recovery in progress" in _said(cluster, log_start)
        return "The database recovers from an unclean stop" if recovers else "The database is starting"

    for _turn in _turns(news, report):
        if process.poll() is not None:
            return False
        found = _read_pid_file(cluster.data)
        if found and found[0] == process.pid and found[2] == "ready":
            return True
    raise AssertionError("unreachable: waiting has no end")


def _turns(news: str | Callable[[], str], report: Callable[[str], None]) -> Iterator[int]:
    """Endless turns of a loop with a short wait between them; the news is reported once a second."""
    pause = threading.Event()
    per_second = round(1 / _TICK)
    for turn in itertools.count():
        if turn and turn % per_second == 0:
            report(f"{news() if callable(news) else news} ({turn // per_second} s)")
        yield turn
        pause.wait(_TICK)


def _lock(file: Path) -> IO[bytes] | None:
    """The file, locked for as long as it stays open here or in a child; None if another process has it."""
    held = file.open("ab")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        return None
    return held


def _read_pid_file(data: Path) -> tuple[int, int, str] | None:
    """Process id, port and state (starting, ready, stopping) as the server wrote them, once it has."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), int(lines[3]), lines[7].strip()
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _clear_pid_file(data: Path) -> tuple[int, int] | None:
    """Remove what a dead server left, even if its process id now belongs to another program.

    Nobody holds the lock here; a server that was started by hand on this folder is returned instead.
    """
    file = data / "postmaster.pid"
    try:
        pid = int(file.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        pid = 0
    found = _read_pid_file(data)
    if found and _is_server(pid, data):
        return found[0], found[1]
    file.unlink(missing_ok=True)
    return None


def _is_ready(found: tuple[int, int, str] | None, data: Path) -> bool:
    return found is not None and found[2] == "ready" and _is_server(found[0], data)


def _is_server(pid: int, data: Path) -> bool:
    """Whether the process is a PostgreSQL server on this very folder."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(os.fsdecode(words[0])).name == "postgres" and os.fsencode(data) in words


def _turn_log(cluster: Cluster) -> None:
    """Begin a new log file when the old one is long; one old file is kept."""
    cluster.log.touch(mode=0o600)
    if cluster.log.stat().st_size > _LOG_KEPT:
        cluster.log.replace(cluster.log.with_suffix(".log.1"))
        cluster.log.touch(mode=0o600)


def _said(cluster: Cluster, log_start: int) -> str:
    with cluster.log.open("rb") as log:
        log.seek(log_start)
        return log.read().decode(errors="replace")


def _failure(cluster: Cluster, said: str) -> Unavailable:
    if "No space left on device" in said:
        return postgres_cluster.disk_full(cluster.folder, shutil.disk_usage(cluster.folder).free)
    reasons = re.findall(r"(?:FATAL|PANIC|error): +(.*)", said)
    return Unavailable(
        "postgres_failed",
        f"The database did not start: {reasons[0] if reasons else 'it gave no reason'}. "
        f"Its log is {cluster.log}.",
    )


def _make_database(cluster: Cluster, port: int) -> None:
    """Make Bursar's database unless it is there; proves as well that the password is right."""
    try:
        connection = psycopg.connect(cluster.url(port, "postgres"), autocommit=True)
    except psycopg.OperationalError as error:
        raise Unavailable("postgres_refused", f"The database on port {port} refuses us: {error}") from error
    with connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(query, [postgres_cluster.DATABASE]).fetchone() is None:
            name = sql.Identifier(postgres_cluster.DATABASE)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))


def _end(cluster: Cluster, pid: int) -> None:
    """Ask the server to roll back what is open, write all down and stop; insist if it takes too long."""
    patience = round(_PATIENCE / _TICK)
    for turn in _turns("", lambda _line: None):
        if not _is_server(pid, cluster.data):
            return
        if turn % patience == 0:
            os.kill(pid, signal.SIGINT if turn == 0 else signal.SIGQUIT)
