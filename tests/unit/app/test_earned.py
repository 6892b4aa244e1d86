"""The instructor's answer in words, and weeks without gaps."""

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from app.parts import earned
from warehouse.reads.earnings import Measures, MonthSoFar, NextPayout

PAYOUT = NextPayout(date(2026, 12, 1), 465_456, 400_000, 65_456, 31, date(2027, 1, 1), 0)
MONTH = MonthSoFar(
    month=date(2026, 11, 1),
    earned_minor=465_456,
    before_minor=581_820,
    change_rate=-0.2,
    day_count=22,
    month_day_count=30,
    leading_course="Polars <in> Anger",
    leading_rate=0.54,
    forecast_minor=634_700,
    forecast_pays_on=date(2027, 1, 1),
)


def words(payout: NextPayout = PAYOUT, **changes: Any) -> str:  # noqa: ANN401 - one field of a month
    return earned.answer(payout, replace(MONTH, **changes), "USD")


def test_answer_compares_and_names_the_leading_course() -> None:
    assert words() == (
        "November is <strong>20% behind</strong> October on the same day. "
        "<strong>Polars &lt;in&gt; Anger</strong> brought in 54% of it."
    )


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"change_rate": 0.25}, "November is <strong>25% ahead of</strong> October on the same day."),
        ({"change_rate": 0.0}, "November is level with October on the same day."),
        (
            {"change_rate": None},
            "November has brought <strong>$4,655</strong> so far; October had nothing by this day.",
        ),
        ({"change_rate": None, "earned_minor": 0, "leading_course": None}, "November has no sale yet."),
    ],
)
def test_answer_for_every_kind_of_month(changes: dict[str, Any], start: str) -> None:
    assert words(**changes).startswith(start)


def test_answer_names_what_stays_on_hold() -> None:
    later = words(replace(PAYOUT, following_minor=166_753))
    assert later.endswith("Another <strong>$1,667.53</strong> is on hold until after that day.")


def test_forecast_stands_apart_with_its_own_payout() -> None:
    assert earned.forecast(MONTH, "USD") == (
        "At this pace November ends at <strong>$6,347</strong>, paid from 1 Jan 2027."
    )
    assert earned.forecast(replace(MONTH, forecast_minor=0), "USD") == ""


def rows(*found: tuple[date, str, int, int, int]) -> pl.DataFrame:
    names = ["week", "course_title", "earned_minor", "sale_count", "refund_count"]
    return pl.DataFrame(list(found), schema=names, orient="row")


def test_weeks_have_no_gaps_and_sum_to_the_rows() -> None:
    weeks = earned.weeks_of(
        rows(
            (date(2026, 11, 2), "A", 100, 1, 0),
            (date(2026, 11, 16), "A", 50, 1, 1),
            (date(2026, 11, 16), "B", 7, 2, 0),
        ),
        first=date(2026, 10, 28),
        last=date(2026, 11, 22),
    )
    assert weeks.mondays == tuple(
        date(2026, 10, 26 + 7 * place) if place == 0 else date(2026, 11, 7 * place - 5) for place in range(4)
    )
    assert weeks.earned == [0, 100, 0, 57]
    assert weeks.sales == [0, 1, 0, 3]
    assert weeks.refunds == [0, 0, 0, 1]
    assert weeks.by_course == {"A": [0, 100, 0, 50], "B": [0, 0, 0, 7]}


def test_key_figures_against_the_period_before() -> None:
    weeks = earned.weeks_of(rows(), first=date(2026, 11, 2), last=date(2026, 11, 22))
    kpis = earned.kpis(
        Measures(125_000, 50, 0.02, 2_500),
        Measures(100_000, 40, 0.028, 2_500),
        weeks,
        name="90D",
        currency="USD",
    )
    assert [(kpi.label, kpi.value, kpi.delta) for kpi in kpis] == [
        ("Net earnings, 90D", "$1,250", "25%"),
        ("Sales", "50", "10"),
        ("Refund rate", "2.0%", "-0.8 pts"),
        ("Earned per sale", "$25.00", 0),
    ]


def test_key_figures_without_a_sale_are_dashes() -> None:
    weeks = earned.weeks_of(rows(), first=date(2026, 11, 2), last=date(2026, 11, 22))
    kpis = earned.kpis(
        Measures(0, 0, None, None), Measures(0, 0, None, None), weeks, name="90D", currency="USD"
    )
    assert [kpi.value for kpi in kpis] == ["$0", "0", "\N{EN DASH}", "\N{EN DASH}"]
    assert [kpi.delta for kpi in kpis] == [None, 0, None, None]
