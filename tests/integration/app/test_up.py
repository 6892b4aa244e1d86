"""`bursar up` for real: it comes up, heals whatever is killed, stops whole, and goes on where it was."""

import os
import shutil
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from services.runtime import ports, postgres
from tests.integration.app.bursar_up import CHILDREN, BursarUp, are_gone
from tests.sandboxed import start_sandbox
from tests.waiting import until

Start = Callable[..., BursarUp]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `bursar up` on the test's folder; whatever still runs at the end is stopped."""
    port = next(ports.free(tmp_path / "no memory"))
    runs: list[BursarUp] = []

    def begin(**variables: str) -> BursarUp:
        runs.append(BursarUp(tmp_path / "bursar", port, **variables))
        return runs[-1]

    yield begin
    for run in runs:
        run.stop()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BursarUp]:
    """One Bursar for the tests that leave it whole."""
    folder = tmp_path_factory.mktemp("up") / "bursar"
    run = BursarUp(folder, next(ports.free(folder / "no memory")))
    try:
        run.until_ready()
        yield run
    finally:
        run.stop()


def database_of(run: BursarUp) -> str:
    """The owner's address of the database that the run stands on."""
    running = postgres.start(run.folder / "postgres", report=lambda _line: None)
    running.stop()
    return running.url


def test_it_says_where_it_is_and_answers_there(standing: BursarUp) -> None:
    assert f"Bursar is ready: http://localhost:{standing.port}" in standing.text
    assert standing.asks("/healthz") == (200, {"status": "alive"})
    assert standing.is_whole()


def test_secrets_are_made_once_and_shown_to_nobody(standing: BursarUp) -> None:
    file = standing.folder / "secrets.json"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    printed = standing.text + "".join(log.read_text() for log in (standing.folder / "logs").iterdir())
    assert "sk_test_" not in printed
    assert "whsec_" not in printed


def test_a_second_start_on_the_folder_is_refused_in_a_sentence(standing: BursarUp) -> None:
    second = BursarUp(standing.folder, standing.port + 1)

    assert second.ended_with() == 1
    assert (
        f"Bursar runs already on the folder {standing.folder} (process {standing.process.pid})" in second.text
    )
    assert "Traceback" not in second.text
    assert standing.is_whole()


@pytest.mark.faults
@pytest.mark.parametrize("name", CHILDREN)
def test_whatever_is_killed_is_started_again_and_the_whole_heals(standing: BursarUp, name: str) -> None:
    before = standing.pid(name)
    others = {other: standing.pid(other) for other in CHILDREN if other != name}

    os.kill(before, signal.SIGKILL)
    until(
        lambda: standing.folder.exists() and pid_or_none(standing, name) not in {before, None},
        f"{name} again",
    )
    until(standing.is_whole, "the whole is healed", seconds=60)
    assert {other: standing.pid(other) for other in others} == others


def pid_or_none(run: BursarUp, name: str) -> int | None:
    try:
        return run.pid(name)
    except (FileNotFoundError, IndexError):
        return None


@pytest.mark.faults
def test_ctrl_c_stops_it_whole_the_next_start_goes_on_and_two_at_once_do_not_wait(start: Start) -> None:
    first = start()
    first.until_ready()
    with psycopg.connect(database_of(first)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pids = first.all_pids()
    assert {first.pid(name) for name in CHILDREN} <= pids
    secrets = (first.folder / "secrets.json").read_bytes()
    assert first.stop() == 0
    until(lambda: are_gone(pids), "no process is left")
    assert "goes on where this one was" in first.text

    second = start()
    second.until_ready()
    assert (second.folder / "secrets.json").read_bytes() == secrets
    with psycopg.connect(database_of(second)) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]

    pids = second.all_pids()
    for name in ("server", "worker"):
        os.kill(second.pid(name), signal.SIGSTOP)
    second.process.send_signal(signal.SIGINT)
    until(lambda: "Stopping" in second.text, "the first Ctrl-C was heard")
    second.process.send_signal(signal.SIGINT)
    assert second.ended_with() == 128 + signal.SIGINT
    until(lambda: are_gone(pids), "no process is left")


def test_sigterm_while_it_starts_stops_it_as_well(start: Start) -> None:
    run = start()
    until(lambda: "Starting the sandbox" in run.text, "it is half started")
    pids = run.all_pids()
    run.process.send_signal(signal.SIGTERM)

    assert run.ended_with() == 0
    assert "Bursar is ready" not in run.text
    until(lambda: are_gone(pids), "no process is left")


@pytest.mark.faults
def test_after_kill_9_of_itself_the_next_start_ends_orphans_and_takes_the_database_over(
    start: Start, tmp_path: Path
) -> None:
    first = start(PATH=f"{without_tether(tmp_path)}:{os.environ['PATH']}")
    first.until_ready()
    orphans = {first.pid(name) for name in CHILDREN}
    first.process.kill()
    first.process.wait()
    assert all(Path(f"/proc/{pid}").exists() for pid in orphans)

    second = start()
    second.until_ready()
    assert second.is_whole()
    assert second.pid("postgres") in orphans
    assert are_gone(orphans - {second.pid("postgres")})
    os.kill(second.pid("postgres"), signal.SIGKILL)
    until(lambda: pid_or_none(second, "postgres") not in orphans | {None}, "a database of its own")
    until(second.is_whole, "the whole is healed")

    pids = second.all_pids()
    second.process.kill()
    until(lambda: are_gone(pids), "the system ends with it what it started itself")


def without_tether(folder: Path) -> Path:
    """A folder with a setpriv that leaves children alive when their parent dies."""
    folder /= "bin"
    folder.mkdir()
    script = (
        "#!/bin/sh\n"
        'for word; do shift; case "$word" in --pdeathsig=*) ;; *) set -- "$@" "$word";; esac; done\n'
        f'case "$1" in --*) exec {shutil.which("setpriv")} "$@";; *) exec "$@";; esac\n'
    )
    (folder / "setpriv").write_text(script)
    (folder / "setpriv").chmod(0o755)
    return folder


def test_a_port_in_use_is_named_with_the_way_out(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = start(BURSAR_PORT=str(port))

        assert run.ended_with() == 1
        assert f"Port {port} is in use by another program" in run.text
        assert f"BURSAR_PORT={port + 1}" in run.text
        assert "Traceback" not in run.text


def test_what_the_settings_name_is_used_and_not_brought_along(
    start: Start, database: str, tmp_path: Path
) -> None:
    with start_sandbox(tmp_path / "stripe") as stripe:
        run = start(
            BURSAR_DATABASE_URL=database,
            BURSAR_STRIPE_SECRET_KEY=stripe.secret_key,
            BURSAR_STRIPE_WEBHOOK_SECRET="whsec_" + "invented",
            BURSAR_STRIPE_BASE_URL=stripe.base_url,
        )
        run.until_ready()
        assert run.is_whole()
        assert not (run.folder / "postgres").exists()
        assert not (run.folder / "secrets.json").exists()
        assert sorted(record.stem for record in (run.folder / "run").iterdir()) == ["server", "worker"]
        assert run.stop() == 0


def test_a_database_that_does_not_answer_is_told_without_its_password(start: Start) -> None:
    run = start(BURSAR_DATABASE_URL="postgresql://somebody:hush@127.0.0.1:1/bursar")

    assert run.ended_with() == 1
    assert "The database does not answer" in run.text
    assert "hush" not in run.text
    assert "Traceback" not in run.text


def test_a_folder_that_cannot_be_used_is_told_in_a_sentence(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = start(BURSAR_DATA_FOLDER=str(tmp_path / "file" / "bursar"))

    assert run.ended_with() == 1
    assert "bursar: Not a directory" in run.text
    assert "Traceback" not in run.text


def test_an_address_of_another_machine_is_no_taken_port(start: Start) -> None:
    run = start(BURSAR_HOST="203.0.113.1")

    assert run.ended_with() == 1
    assert "BURSAR_HOST must be an address of this machine" in run.text


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"BURSAR_STRIPE_BASE_URL": "http://127.0.0.1:1"}, "is set without BURSAR_STRIPE_SECRET_KEY"),
        (
            {"BURSAR_STRIPE_SECRET_KEY": "sk_live_" + "x", "BURSAR_STRIPE_BASE_URL": "http://127.0.0.1:1"},
            "goes with a test key only",
        ),
        ({"BURSAR_STRIPE_SECRET_KEY": "pk_test_" + "x"}, "must start with sk_test_"),
        ({"BURSAR_STRIPE_SECRET_KEY": "sk_test_" + "x"}, "BURSAR_STRIPE_WEBHOOK_SECRET is missing"),
        ({"BURSAR_PORT": "many"}, "BURSAR_PORT: Input should be a valid integer"),
    ],
)
def test_settings_that_do_not_fit_refuse_to_start_with_a_sentence(
    start: Start, variables: dict[str, str], sentence: str
) -> None:
    run = start(**variables)

    assert run.ended_with() == 1
    assert sentence in run.text
    assert "Traceback" not in run.text
    assert not (run.folder / "postgres").exists()
