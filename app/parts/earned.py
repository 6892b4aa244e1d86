"""What an instructor earned, in sentences, key figures and weeks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from app.parts.tiles import Bar, Kpi, sentence
from app.wording import count, counted, day, money, money_round, month_name, percent, points, t
from services.kernel.money import Money
from warehouse.reads.earnings import Measures, MonthSoFar, NextPayout

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Weeks:
    """Every week of a period, also the empty ones; figures in minor units by week."""

    mondays: tuple[date, ...]
    by_course: Mapping[str, Sequence[int]]
    earned: Sequence[int]
    sales: Sequence[int]
    refunds: Sequence[int]


def weeks_of(rows: pl.DataFrame, *, first: date, last: date) -> Weeks:
    """Rows of weeks and courses as columns that cover the whole period."""
    start = first - timedelta(days=first.weekday())
    mondays = tuple(start + WEEK * place for place in range((last - start).days // 7 + 1))
    sums: dict[str, dict[date, int]] = {"earned_minor": {}, "sale_count": {}, "refund_count": {}}
    by_course: dict[str, list[int]] = {}
    for row in rows.iter_rows(named=True):
        for name, column in sums.items():
            column[row["week"]] = column.get(row["week"], 0) + row[name]
        named = by_course.setdefault(row["course_title"], [0] * len(mondays))
        named[mondays.index(row["week"])] += row["earned_minor"]
    filled = {name: [column.get(monday, 0) for monday in mondays] for name, column in sums.items()}
    return Weeks(mondays, by_course, filled["earned_minor"], filled["sale_count"], filled["refund_count"])


def answer(payout: NextPayout, month: MonthSoFar, currency: str) -> str:
    """The sentence under the next payout, as HTML."""
    return f"{_compared(month, currency)} {_leading(month)}{_later(payout, currency)}".strip()


def pace(month: MonthSoFar, currency: str) -> Bar:
    """How far the month has come."""
    return Bar(
        share=month.day_count / month.month_day_count,
        label=t("Days of {month} that are over", month=month_name(month.month)),
        left=t("Day {day} of {days}", day=month.day_count, days=month.month_day_count),
        right=t("{earned} so far", earned=money_round(Money(month.earned_minor, currency))),
    )


def forecast(month: MonthSoFar, currency: str) -> str:
    """Where this month's sales are heading, and when that would be paid; empty without a sale."""
    if month.forecast_minor <= 0:
        return ""
    return sentence(
        t("At this pace {month} ends at **{amount}**, paid from {day}."),
        month=month_name(month.month),
        amount=money_round(Money(month.forecast_minor, currency)),
        day=day(month.forecast_pays_on),
    )


def kpis(present: Measures, before: Measures, weeks: Weeks, *, name: str, currency: str) -> list[Kpi]:
    """Net earnings, sales, refund rate and earnings per sale, each against the period before."""
    against = t("vs period before")
    average = [_part(earned, sold) for earned, sold in zip(weeks.earned, weeks.sales, strict=True)]
    rates = [_part(back, sold) for back, sold in zip(weeks.refunds, weeks.sales, strict=True)]
    return [
        Kpi(
            t("Net earnings, {period}", period=name),
            money_round(Money(present.earned_minor, currency)),
            _grown(present.earned_minor, before.earned_minor),
            against,
            [minor / 100 for minor in weeks.earned],
            "bar",
        ),
        Kpi(
            t("Sales"),
            count(present.sale_count),
            _more(present.sale_count - before.sale_count),
            against,
            weeks.sales,
            "bar",
        ),
        Kpi(
            t("Refund rate"),
            percent(present.refund_rate),
            _moved(present.refund_rate, before.refund_rate),
            against,
            rates,
            is_rise_good=False,
        ),
        Kpi(
            t("Earned per sale"),
            money(Money(present.average_minor, currency))
            if present.average_minor is not None
            else percent(None),
            _grown(present.average_minor or 0, before.average_minor or 0),
            against,
            [minor / 100 for minor in average],
        ),
    ]


def _compared(month: MonthSoFar, currency: str) -> str:
    names = {"month": month_name(month.month), "before": month_name(month.month - timedelta(days=1))}
    if month.change_rate is None and month.earned_minor == 0:
        return sentence(t("{month} has no sale yet."), **names)
    if month.change_rate is None:
        earned = money_round(Money(month.earned_minor, currency))
        return sentence(
            t("{month} has brought **{earned}** so far; {before} had nothing by this day."),
            **names,
            earned=earned,
        )
    rate = percent(abs(month.change_rate))
    if month.change_rate == 0:
        return sentence(t("{month} is level with {before} on the same day."), **names)
    where = t("**{rate} ahead of**") if month.change_rate > 0 else t("**{rate} behind**")
    return sentence(f"{{month}} is {where} {t('{before} on the same day.')}", **names, rate=rate)


def _leading(month: MonthSoFar) -> str:
    if month.leading_course is None:
        return ""
    words = t("**{course}** brought in {rate} of it.")
    return sentence(words, course=month.leading_course, rate=percent(month.leading_rate))


def _later(payout: NextPayout, currency: str) -> str:
    if payout.following_minor <= 0:
        return ""
    words = t(" Another **{amount}** is on hold until after that day.")
    return sentence(words, amount=money(Money(payout.following_minor, currency)))


def _grown(present: int, before: int) -> str | int | None:
    if before <= 0:
        return None
    change = (present - before) / before
    return 0 if round(change, 3) == 0 else f"{'-' if change < 0 else ''}{percent(abs(change))}"


def _more(difference: int) -> str | int:
    return 0 if difference == 0 else f"{difference:,}"


def _moved(present: float | None, before: float | None) -> str | int | None:
    if present is None or before is None:
        return None
    return 0 if round(present - before, 3) == 0 else points(present - before)


def _part(amount: int, of: int) -> float:
    return amount / of if of else 0.0


def sold(sale_count: int, refunded: Money) -> str:
    """How often a course was sold, and what was given back of it."""
    words = counted(sale_count, t("sale"), t("sales"))
    return (
        words if not refunded else t("{sales} · {refunded} refunded", sales=words, refunded=money(refunded))
    )
