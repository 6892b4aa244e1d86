"""Style, format and types hold over the whole tree, as `make lint` says them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    "checker",
    [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)],
    ids=" ".join,
)
def test_checker_finds_nothing(checker: tuple[str, ...]) -> None:
    ran = subprocess.run(
        [Path(sys.executable).parent / checker[0], *checker[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
