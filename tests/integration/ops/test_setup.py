"""Set-up on machines that lack something: it says exactly what is missing, and what would bring it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What set-up reads of a clone, with neither environment nor tools yet."""
    shutil.copytree(ROOT / "ops", tmp_path / "clone" / "ops")
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / "clone")
    return tmp_path / "clone"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The only folder on the search path: a bare system's programs, and a person without rights."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("cat", "cksum", "dirname", "head", "mktemp", "rm", "sh"):
        (folder / name).symlink_to(shutil.which(name) or name)
    program(folder / "id", "echo 1000")
    return folder


def program(path: Path, says: str) -> None:
    """Write a small shell program."""
    path.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    path.chmod(0o755)


def set_up(clone: Path, *step: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run set-up in the clone, with the PATH of these tests unless another is given."""
    command = [str(clone / "ops" / "setup"), *step]
    known = {"PATH": os.environ["PATH"]} | environment
    return subprocess.run(command, env=known, check=False, capture_output=True, text=True, timeout=60)


def test_without_a_python_it_names_the_version(clone: Path, programs: Path) -> None:
    done = set_up(clone, PATH=str(programs))
    assert done.returncode == 1
    assert "Python 3.11 or newer is missing" in done.stderr


def test_an_older_python_is_as_good_as_none(clone: Path, programs: Path) -> None:
    program(programs / "python3", "exit 1")
    done = set_up(clone, PATH=str(programs))
    assert "Python 3.11 or newer is missing" in done.stderr


def test_without_uv_pip_and_venv_it_names_what_brings_one(clone: Path, programs: Path) -> None:
    program(programs / "python3", 'case "$*" in *sys.version_info*) exit 0 ;; *) exit 1 ;; esac')
    done = set_up(clone, PATH=str(programs))
    assert done.returncode == 1
    assert "neither pip nor venv" in done.stderr
    assert "apt-get install python3-venv" in done.stderr


def test_a_browser_that_does_not_run_is_named() -> None:
    done = set_up(ROOT, "browser", CHROMIUM="/no/such/chromium")
    assert (done.returncode, done.stdout) == (1, "")
    assert "'/no/such/chromium', which does not run" in done.stderr


def test_a_browser_that_is_named_is_taken(tmp_path: Path) -> None:
    program(tmp_path / "chromium", "echo Chromium 1")
    done = set_up(ROOT, "browser", CHROMIUM=str(tmp_path / "chromium"))
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'chromium'}\n")


def test_an_unknown_step_names_the_known_ones() -> None:
    done = set_up(ROOT, "everything")
    assert done.returncode == 1
    assert "packages (the default), browser, lock" in done.stderr
