"""Money never loses a cent, and never mixes currencies."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.kernel.money import BASIS_POINTS, Money, total

minors = st.integers(min_value=-(10**15), max_value=10**15)
weights = st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=12).filter(sum)
basis_points = st.integers(min_value=0, max_value=BASIS_POINTS)


@given(minors, weights)
def test_a_split_sums_to_the_whole(minor: int, weighing: list[int]) -> None:
    parts = Money(minor, "USD").split(weighing)
    assert total(parts, "USD") == Money(minor, "USD")
    assert len(parts) == len(weighing)


@given(minors, weights)
def test_each_part_is_within_one_minor_unit_of_its_exact_share(minor: int, weighing: list[int]) -> None:
    for part, weight in zip(Money(minor, "USD").split(weighing), weighing, strict=True):
        assert abs(part.minor - Fraction(minor * weight, sum(weighing))) < 1


@given(minors, weights)
def test_a_part_never_has_the_other_sign_and_a_zero_weight_gets_nothing(
    minor: int, weighing: list[int]
) -> None:
    for part, weight in zip(Money(minor, "USD").split(weighing), weighing, strict=True):
        assert part.minor * minor >= 0
        assert weight or part.minor == 0


@given(minors, weights)
def test_a_heavier_weight_never_gets_less(minor: int, weighing: list[int]) -> None:
    parts = Money(minor, "USD").split(weighing)
    by_weight = sorted(zip(weighing, parts, strict=True), key=lambda pair: (pair[0], abs(pair[1].minor)))
    assert [abs(part.minor) for _, part in by_weight] == sorted(abs(part.minor) for part in parts)


@given(minors, weights)
def test_the_mirror_of_an_amount_splits_into_the_mirror_of_its_parts(minor: int, weighing: list[int]) -> None:
    amount = Money(minor, "USD")
    assert (-amount).split(weighing) == [-part for part in amount.split(weighing)]


@given(minors, weights, st.integers(min_value=1, max_value=1_000))
def test_only_the_proportions_of_the_weights_count(minor: int, weighing: list[int], factor: int) -> None:
    amount = Money(minor, "USD")
    assert amount.split(weighing) == amount.split([weight * factor for weight in weighing])


def test_equal_remainders_go_to_the_earlier_weight() -> None:
    assert [part.minor for part in Money(100, "USD").split([1, 1, 1])] == [34, 33, 33]
    assert [part.minor for part in Money(-100, "USD").split([1, 1, 1])] == [-34, -33, -33]
    assert [part.minor for part in Money(2, "USD").split([1, 1, 1])] == [1, 1, 0]


@pytest.mark.parametrize("weighing", [[], [0], [0, 0], [1, -1], [2, -1], [-1]])
def test_weights_that_say_nothing_are_refused(weighing: list[int]) -> None:
    with pytest.raises(ValueError, match="weights must be non-negative and sum to more than zero"):
        Money(100, "USD").split(weighing)


@given(minors, basis_points)
def test_a_share_is_the_nearest_minor_unit(minor: int, points: int) -> None:
    exact = Fraction(minor * points, BASIS_POINTS)
    share = Money(minor, "USD").share(points).minor
    assert abs(share - exact) <= Fraction(1, 2)
    assert abs(share) <= abs(minor)
    assert share * minor >= 0


@given(minors, basis_points)
def test_a_share_of_the_mirror_is_the_mirror_of_the_share(minor: int, points: int) -> None:
    assert Money(-minor, "USD").share(points) == -Money(minor, "USD").share(points)


@given(minors)
def test_the_whole_share_is_the_whole_and_none_is_nothing(minor: int) -> None:
    amount = Money(minor, "USD")
    assert amount.share(BASIS_POINTS) == amount
    assert amount.share(0) == Money.zero("USD")


def test_half_a_minor_unit_goes_away_from_zero() -> None:
    assert Money(50, "USD").share(100).minor == 1
    assert Money(49, "USD").share(100).minor == 0
    assert Money(-50, "USD").share(100).minor == -1


@given(minors, minors, minors)
def test_sums_do_not_depend_on_order_and_undo(first: int, second: int, third: int) -> None:
    one, two, three = Money(first, "EUR"), Money(second, "EUR"), Money(third, "EUR")
    assert (one + two) + three == three + (two + one)
    assert one + two - two == one
    assert one + -one == Money.zero("EUR")


@given(minors, minors)
def test_amounts_of_one_currency_are_ordered_as_numbers_are(first: int, second: int) -> None:
    one, two = Money(first, "USD"), Money(second, "USD")
    assert (one < two, one <= two, one > two, one >= two, one == two) == (
        first < second,
        first <= second,
        first > second,
        first >= second,
        first == second,
    )
    assert bool(one) == (first != 0)


@given(minors, minors, st.tuples(*[st.sampled_from(["USD", "EUR", "JPY", "GBP"])] * 2))
def test_currencies_never_mix(first: int, second: int, currencies: tuple[str, str]) -> None:
    assume(currencies[0] != currencies[1])
    one, two = Money(first, currencies[0]), Money(second, currencies[1])
    assert one != two
    for combine in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(ValueError, match="cannot be combined"):
            combine(one, two)
    with pytest.raises(ValueError, match="cannot be combined"):
        total([one, two], currencies[0])


@pytest.mark.parametrize("minor", [1.0, 1.5, True, "1", None])
def test_part_of_a_cent_is_no_money(minor: int) -> None:
    with pytest.raises(TypeError, match="whole number of minor units"):
        Money(minor, "USD")


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDT", "U5D", "ÜSD", "U D", "U\nD"])
def test_a_currency_is_three_upper_case_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="three-letter upper-case code"):
        Money(1, currency)
