"""Closed loops of clients, and what their times come to."""

import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """How long each of many calls took, in seconds, and how long they took together."""

    each: tuple[float, ...]
    together: float

    def at(self, percent: int) -> float:
        """The time that the given percentage of calls stays within, in milliseconds."""
        return statistics.quantiles(self.each, n=100)[percent - 1] * 1000

    @property
    def per_second(self) -> float:
        """Calls a second of all clients together."""
        return len(self.each) / self.together

    def __str__(self) -> str:
        return (
            f"{len(self.each)} calls, {self.per_second:.0f}/s, "
            f"p50 {self.at(50):.1f} ms, p95 {self.at(95):.1f} ms, p99 {self.at(99):.1f} ms"
        )


def closed_loop(act: Callable[[int], float], *, clients: int, seconds: float) -> Times:
    """Let each client call again as soon as it is answered; `act` gives the seconds of a call that count."""
    stop = threading.Event()

    def client(number: int) -> list[float]:
        took = []
        while not stop.is_set():
            took.append(act(number))
        return took

    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(client, number) for number in range(clients)]
        stop.wait(seconds)
        stop.set()
        each = tuple(took for done in running for took in done.result())
    return Times(each, time.perf_counter() - begun)
