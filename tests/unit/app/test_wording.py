"""Money, percentages, dates and other people's words, as a person reads them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app import wording
from services.kernel.money import Money


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.mark.parametrize(
    ("amount", "exact", "rounded", "change"),
    [
        (usd(465_456), "$4,654.56", "$4,655", "+$4,655"),
        (usd(874_249), "$8,742.49", "$8,742", "+$8,742"),
        (usd(-13_700), "-$137.00", "-$137", "-$137"),
        (usd(0), "$0.00", "$0", "$0"),
        (usd(-4), "-$0.04", "$0", "$0"),
        (usd(99_950), "$999.50", "$1,000", "+$1,000"),
        (Money(1_234_50, "EUR"), "€1,234.50", "€1,235", "+€1,235"),
        (Money(500, "JPY"), "JPY 500", "JPY 500", "+JPY 500"),
        (Money(1_205, "CHF"), "CHF 12.05", "CHF 12", "+CHF 12"),
    ],
)
def test_money(amount: Money, exact: str, rounded: str, change: str) -> None:
    assert wording.money(amount) == exact
    assert wording.money_round(amount) == rounded
    assert wording.change(amount) == change


def test_our_own_html_uses_the_typographic_minus() -> None:
    assert wording.change_exact(usd(-13_700)) == "\N{MINUS SIGN}$137.00"
    assert wording.change_label(usd(-126_100)) == "\N{MINUS SIGN}$1,261"


@given(some.integers(min_value=-(10**12), max_value=10**12))
def test_exact_money_says_every_cent(minor: int) -> None:
    digits = wording.money(usd(minor)).translate(str.maketrans("", "", "$,.-"))
    assert int(digits) == abs(minor)


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.87, "87%"), (0.014, "1.4%"), (0.1, "10%"), (0.0, "0.0%"), (1.0, "100%"), (None, "\N{EN DASH}")],
)
def test_percent(rate: float | None, text: str) -> None:
    assert wording.percent(rate) == text


def test_points() -> None:
    assert wording.points(-0.008) == "-0.8 pts"
    assert wording.points(0.004) == "+0.4 pts"


def test_dates() -> None:
    on = date(2026, 11, 2)
    assert wording.day(on) == "2 Nov 2026"
    assert wording.day(on, today=date(2026, 12, 1)) == "2 Nov"
    assert wording.day(on, today=date(2027, 1, 1)) == "2 Nov 2026"
    assert wording.moment(datetime(2026, 11, 22, 23, 55, tzinfo=UTC)) == "22 Nov 2026, 23:55 UTC"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (5, "5 s ago"),
        (119, "119 s ago"),
        (240, "4 min ago"),
        (3 * 3600, "3 h ago"),
        (5 * 86400, "5 days ago"),
    ],
)
def test_since(ago: int, text: str) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert wording.since(now - timedelta(seconds=ago), now) == text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_that_would_run_are_marked_as_text(start: str) -> None:
    assert wording.cell(f"{start}HYPERLINK()") == f"'{start}HYPERLINK()"


def test_other_cells_stay() -> None:
    assert [wording.cell(value) for value in ("Course", -5, None)] == ["Course", -5, None]


def test_words_of_others_are_no_formatting() -> None:
    assert (
        wording.plain("![x](http://a.test) costs $5.00 *now*")
        == r"\!\[x\](http\://a.test) costs \$5.00 \*now\*"
    )
    assert wording.plain("1. Start") == r"1\. Start"
    assert wording.plain("- a\n# b") == r"\- a \# b"
    assert wording.markup("<b onload='x'>&") == "&lt;b onload=&#x27;x&#x27;&gt;&amp;"


def test_lists_in_sentences() -> None:
    assert wording.listed(["a"]) == "a"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert wording.counted(1, "sale", "sales") == "1 sale"
    assert wording.counted(1_200, "sale", "sales") == "1,200 sales"
