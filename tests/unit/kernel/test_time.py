"""Clocks tell UTC, and the next month begins where a calendar says."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.time import SetClock, SystemClock, first_of_next_month

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@given(st.dates(date(1900, 1, 1), date(2900, 12, 31)))
def test_the_next_month_begins_on_a_first_within_31_days(day: date) -> None:
    first = first_of_next_month(day)
    assert first.day == 1
    assert timedelta(0) < first - day <= timedelta(days=31)
    assert (first - timedelta(days=1)).month == day.month


def test_december_is_followed_by_january_of_the_next_year() -> None:
    assert first_of_next_month(date(2026, 12, 31)) == date(2027, 1, 1)


def test_a_set_clock_stands_until_it_is_moved() -> None:
    clock = SetClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(timedelta(days=30))
    assert clock.now() == datetime(2026, 12, 24, 12, 0, tzinfo=UTC)


def test_a_set_clock_tells_utc_whatever_zone_it_was_set_in() -> None:
    clock = SetClock(NOON.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.now() == NOON


def test_an_instant_without_a_zone_is_no_instant() -> None:
    with pytest.raises(ValueError, match="needs its zone"):
        SetClock(NOON.replace(tzinfo=None))


def test_the_machines_clock_tells_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)
