"""The demo's script: the same every time, ordered, and with sales in this month and the last."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo import cast, script
from app.demo.script import Buy, Ending, GiveBack, Join, Shelve

PAID = {Ending.PAID, Ending.PAID_WITH_SECOND_CARD}
PRESENTS = st.integers(1_770_000_000, 1_900_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))


@given(PRESENTS)
def test_each_of_the_last_two_months_has_sales_of_the_first_instructor(present: datetime) -> None:
    sold = {
        (act.at.year, act.at.month)
        for act in script.acts(seed=1, until=present)
        if isinstance(act, Buy) and act.ending in PAID and act.course.owner is cast.MAYA
    }
    before = present.replace(day=1) - timedelta(days=1)
    assert {(present.year, present.month), (before.year, before.month)} <= sold


@given(PRESENTS)
def test_acts_come_in_order_and_nobody_acts_before_they_exist(present: datetime) -> None:
    there: set[str] = set()
    has: set[tuple[str, str]] = set()
    last = datetime.min.replace(tzinfo=UTC)
    for act in script.acts(seed=1, until=present):
        assert last <= act.at <= present
        last = act.at
        if isinstance(act, Join):
            assert act.person.email not in there
            there.add(act.person.email)
        elif isinstance(act, Shelve):
            assert set(act.course.shares) <= there
            there.add(act.course.key)
        elif isinstance(act, Buy):
            assert {act.buyer.email, act.course.key} <= there
            assert (act.buyer.email, act.course.key) not in has
            has |= {(act.buyer.email, act.course.key)} if act.ending in PAID else set()
        elif isinstance(act, GiveBack):
            assert (act.buyer.email, act.course.key) in has


@pytest.mark.parametrize("day", [1, 8, 15, 24])
def test_the_half_year_has_the_shape_of_a_business(day: int) -> None:
    present = datetime(2026, 11, day, 12, tzinfo=UTC)
    story = script.acts(seed=2026, until=present)
    buys = [act for act in story if isinstance(act, Buy)]
    assert 100 <= len(buys) <= 160
    endings = Counter(act.ending for act in buys)
    assert all(endings[ending] >= 2 for ending in Ending)
    assert 5 <= sum(isinstance(act, GiveBack) for act in story) <= 12
    courses = Counter(act.course.key for act in buys)
    assert courses.most_common(1)[0][0] == cast.LEAD.key
    assert courses[cast.FREE.key] > 5
    assert {act.channel for act in buys} == {"platform", "instructor"}


def test_amounts_depend_on_the_day_alone() -> None:
    def shape(present: datetime) -> list[tuple[str, str, Ending, str]]:
        return [
            (act.buyer.email, act.course.key, act.ending, act.channel)
            for act in script.acts(seed=2026, until=present)
            if isinstance(act, Buy)
        ]

    morning, evening = (datetime(2026, 11, 24, hour, 30, tzinfo=UTC) for hour in (0, 23))
    assert shape(morning) == shape(evening) != shape(morning - timedelta(days=1))


def test_invented_people_are_told_apart() -> None:
    emails = [person.email for person in (*cast.STAFF, *cast.BUYERS)]
    assert len(set(emails)) == len(emails)
    assert all(email.endswith("@example.com") for email in emails)
    assert len({course.key for course in cast.COURSES}) == len(cast.COURSES) == 12
