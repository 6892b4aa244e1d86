"""Earnings: what do I get next, and when."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache, partial
from typing import Any
from uuid import UUID

import polars as pl
import streamlit as st

from app.parts import charts, earned, filters, frame, freshness, live, sale, states, tables, tiles, windows
from app.parts.charts import Step
from app.parts.earned import Weeks
from app.parts.filters import Period
from app.read import read
from app.viewer import now, require_user
from app.wording import day, major, markup, money, percent, plain, t
from services.kernel.money import Money
from warehouse.reads import earnings, operations

Who = Mapping[str, Any]
"""The instructor and the currency, as every question takes them."""

STANDINGS = {"All": "", "On hold": "on hold", "Available": "available", "Refunded": "refunded"}
COLOURS = {"On hold": "orange", "Available": "green", "Refunded": "gray"}
ALL_COURSES = "All courses"
EXPLAIN = ":material/receipt_long: Explain"
EXPORTED = 100_000


def page() -> None:
    """Header, answer, key figures, charts and the single sales."""
    live.watch()
    today = now().date()
    instructor = {"instructor": require_user().user_id}
    state = read(operations.freshness)
    currencies = read(earnings.currencies, **instructor)
    amounts = t("amounts in {currency}", currency=currencies[0] if currencies else "USD")
    caption = freshness.caption(state, now(), also=amounts)
    with frame.header(t("Earnings"), caption, warning=freshness.warning(state, now())):
        currency = filters.choice(t("Currency"), currencies, key="currency") if len(currencies) > 1 else "USD"
        who: Who = {**instructor, "currency": currency if len(currencies) > 1 else (currencies or ["USD"])[0]}
        period = filters.period(today)
        corner = st.container(width="content")
    span = {"since": period.first, "until": period.last}
    answer(who, today, period)
    by_week, by_course = (
        cache(partial(weekly, who, period)),
        cache(partial(read, earnings.by_course, **who, **span)),
    )
    with states.alone("kpis", what=t("The key figures")):
        key_figures(who, period, by_week())
    if not currencies:
        states.empty(
            t("Your sales will appear here."),
            t("The first one shows within seconds of its payment. Share your course to get there."),
        )
        return
    wide, side = st.columns([8, 5], gap="small")
    with wide, states.card("weeks", what=t("Net earnings by week"), height="stretch"):
        weeks(by_week(), who["currency"])
    with side, states.card("courses", what=t("Your courses"), height="stretch"):
        courses(by_course(), who["currency"], period)
    with states.card("sales", what=t("Your sales")):
        tiles.heading(t("Sales"), t("Each can be explained to the last cent"))
        narrow = narrowed(by_course())
        sales(who, period, narrow)
        rows = partial(exported, {**who, **narrow, "since": period.first, "until": period.last})
        with corner:
            tables.export(rows, name="earnings", first=period.first, last=period.last)


def answer(who: Who, today: date, period: Period) -> None:
    """The next payout to the cent, how the month compares, and from gross to net."""
    with states.card("answer", what=t("The next payout")):
        payout = read(earnings.next_payout, **who, today=today)
        month = read(earnings.month_so_far, **who, today=today)
        words, chart = st.columns([5, 8], gap="large", vertical_alignment="center")
        with words:
            tiles.hero(
                label=t("Next payout · {day}", day=day(payout.pays_on)),
                number=money(Money(payout.amount_minor, who["currency"])),
                words=earned.answer(payout, month, who["currency"]),
                bar=earned.pace(month, who["currency"]),
                aside=earned.forecast(month, who["currency"]),
            )
        with chart:
            gross_to_net(who, period)


def gross_to_net(who: Who, period: Period) -> None:
    """What buyers paid in the period, what was taken from it, and what is left."""
    found = read(earnings.waterfall, **who, since=period.first, until=period.last)
    steps = [
        Step(t(each.name), Money(each.amount_minor, who["currency"]), is_total=place in {0, len(found) - 1})
        for place, each in enumerate(found)
    ]
    charts.waterfall(
        steps,
        alt=t(
            "Of {gross} that buyers paid in {period} you get {net}",
            gross=money(steps[0].amount),
            period=period.name,
            net=money(steps[-1].amount),
        ),
        key="gross_to_net",
    )


def key_figures(who: Who, period: Period, by_week: Weeks) -> None:
    """Four figures of the period against the one before."""
    present = read(earnings.measures, **who, since=period.first, until=period.last)
    before = read(earnings.measures, **who, since=period.before.first, until=period.before.last)
    kpis = earned.kpis(present, before, by_week, name=period.name, currency=who["currency"])
    tiles.kpi_row(kpis, key="kpis")


def weekly(who: Who, period: Period) -> Weeks:
    """The period's weeks, also the empty ones."""
    rows = read(earnings.by_week, **who, since=period.first, until=period.last)
    return earned.weeks_of(rows, first=period.first, last=period.last)


def weeks(by_week: Weeks, currency: str) -> None:
    """Earnings by week, stacked by course; the running week is marked."""
    tiles.heading(
        t("Net earnings by week"), t("Stacked by course, after refunds; the hatched week is not over")
    )
    charts.stacked(
        by_week.mondays,
        by_week.by_course,
        currency=currency,
        alt=t("Net earnings by week, {total} in all", total=money(Money(sum(by_week.earned), currency))),
        key="weeks",
    )


def courses(rows: pl.DataFrame, currency: str, period: Period) -> None:
    """The courses that brought it, the largest first."""
    tiles.heading(t("Courses"), t("Largest first · {period}", period=period.name))
    total = rows["earned_minor"].sum()
    tiles.rows(
        [
            (
                row["course_title"],
                money(Money(row["earned_minor"], currency)),
                earned.sold(row["sale_count"], Money(row["refunded_minor"], currency)),
                percent(row["earned_minor"] / total) if total > 0 else "",
            )
            for row in rows.head(7).iter_rows(named=True)
        ]
    )


def sales(who: Who, period: Period, narrow: Mapping[str, str]) -> None:
    """Single sales, twelve a page, each with the window that explains it."""
    within = {**who, **narrow, "since": period.first, "until": period.last}
    found = read(earnings.sales, **within, limit=1)["found_count"].to_list()
    if not found:
        states.filtered_to_nothing(
            t("No such sale in {period}.", period=period.name),
            widen=t("Show all sales"),
            on_widen=widen,
            key="widen",
        )
        return
    with tables.paged(found[0], key="sales_page") as skip:
        rows = read(earnings.sales, **within, limit=tables.PAGE_ROWS, offset=skip)
        table(rows, who["currency"])
    opened = st.session_state.get("explain")
    if opened:
        explain(who, UUID(rows["purchase_line_id"][opened["row"]]))


def narrowed(rows: pl.DataFrame) -> dict[str, str]:
    """The filters above the table, and what they say."""
    titles = dict(zip(rows["course_title"], rows["course_id"], strict=True))
    left, right = st.columns([8, 5], vertical_alignment="bottom")
    with left:
        standing = filters.one_of(list(STANDINGS), key="standing")
    with right:
        title = filters.choice(t("Course"), [ALL_COURSES, *titles], key="of_course")
    return {"standing": STANDINGS[standing], "course": titles.get(title, "")}


def widen() -> None:
    """Drop the filters of the table."""
    st.session_state.update(standing="All", of_course=ALL_COURSES)


def table(rows: pl.DataFrame, currency: str) -> None:
    """The sales as a table; the last column opens one."""
    shown = pl.DataFrame(
        {
            "sold": rows["sold_at"],
            "course": rows["course_title"],
            "kept": [major(Money(minor, currency)) for minor in rows["kept_minor"]],
            "price": [major(Money(minor, currency)) for minor in rows["net_minor"]],
            "standing": [[standing.capitalize()] for standing in rows["standing"]],
            "hold": rows["hold_until"],
            "explain": [EXPLAIN] * rows.height,
        }
    )
    tables.table(
        shown,
        {
            "sold": tables.day_column(t("Sold"), width=100),
            "course": tables.text_column(t("Course"), width=290),
            "kept": tables.money_column(t("You keep"), currency, width=90),
            "price": tables.money_column(t("Price"), currency, width=90),
            "standing": tables.status_column(t("State"), COLOURS, width=100),
            "hold": tables.day_column(t("Hold ends"), width=110),
            "explain": tables.action_column("", key="explain", width=110),
        },
        alt=t("Your sales, newest first"),
        key="sales_table",
    )


def explain(who: Who, line: UUID) -> None:
    """The window that takes one sale apart."""
    found = read(earnings.sale, instructor=who["instructor"], purchase_line=line)
    if found is None:
        return

    def draw() -> None:
        st.html(f'<div class="b-title">{markup(found["course_title"])}</div>')
        windows.explain(sale.lines(found))
        st.table({name: plain(words) for name, words in sale.facts(found).items()}, border="horizontal")

    windows.drawer(t("Where the money of this sale went"), draw)


def exported(within: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    """The rows that the filters leave, as they are written into a file."""
    rows = read(earnings.sales, **within, limit=EXPORTED)
    for row in rows.iter_rows(named=True):
        yield written(row, within["currency"])


def written(row: Mapping[str, Any], currency: str) -> dict[str, object]:
    """One sale as a line of a file."""
    amounts = {
        "Price": "net_minor",
        "Your share": "share_minor",
        "Returned": "returned_minor",
        "You keep": "kept_minor",
    }
    return {
        "Sold (UTC)": row["sold_at"].isoformat(timespec="seconds"),
        "Course": row["course_title"],
        **{label: f"{Money(row[column], currency).minor / 100:.2f}" for label, column in amounts.items()},
        "Currency": currency,
        "Share": percent(row["rate_bp"] / 10_000),
        "State": row["standing"],
        "Hold ends": row["hold_until"].date().isoformat() if row["hold_until"] else "",
        "Sale": row["purchase_line_id"],
    }


page()
