"""The shares of a line sum to what was paid for it, and nobody's is below zero."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.ids import UserId
from services.kernel.money import BASIS_POINTS, Money, total
from services.marketplace.split import Party, Share, shares

prices = st.integers(min_value=0, max_value=10**9)
rates = st.integers(min_value=0, max_value=BASIS_POINTS)
people = st.lists(st.uuids(version=4), min_size=1, max_size=20, unique=True)


@st.composite
def teachers(draw: st.DrawFn) -> dict[UserId, int]:
    """Any number of co-instructors whose basis points sum to the whole."""
    who = draw(people)
    weights = draw(st.lists(st.integers(1, 1_000), min_size=len(who), max_size=len(who)))
    parts = Money(BASIS_POINTS, "XXX").split(weights)
    return {UserId(person): part.minor for person, part in zip(who, parts, strict=True)}


def divide(net: int, tax: int, rate: int, instructors: dict[UserId, int]) -> list[Share]:
    """The shares of a line in dollars."""
    return shares(net=Money(net, "USD"), tax=Money(tax, "USD"), instructor_bp=rate, instructors=instructors)


@given(prices, prices, rates, teachers())
def test_shares_sum_to_net_plus_tax(net: int, tax: int, rate: int, taught_by: dict[UserId, int]) -> None:
    divided = divide(net, tax, rate, taught_by)
    assert total((share.amount for share in divided), "USD") == Money(net + tax, "USD")
    assert all(share.amount.minor > 0 for share in divided)


@given(prices, prices, rates, teachers())
def test_each_party_has_one_share_and_tax_is_passed_on_whole(
    net: int, tax: int, rate: int, taught_by: dict[UserId, int]
) -> None:
    divided = divide(net, tax, rate, taught_by)
    assert len({(share.party, share.party_id) for share in divided}) == len(divided)
    assert [share.amount.minor for share in divided if share.party is Party.TAX] == ([tax] if tax else [])
    assert {share.party_id for share in divided if share.party is Party.INSTRUCTOR} <= taught_by.keys()


@given(prices, rates, teachers())
def test_the_instructors_get_their_rate_however_many_they_are(
    net: int, rate: int, taught_by: dict[UserId, int]
) -> None:
    earned = [share for share in divide(net, 0, rate, taught_by) if share.party is Party.INSTRUCTOR]
    assert total((share.amount for share in earned), "USD") == Money(net, "USD").share(rate)


@given(prices, rates, teachers())
def test_each_instructor_is_within_one_minor_unit_of_the_exact_part(
    net: int, rate: int, taught_by: dict[UserId, int]
) -> None:
    together = Money(net, "USD").share(rate).minor
    for share in divide(net, 0, rate, taught_by):
        if share.party_id:
            assert (
                abs(share.amount.minor * BASIS_POINTS - together * taught_by[share.party_id]) < BASIS_POINTS
            )
            assert share.rate_bp == rate * taught_by[share.party_id] // BASIS_POINTS


ROBIN, SAM, KIM = (UserId(UUID(int=number)) for number in (1, 2, 3))


def test_a_platform_sale_of_100_gives_37_and_63() -> None:
    divided = divide(10_000, 0, 3_700, {ROBIN: 10_000})
    assert [(share.party, share.party_id, share.amount.minor, share.rate_bp) for share in divided] == [
        (Party.INSTRUCTOR, ROBIN, 3_700, 3_700),
        (Party.PLATFORM, None, 6_300, 6_300),
    ]


def test_the_odd_cent_goes_to_the_largest_remainder_and_then_to_the_first() -> None:
    divided = divide(100, 20, 10_000, {ROBIN: 3_333, SAM: 3_333, KIM: 3_334})
    assert {share.party_id: share.amount.minor for share in divided} == {
        ROBIN: 33,
        SAM: 33,
        KIM: 34,
        None: 20,
    }


def test_a_free_line_has_no_shares() -> None:
    assert divide(0, 0, 3_700, {ROBIN: 10_000}) == []


@pytest.mark.parametrize("parts", [{}, {ROBIN: 9_999}, {ROBIN: 10_001}, {ROBIN: 5_000, SAM: 4_000}])
def test_instructors_whose_parts_are_not_the_whole_are_refused(parts: dict[UserId, int]) -> None:
    with pytest.raises(ValueError, match=r"sum to \d+, not 10000"):
        divide(100, 0, 3_700, parts)
