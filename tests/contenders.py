"""Several people doing something at the very same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from services.kernel.errors import Unavailable

T = TypeVar("T")
MOST_TRIES = 20


def at_once(acts: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Start every act at the same instant; each one's answer, or the error that ended it, in order."""
    gate = threading.Barrier(len(acts))

    def contend(act: Callable[[], T]) -> T | Exception:
        gate.wait(timeout=30)
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - the error is the answer, for the test to judge
            return error

    with ThreadPoolExecutor(len(acts)) as contenders:
        return list(contenders.map(contend, acts))


def patient(act: Callable[[], T]) -> Callable[[], T]:
    """The act, done again while the machine is too busy for it, as the worker does."""

    def persist() -> T:
        for _ in range(MOST_TRIES):
            with suppress(Unavailable):
                return act()
        return act()

    return persist
