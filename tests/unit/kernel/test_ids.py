"""Identifiers sort by the time at which they were made."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from hypothesis import example, given
from hypothesis import strategies as st

from services.kernel import ids

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
instants = st.datetimes(datetime(1971, 1, 1), datetime(2600, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis takes them bare


@given(instants)
@example(datetime(2026, 11, 24, 12, 0, 0, 1_000, tzinfo=UTC))
def test_an_id_holds_its_millisecond(at: datetime) -> None:
    assert ids.fresh(at).int >> 80 == (at - EPOCH) // timedelta(milliseconds=1)


@given(instants, st.integers(min_value=1, max_value=10**9))
def test_an_id_sorts_after_those_of_earlier_milliseconds(at: datetime, later: int) -> None:
    earlier, after = ids.fresh(at), ids.fresh(at + timedelta(milliseconds=later))
    assert earlier < after
    assert str(earlier) < str(after)
    assert earlier.bytes < after.bytes


@given(instants)
def test_an_id_is_a_version_7_uuid(at: datetime) -> None:
    made = ids.fresh(at)
    assert (made.version, made.variant) == (7, RFC_4122)


def test_ids_of_one_instant_differ() -> None:
    assert len({ids.fresh(FIRST) for _ in range(10_000)}) == 10_000
