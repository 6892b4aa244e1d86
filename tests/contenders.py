"""Several people doing something at the very same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


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
