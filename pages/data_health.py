"""Data health: can I trust the figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import streamlit as st

from app.parts import charts, frame, freshness, live, states, tables, tiles
from app.parts.tiles import Kpi
from app.read import read
from app.viewer import now
from app.wording import counted, major, money, since, t
from services.kernel.money import Money
from warehouse.reads import operations
from warehouse.reads.operations import Freshness

LATEST_RUNS = 100
CHARTED = 40
CHECKS, RUNS = 8, 10  # rows of a page
RUN_COLOURS = {
    "Published": "green",
    "Unchanged": "gray",
    "Running": "blue",
    "Checks failed": "red",
    "Failed": "red",
    "Interrupted": "orange",
}
CHECK_COLOURS = {"Passed": "green", "Failed": "red", "Warns": "orange"}


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that this page shows, as it was read once."""

    state: Freshness
    checks: pl.DataFrame
    totals: pl.DataFrame
    differences: pl.DataFrame
    runs: pl.DataFrame

    @property
    def failed(self) -> int:
        """How many checks failed."""
        return self.checks.filter(~pl.col("passed")).height

    @property
    def unexplained(self) -> list[Money]:
        """The largest difference of each currency that nothing explains; nothing where all agree."""
        return self._largest("unexplained_minor")

    @property
    def on_its_way(self) -> list[Money]:
        """The largest difference of each currency that is timing."""
        return self._largest("timing_minor")

    def _largest(self, column: str) -> list[Money]:
        by_currency = self.totals.group_by("currency", maintain_order=True).agg(
            pl.col(column).sort_by(pl.col(column).abs()).last()
        )
        return [Money(row[column], row["currency"]) for row in by_currency.iter_rows(named=True)]


def page() -> None:
    """Header, answer, key figures, comparison, checks and runs."""
    live.watch(lambda: read(operations.runs, limit=1).rows(), every=live.EVERY_SLOW)
    health = Health(
        read(operations.freshness),
        read(operations.checks),
        read(operations.reconciliation),
        read(operations.differences),
        read(operations.runs, limit=LATEST_RUNS),
    )
    caption = freshness.caption(health.state, now(), also=t("version {name}", name=health.state.version))
    with frame.header(t("Data health"), caption, warning=freshness.warning(health.state, now())):
        pass
    with states.card("answer", what=t("The answer")):
        answer(health)
    tiles.kpi_row(key_figures(health), key="kpis")
    if health.differences.height:
        with states.card("differences", what=t("The differences")):
            differences(health.differences)
    wide, narrow = st.columns([8, 5], gap="small")
    with wide, states.card("compared", what=t("The comparison"), height="stretch"):
        compared(health.totals)
    with narrow, states.card("checks", what=t("The checks"), height="stretch"):
        checks(health.checks)
    with states.card("runs", what=t("The runs")):
        runs(health.runs)


def answer(health: Health) -> None:
    """Whether the three stores agree, and how long the refreshes take."""
    words, chart = st.columns([5, 8], gap="large", vertical_alignment="center")
    with words:
        tiles.hero(
            label=t("Unexplained difference"),
            number=summed(health.unexplained),
            words=f"{agreement(health)} {verdict(health)}",
        )
    with chart:
        st.html(f'<div class="b-sub">{t("Seconds that each of the last refreshes took")}</div>')
        shown = health.runs.filter(pl.col("took_ms").is_not_null()).head(CHARTED).reverse()
        took = [milliseconds / 1000 for milliseconds in shown["took_ms"]]
        charts.durations(
            [str(run) for run in shown["run_id"]],
            took,
            alt=t("Seconds that each of the last {count} refreshes took", count=shown.height),
            key="durations",
        )


def agreement(health: Health) -> str:
    """The first half of the answer: ledger, Stripe and figures against each other."""
    if health.state.agrees is None:
        return tiles.sentence(t("Ledger, Stripe and figures have not been compared yet."))
    if health.state.agrees:
        return tiles.sentence(t("Ledger, Stripe and figures **agree to the cent**."))
    rows = counted(health.differences.filter(pl.col("reason") != "timing").height, t("row"), t("rows"))
    return tiles.sentence(t("Ledger, Stripe and figures **differ** in **{rows}**, named below."), rows=rows)


def verdict(health: Health) -> str:
    """The second half: the checks, and what is still on its way."""
    if not health.checks.height:
        return tiles.sentence(t("No check has run yet."))
    if health.failed:
        words = t("**{failed} failed**; figures that do not pass are not shown, the last good ones are.")
        return tiles.sentence(words, failed=counted(health.failed, t("check"), t("checks")))
    return tiles.sentence(
        t("All {checks} passed."), checks=counted(health.checks.height, t("check"), t("checks"))
    )


def key_figures(health: Health) -> list[Kpi]:
    """Freshness, checks, difference, and what is on its way."""
    return [
        Kpi(
            t("Figures carried over"),
            since(health.state.synced_at, now()),
            help=t("When the published version was made. Nothing new means no new version."),
        ),
        Kpi(
            t("Failed checks"),
            t("{failed} of {all}", failed=health.failed, all=health.checks.height),
            help=t("Checks that must hold before figures are shown."),
        ),
        Kpi(
            t("Unexplained"),
            summed(health.unexplained),
            help=t(
                "What ledger, Stripe and figures differ by, less what is on its way. It has to be nothing."
            ),
        ),
        Kpi(
            t("On its way"),
            summed(health.on_its_way),
            help=t("What one side knows already and the other will know within minutes."),
        ),
    ]


def summed(amounts: Sequence[Money]) -> str:
    """One amount a currency; those that are nothing are left out while another is there."""
    there = [amount for amount in amounts if amount] or list(amounts[:1]) or [Money.zero("USD")]
    return " · ".join(money(amount) for amount in there)


def compared(totals: pl.DataFrame) -> None:
    """Each measure as ledger, Stripe and figures have it."""
    tiles.heading(t("Ledger, Stripe and figures"), t("To the cent; what differs is named row by row"))
    if not totals.height:
        states.empty(t("Nothing was compared yet."), t("The first refresh compares all three."))
        return
    amounts = ("ledger_minor", "processor_minor", "warehouse_minor", "unexplained_minor")
    totals = totals.sort(pl.col("processor_minor").is_null(), "currency", maintain_order=True)
    rows = pl.DataFrame(
        {
            "measure": [
                f"{row['measure'].capitalize()}, {row['currency']}" for row in totals.iter_rows(named=True)
            ],
            **{
                column: [in_major(row[column], row["currency"]) for row in totals.iter_rows(named=True)]
                for column in amounts
            },
        }
    )
    labels = (t("Ledger"), t("Stripe"), t("Figures"), t("Unexplained"))
    columns = {
        name: tables.amount_column(label, width=95) for name, label in zip(amounts, labels, strict=True)
    }
    tables.table(
        rows,
        {"measure": tables.text_column(t("Measure"), width=190), **columns},
        alt=t("What ledger, Stripe and figures say"),
        key="compared",
    )


def in_major(minor: int | None, currency: str) -> float | None:
    """An amount as a table shows it; nothing where a store does not know it."""
    return None if minor is None else major(Money(minor, currency))


def differences(rows: pl.DataFrame) -> None:
    """Every row that two stores have differently."""
    tiles.heading(t("Differences"), t("Each row that two stores have differently"))
    with tables.paged(rows.height, key="differences_page") as skip:
        differing(rows.slice(skip, tables.PAGE_ROWS))


def differing(shown: pl.DataFrame) -> None:
    """One page of the rows that differ."""
    table = pl.DataFrame(
        {
            "reason": [reason.capitalize() for reason in shown["reason"]],
            "subject": shown["subject"],
            "stores": shown["stores"],
            "ours": [in_major(row["ours_minor"], row["currency"]) for row in shown.iter_rows(named=True)],
            "theirs": [in_major(row["theirs_minor"], row["currency"]) for row in shown.iter_rows(named=True)],
            "currency": shown["currency"],
            "since": shown["since_at"],
        }
    )
    tables.table(
        table,
        {
            "reason": tables.text_column(t("Reason"), width=110),
            "subject": tables.text_column(t("Row"), width=300),
            "stores": tables.text_column(t("Between"), width=180),
            "ours": tables.amount_column(t("First"), width=90),
            "theirs": tables.amount_column(t("Second"), width=90),
            "currency": tables.text_column("", width=60),
            "since": tables.moment_column(t("Since (UTC)"), width=150),
        },
        alt=t("Rows that differ"),
        key="differences",
    )


def checks(rows: pl.DataFrame) -> None:
    """Each check as it last ended, the failed ones first."""
    tiles.heading(t("Checks"), t("Held before figures are shown; failed ones first"))
    if not rows.height:
        states.empty(t("No check has run yet."), t("The first refresh runs them all."))
        return
    with tables.paged(rows.height, key="checks_page", size=CHECKS) as skip:
        checked(rows.slice(skip, CHECKS))


def checked(shown: pl.DataFrame) -> None:
    """One page of the checks."""
    table = pl.DataFrame(
        {
            "state": [[standing(row["passed"], row["stops"])] for row in shown.iter_rows(named=True)],
            "says": shown["says"],
            "count": shown["unexpected_count"],
        }
    )
    tables.table(
        table,
        {
            "state": tables.status_column(t("State"), CHECK_COLOURS, width=80),
            "says": tables.text_column(t("What must hold"), width=205),
            "count": tables.count_column(t("Rows"), width=55),
        },
        alt=t("Checks as they last ended"),
        key="checks",
    )


def standing(passed: bool, stops: bool) -> str:  # noqa: FBT001 - two columns of a row
    """The word for how a check ended."""
    return "Passed" if passed else "Failed" if stops else "Warns"


def runs(rows: pl.DataFrame) -> None:
    """The last refreshes, newest first."""
    tiles.heading(t("Runs"), t("Refreshes of the figures, newest first"))
    with tables.paged(rows.height, key="runs_page", size=RUNS) as skip:
        refreshes(rows.slice(skip, RUNS))


def refreshes(shown: pl.DataFrame) -> None:
    """One page of the runs."""
    table = pl.DataFrame(
        {
            "started": shown["started_at"],
            "state": [[state.capitalize()] for state in shown["state"]],
            "mode": [mode.capitalize() for mode in shown["mode"]],
            "took": [None if ms is None else round(ms / 1000, 2) for ms in shown["took_ms"]],
            "moved": shown["row_count"],
            "version": shown["version"],
            "error": shown["error"],
        }
    )
    tables.table(
        table,
        {
            "started": tables.moment_column(t("Started (UTC)"), width=150),
            "state": tables.status_column(t("State"), RUN_COLOURS, width=110),
            "mode": tables.text_column(t("Kind"), width=80),
            "took": tables.seconds_column(t("Took"), width=80),
            "moved": tables.count_column(t("Rows moved"), width=100),
            "version": tables.text_column(t("Version"), width=80),
            "error": tables.text_column(t("Error"), width=380),
        },
        alt=t("The last refreshes of the figures"),
        key="runs",
    )


page()
