"""A watched process: started again with patience, ended for good, and never mistaken for another."""

import json
import multiprocessing
import os
import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import own_secrets
from app.child import NEWS, Child, end_orphans
from app.ground import until_healthy
from services.kernel.errors import Unavailable
from services.runtime import ports
from tests.integration.app.bursar_up import are_gone
from tests.waiting import until


@pytest.fixture
def told() -> list[str]:
    """What was reported."""
    return []


@pytest.fixture
def child(tmp_path: Path, told: list[str]) -> Iterator[Child]:
    """A small server as a child; ended after the test."""
    port = next(ports.free(tmp_path / "no memory"))
    watched = Child("lodger", ["http.server", str(port), "--bind", "127.0.0.1"], tmp_path, told.append)
    yield watched
    watched.end()


def test_a_killed_child_is_started_again_with_the_same_environment(child: Child, told: list[str]) -> None:
    child.start({"BURSAR_MARK": "kept"})
    assert child.process is not None
    first = child.process.pid
    os.kill(first, signal.SIGKILL)

    def is_back() -> bool:
        child.tend()
        return child.is_running and child.process is not None and child.process.pid != first

    until(is_back, "it is back")
    assert told == ["The lodger ended (by signal SIGKILL): starting it again"]
    assert b"BURSAR_MARK=kept" in Path(f"/proc/{child.process.pid}/environ").read_bytes()


def test_a_child_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path, told: list[str]) -> None:
    hopeless = Child("lodger", ["no_such_module_anywhere"], tmp_path, told.append)
    hopeless.start({})

    with pytest.raises(Unavailable, match="No module named no_such_module_anywhere") as refusal:
        until_healthy(hopeless, lambda: False, told.append)
    hopeless.end()
    assert str(hopeless.log) in refusal.value.message
    assert len([line for line in told if "starting it again" in line]) == 4


def test_a_child_that_will_not_listen_is_ended_all_the_same(child: Child) -> None:
    child.start({})
    assert child.process is not None
    pid = child.process.pid
    os.kill(pid, signal.SIGSTOP)

    child.end()
    assert are_gone({pid})
    assert not list((child.folder / "run").iterdir())


def test_only_lines_for_people_are_news(child: Child) -> None:
    child.start({})
    with child.log.open("a") as log:
        log.write(f'{{"event": "internal"}}\n{NEWS}ten purchases made\n{{"event": "internal"}}\n')

    assert child.next_news() == "ten purchases made"
    assert child.next_news() is None


def test_an_orphan_is_ended_and_a_foreign_process_with_its_number_is_not(
    child: Child, told: list[str], tmp_path: Path
) -> None:
    child.start({})
    with subprocess.Popen(["/bin/sleep", "1000"]) as foreign:
        (tmp_path / "run" / "server.pid").write_text(f"{foreign.pid} 1")
        assert child.process is not None
        pid = child.process.pid

        end_orphans(tmp_path, report=told.append)
        assert child.process.wait(10) == -signal.SIGKILL
        assert foreign.poll() is None
        foreign.kill()
    assert told == ["Ending the lodger that an earlier run left behind"]
    assert are_gone({pid})
    assert not list((tmp_path / "run").iterdir())


def test_secrets_are_made_once_even_by_two_at_the_same_time(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        made = pool.map(_known, [tmp_path] * 8)

    assert len(set(made)) == 1
    assert re.fullmatch(r"sk_test_\w{48}", json.loads(made[0])["stripe_secret_key"])
    file = tmp_path / "secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]
    assert "sk_test_" not in repr(own_secrets.keep(tmp_path))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"stripe_secret_key": 1'])
def test_damaged_secrets_are_named_and_not_made_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets.json").write_text(content)

    with pytest.raises(Unavailable, match=r"secrets\.json is damaged"):
        own_secrets.keep(tmp_path)
    assert (tmp_path / "secrets.json").read_text() == content


def _known(folder: Path) -> str:
    known = own_secrets.keep(folder)
    return json.dumps({name: getattr(known, name) for name in known.__slots__})
