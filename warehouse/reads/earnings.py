"""What an instructor gets, when, and why that amount.

Every question takes the published figures first and the instructor by name, and answers in whole minor units
of one currency. Days and months are those of UTC.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import polars as pl

from warehouse.files import Figures


@dataclass(frozen=True, slots=True)
class NextPayout:
    """The next payout to the cent, and what is left for the one after it.

    `available_minor` has matured already (below zero after a late refund), `maturing_minor` what
    still becomes available before `pays_on`; later earnings are in `following_minor`.
    """

    pays_on: date
    amount_minor: int
    available_minor: int
    maturing_minor: int
    sale_count: int
    following_on: date
    following_minor: int


@dataclass(frozen=True, slots=True)
class MonthSoFar:
    """This month's earnings beside the month before on the same day, and where they are heading.

    `change_rate` is None when nothing was earned in the month before by the same day. The forecast carries
    the pace of the days so far to the end of the month; it is paid on `forecast_pays_on` at the earliest.
    """

    month: date
    earned_minor: int
    before_minor: int
    change_rate: float | None
    day_count: int
    month_day_count: int
    leading_course: str | None
    leading_rate: float
    forecast_minor: int
    forecast_pays_on: date


@dataclass(frozen=True, slots=True)
class Measures:
    """The four figures of a period; rates are 0 to 1, and None without a sale."""

    earned_minor: int
    sale_count: int
    refund_rate: float | None
    average_minor: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a waterfall or of an explanation."""

    name: str
    amount_minor: int
    words: str = ""


NEXT_PAYOUT = """
SELECT
    coalesce(sum(CASE WHEN held.bucket = 'available' THEN held.amount_minor END), 0)::BIGINT
        AS available_minor,
    coalesce(sum(CASE WHEN held.bucket = 'pending' AND held.hold_until < $pays_at
        THEN held.amount_minor END), 0)::BIGINT AS maturing_minor,
    coalesce(sum(CASE WHEN held.bucket = 'pending' AND held.hold_until >= $pays_at
        THEN held.amount_minor END), 0)::BIGINT AS following_minor,
    coalesce(sum(CASE WHEN held.bucket = 'available' OR held.hold_until < $pays_at
        THEN held.sale_count END), 0)::BIGINT AS sale_count
FROM mart_instructor_balances AS held
WHERE held.instructor_id = $instructor AND held.currency = $currency
"""
EARNED = """
SELECT
    coalesce(sum(day.earned_minor), 0)::BIGINT AS earned_minor,
    coalesce(sum(day.sale_count), 0)::BIGINT AS sale_count,
    coalesce(sum(day.refund_count), 0)::BIGINT AS refund_count
FROM mart_instructor_days AS day
WHERE day.instructor_id = $instructor AND day.currency = $currency AND day.day >= $since AND day.day <= $until
"""
BY_COURSE = """
SELECT
    day.course_id,
    any_value(course.title) AS course_title,
    sum(day.sale_count)::BIGINT AS sale_count,
    sum(day.sales_minor)::BIGINT AS sales_minor,
    sum(day.refunded_minor)::BIGINT AS refunded_minor,
    sum(day.earned_minor)::BIGINT AS earned_minor
FROM mart_instructor_days AS day
INNER JOIN dim_course AS course ON course.course_id = day.course_id
WHERE day.instructor_id = $instructor AND day.currency = $currency AND day.day >= $since AND day.day <= $until
GROUP BY day.course_id
ORDER BY earned_minor DESC, course_title
"""
BY_WEEK = """
SELECT
    date_trunc('week', day.day)::DATE AS week,
    day.course_id,
    any_value(course.title) AS course_title,
    sum(day.earned_minor)::BIGINT AS earned_minor,
    sum(day.sale_count)::BIGINT AS sale_count,
    sum(day.refund_count)::BIGINT AS refund_count
FROM mart_instructor_days AS day
INNER JOIN dim_course AS course ON course.course_id = day.course_id
WHERE day.instructor_id = $instructor AND day.currency = $currency AND day.day >= $since AND day.day <= $until
GROUP BY date_trunc('week', day.day), day.course_id
ORDER BY week, course_title
"""
BY_DAY = """
SELECT
    day.day,
    sum(day.earned_minor)::BIGINT AS earned_minor,
    sum(day.sale_count)::BIGINT AS sale_count,
    sum(day.refund_count)::BIGINT AS refund_count
FROM mart_instructor_days AS day
WHERE day.instructor_id = $instructor AND day.currency = $currency AND day.day >= $since AND day.day <= $until
GROUP BY day.day
ORDER BY day.day
"""
BY_MONTH = """
SELECT
    month.month,
    sum(month.earned_minor)::BIGINT AS earned_minor,
    sum(month.sale_count)::BIGINT AS sale_count,
    sum(month.refund_count)::BIGINT AS refund_count
FROM mart_instructor_months AS month
WHERE month.instructor_id = $instructor AND month.currency = $currency
    AND month.month >= date_trunc('month', $since::DATE) AND month.month <= $until
GROUP BY month.month
ORDER BY month.month
"""
WATERFALL = """
SELECT
    coalesce(sum(day.sales_minor), 0)::BIGINT AS sales_minor,
    coalesce(sum(day.refunded_minor), 0)::BIGINT AS refunded_minor,
    coalesce(sum(day.platform_minor), 0)::BIGINT AS platform_minor,
    coalesce(sum(day.co_instructors_minor), 0)::BIGINT AS co_instructors_minor,
    coalesce(sum(day.earned_minor), 0)::BIGINT AS earned_minor
FROM mart_instructor_days AS day
WHERE day.instructor_id = $instructor AND day.currency = $currency AND day.day >= $since AND day.day <= $until
"""
SALES = """
SELECT
    earning.purchase_line_id,
    earning.sold_at,
    earning.course_id,
    earning.course_title,
    earning.net_minor,
    earning.share_minor,
    earning.returned_minor,
    earning.kept_minor,
    earning.rate_bp,
    earning.hold_until,
    earning.released_at,
    earning.refunded_at,
    earning.standing,
    count(*) OVER () AS found_count
FROM mart_instructor_sales AS earning
WHERE earning.instructor_id = $instructor AND earning.currency = $currency
    AND earning.sold_at >= $since AND earning.sold_at < $until::DATE + 1
    AND ($course = '' OR earning.course_id = $course)
    AND ($standing = '' OR earning.standing = $standing)
ORDER BY
    CASE WHEN $order = 'largest' THEN earning.kept_minor END DESC,
    CASE WHEN $order = 'smallest' THEN earning.kept_minor END,
    CASE WHEN $order = 'oldest' THEN earning.sold_at END,
    earning.sold_at DESC,
    earning.purchase_line_id DESC
LIMIT $limit OFFSET $offset
"""
SALE = """
SELECT earning.*
FROM mart_instructor_sales AS earning
WHERE earning.instructor_id = $instructor AND earning.purchase_line_id = $purchase_line
"""
CURRENCIES = """
SELECT earning.currency, count(*) AS sale_count
FROM mart_instructor_sales AS earning
WHERE earning.instructor_id = $instructor
GROUP BY earning.currency
ORDER BY sale_count DESC, earning.currency
"""


def currencies(figures: Figures, *, instructor: UUID) -> list[str]:
    """The currencies that an instructor sold in, the most used first."""
    return figures.frame(CURRENCIES, instructor=str(instructor))["currency"].to_list()


def next_payout(figures: Figures, *, instructor: UUID, currency: str, today: date) -> NextPayout:
    """What is paid on the first of the next month: all that has matured or matures before that day."""
    pays_on = _first_of_next_month(today)
    row = figures.frame(
        NEXT_PAYOUT, instructor=str(instructor), currency=currency, pays_at=_midnight(pays_on)
    ).row(0, named=True)
    return NextPayout(
        pays_on=pays_on,
        amount_minor=row["available_minor"] + row["maturing_minor"],
        available_minor=row["available_minor"],
        maturing_minor=row["maturing_minor"],
        sale_count=row["sale_count"],
        following_on=_first_of_next_month(pays_on),
        following_minor=row["following_minor"],
    )


def month_so_far(figures: Figures, *, instructor: UUID, currency: str, today: date) -> MonthSoFar:
    """This month against the same day of the month before, its leading course and its forecast."""
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    same_day = min(before + timedelta(days=today.day - 1), month - timedelta(days=1))
    who = {"instructor": str(instructor), "currency": currency}
    earned = figures.frame(EARNED, **who, since=month, until=today)["earned_minor"].item()
    earlier = figures.frame(EARNED, **who, since=before, until=same_day)["earned_minor"].item()
    courses = figures.frame(BY_COURSE, **who, since=month, until=today).filter(pl.col("earned_minor") > 0)
    days = (_first_of_next_month(today) - month).days
    leading = courses.row(0, named=True) if courses.height else None
    return MonthSoFar(
        month=month,
        earned_minor=earned,
        before_minor=earlier,
        change_rate=(earned - earlier) / earlier if earlier > 0 else None,
        day_count=today.day,
        month_day_count=days,
        leading_course=leading["course_title"] if leading else None,
        leading_rate=leading["earned_minor"] / courses["earned_minor"].sum() if leading else 0.0,
        forecast_minor=_rounded(earned * days, today.day),
        forecast_pays_on=_first_of_next_month(_first_of_next_month(today)),
    )


def measures(figures: Figures, *, instructor: UUID, currency: str, since: date, until: date) -> Measures:
    """The period's earnings, sales, refund rate and earnings per sale."""
    row = figures.frame(EARNED, instructor=str(instructor), currency=currency, since=since, until=until).row(
        0, named=True
    )
    sales = row["sale_count"]
    return Measures(
        earned_minor=row["earned_minor"],
        sale_count=sales,
        refund_rate=row["refund_count"] / sales if sales else None,
        average_minor=_rounded(row["earned_minor"], sales) if sales else None,
    )


def waterfall(figures: Figures, *, instructor: UUID, currency: str, since: date, until: date) -> list[Step]:
    """From the price that buyers paid to what the instructor gets; only steps that are there.

    The first and the last step are levels, those between are changes, and they add up.
    """
    row = figures.frame(
        WATERFALL, instructor=str(instructor), currency=currency, since=since, until=until
    ).row(0, named=True)
    between = [
        Step("Refunds", -row["refunded_minor"]),
        Step("Platform", -row["platform_minor"]),
        Step("Others", -row["co_instructors_minor"], "Your co-instructors"),
    ]
    return [
        Step("Sales", row["sales_minor"]),
        *(step for step in between if step.amount_minor),
        Step("You get", row["earned_minor"]),
    ]


def by_day(figures: Figures, *, instructor: UUID, currency: str, since: date, until: date) -> pl.DataFrame:
    """Earnings by day, of the days on which something was sold or given back.

    Columns: day, earned_minor, sale_count, refund_count.
    """
    return figures.frame(BY_DAY, instructor=str(instructor), currency=currency, since=since, until=until)


def by_month(figures: Figures, *, instructor: UUID, currency: str, since: date, until: date) -> pl.DataFrame:
    """Earnings by whole month, from the one of `since` to the one of `until`.

    Columns: month (its first day), earned_minor, sale_count, refund_count.
    """
    return figures.frame(BY_MONTH, instructor=str(instructor), currency=currency, since=since, until=until)


def by_week(figures: Figures, *, instructor: UUID, currency: str, since: date, until: date) -> pl.DataFrame:
    """Earnings by week (from Monday) and course.

    Columns: week, course_id, course_title, earned_minor, sale_count, refund_count.
    """
    return figures.frame(BY_WEEK, instructor=str(instructor), currency=currency, since=since, until=until)


def by_course(figures: Figures, *, instructor: UUID, currency: str, since: date, until: date) -> pl.DataFrame:
    """Courses, those that earned most first.

    Columns: course_id, course_title, sale_count, sales_minor, refunded_minor, earned_minor.
    """
    return figures.frame(BY_COURSE, instructor=str(instructor), currency=currency, since=since, until=until)


def sales(
    figures: Figures,
    *,
    instructor: UUID,
    currency: str,
    since: date,
    until: date,
    course: str = "",
    standing: str = "",
    order: str = "newest",
    limit: int = 12,
    offset: int = 0,
) -> pl.DataFrame:
    """Single sales; `found_count` on each row says how many there are on all pages.

    `standing` is one of on hold, available, refunded, or empty for all; `order` is one of newest, oldest,
    largest, smallest.
    """
    return figures.frame(
        SALES,
        instructor=str(instructor),
        currency=currency,
        since=since,
        until=until,
        course=course,
        standing=standing,
        order=order,
        limit=limit,
        offset=offset,
    )


def sale(figures: Figures, *, instructor: UUID, purchase_line: UUID) -> dict[str, object] | None:
    """All that is known of one sale, down to the cent that the instructor keeps; None if it is not theirs."""
    found = figures.frame(SALE, instructor=str(instructor), purchase_line=str(purchase_line))
    return found.row(0, named=True) if found.height else None


def _first_of_next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the figures' instants are UTC without a zone


def _rounded(amount: int, parts: int) -> int:
    """Half away from zero, in whole minor units."""
    sign = 1 if amount >= 0 else -1
    return sign * ((2 * abs(amount) + parts) // (2 * parts))
