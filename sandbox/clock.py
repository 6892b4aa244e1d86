"""The sandbox's time: the real one, or frozen at an instant that the control API chose.

Objects, expiries and maturing follow this clock. Deliveries follow `wall`, because the receiver of a
webhook checks its signature against the real time and a frozen clock must not stop retries.
"""

import time


class Clock:
    """Seconds since 1970, UTC; frozen while `frozen_at` is set."""

    def __init__(self, frozen_at: int | None = None) -> None:
        self.frozen_at = frozen_at

    def now(self) -> int:
        """Whole seconds, as every `created` of Stripe."""
        return self.frozen_at if self.frozen_at is not None else int(time.time())

    def freeze(self, at: int | None) -> None:
        """Stand still at that second, or run with the real time again when `at` is None."""
        self.frozen_at = at

    def advance(self, seconds: int) -> None:
        """Freeze that many seconds after the present one."""
        self.frozen_at = self.now() + seconds


def wall() -> float:
    """The real time in seconds, whatever the clock shows."""
    return time.time()
