"""Waiting for a condition instead of for a while."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], what: str, *, seconds: float = 30) -> None:
    """Return as soon as the condition holds; fail, naming what was waited for, if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.02)
