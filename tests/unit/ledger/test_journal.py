"""A journal balances in each unit, or it is refused before it reaches the database."""

from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.money import Money
from services.ledger.journal import Account, Journal, Line, Side, credit, debit, mirror, without_zeros

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SUBJECT = UUID("0192f0c0-0000-7000-8000-0000000000bb")
CASH = Account("stripe_pending", "USD", Side.DEBIT)
SHARE = Account("platform_share", "USD", Side.CREDIT)
TOKENS = Account("wallet", "TOK", Side.CREDIT, book="token")

accounts = st.builds(
    Account,
    st.sampled_from(["stripe_pending", "platform_share", "tax_payable"]),
    st.sampled_from(["USD", "EUR"]),
    st.sampled_from(Side),
)
amounts = st.integers(min_value=-(10**9), max_value=10**9)
lines = st.lists(st.builds(Line, accounts, amounts), max_size=8)


def journal(*of: Line) -> Journal:
    """A journal of the given lines."""
    return Journal("test", "test:1", "test", SUBJECT, NOON, of)


def off(of: list[Line]) -> dict[str, int]:
    """By how much the lines of each unit miss zero."""
    sums: Counter[str] = Counter()
    for line in of:
        sums[line.account.unit] += line.amount_minor
    return {unit: missing for unit, missing in sums.items() if missing}


@given(lines)
def test_any_lines_either_balance_or_are_refused(of: list[Line]) -> None:
    fits = len(of) >= 2 and all(line.amount_minor for line in of) and not off(of)
    try:
        journal(*of)
    except ValueError:
        assert not fits
    else:
        assert fits


@given(st.lists(st.builds(Line, accounts, amounts.filter(bool)), min_size=1, max_size=8))
def test_lines_that_are_brought_to_zero_are_taken_and_one_minor_unit_more_is_not(of: list[Line]) -> None:
    balancing = [Line(Account("rest", unit, Side.DEBIT), -missing) for unit, missing in off(of).items()]
    whole = [*of, *balancing]
    if len(whole) < 2:
        return
    assert journal(*whole).lines == tuple(whole)
    moved = Line(whole[0].account, whole[0].amount_minor + 1)
    with pytest.raises(ValueError, match="test:1"):
        journal(moved, *whole[1:])


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ((), "at least two lines"),
        ((Line(CASH, 0),), "at least two lines"),
        ((Line(CASH, 0), Line(SHARE, 0)), "a line of zero"),
        ((Line(CASH, 5), Line(SHARE, -4)), r"off by .*'USD': 1"),
        ((Line(CASH, 5), Line(Account("tax_payable", "EUR", Side.CREDIT), -5)), "off by"),
        ((Line(CASH, 5), Line(TOKENS, -5)), "mixes books"),
    ],
)
def test_what_is_wrong_with_a_journal_is_said(of: tuple[Line, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        journal(*of)


@given(lines)
def test_the_mirror_undoes_and_its_mirror_restores(of: list[Line]) -> None:
    undone = mirror(of)
    assert [line.account for line in undone] == [line.account for line in of]
    assert all(there.amount_minor + back.amount_minor == 0 for there, back in zip(of, undone, strict=True))
    assert [line.amount_minor for line in mirror(undone)] == [line.amount_minor for line in of]


def test_a_mirrored_earning_does_not_mature() -> None:
    earned = credit(SHARE, Money(5, "USD"), matures_at=NOON)
    assert [line.matures_at for line in mirror([earned])] == [None]


@given(lines)
def test_lines_of_zero_are_left_out_and_nothing_else(of: list[Line]) -> None:
    kept = without_zeros(of)
    assert all(line.amount_minor for line in kept)
    assert off(list(kept)) == off(of)
    assert len(kept) == sum(1 for line in of if line.amount_minor)


def test_debits_are_positive_and_credits_negative_whatever_the_account() -> None:
    amount = Money(5, "USD")
    assert debit(SHARE, amount).amount_minor == debit(CASH, amount).amount_minor == 5
    assert credit(SHARE, amount, purchase_line=SUBJECT).amount_minor == -5
    assert journal(debit(CASH, amount), credit(SHARE, amount)).book == "money"


def test_an_amount_is_posted_in_its_accounts_unit_only() -> None:
    with pytest.raises(ValueError, match="EUR cannot be posted to stripe_pending in USD"):
        debit(CASH, Money(5, "EUR"))
    with pytest.raises(ValueError, match="EUR cannot be posted to platform_share in USD"):
        credit(SHARE, Money(5, "EUR"))
