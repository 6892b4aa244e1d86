"""The clock that is passed in, and the calendar days that money knows."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Something that tells the present instant."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


class SetClock:
    """A clock that stands where it was set: for demos and tests."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def now(self) -> datetime:
        """The instant the clock was set to."""
        return self._at

    def set(self, at: datetime) -> None:
        """Move the clock to an instant, which must carry its zone."""
        if at.tzinfo is None:
            raise ValueError("an instant needs its zone")
        self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move the clock on by a duration."""
        self._at += by


def first_of_next_month(day: date) -> date:
    """The first day of the month after the given day's."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
