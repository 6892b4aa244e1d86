"""The catalogue of figures: one name each, and one sentence that says what it means.

`docs/metrics.md` and the help texts of tiles are made from here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure by its one name; `unit` is money (minor units), count, rate (0 to 1) or seconds."""

    name: str
    title: str
    meaning: str
    unit: str
    source: str


CATALOGUE: tuple[Metric, ...] = (
    Metric(
        "next_payout",
        "Next payout",
        "Earnings that have matured, or whose refund window ends before the first of next month (UTC).",
        "money",
        "mart_instructor_balances",
    ),
    Metric(
        "earned",
        "Net earnings",
        "The instructor's shares of sales in the period, less shares returned by refunds in the period.",
        "money",
        "mart_instructor_days",
    ),
    Metric(
        "sales",
        "Sales",
        "Paid lines in the period, by the instant at which the card was charged; free courses do not count.",
        "count",
        "mart_instructor_days",
    ),
    Metric(
        "refund_rate",
        "Refund rate",
        "Refunds made in the period over sales of the period; none without a sale.",
        "rate",
        "mart_instructor_days",
    ),
    Metric(
        "average_per_sale",
        "Average per sale",
        "Net earnings of the period over its sales.",
        "money",
        "mart_instructor_days",
    ),
    Metric(
        "forecast",
        "Forecast of this month",
        "Net earnings of the month so far, carried on at the same pace per day to its end.",
        "money",
        "mart_instructor_days",
    ),
    Metric(
        "unexplained",
        "Unexplained",
        "What ledger, processor and warehouse differ by beyond every named cause; right is 0.00.",
        "money",
        "mart_reconciliation",
    ),
    Metric(
        "freshness",
        "Freshness",
        "How long ago the figures were last compared with their sources.",
        "seconds",
        "runs",
    ),
)

_HEAD = """# Metrics

Each figure has one name in SQL, Python, pages and documents. This page is made from `warehouse/metrics.py`.

| name | shown as | meaning | unit | comes from |
| --- | --- | --- | --- | --- |
"""


_BY_NAME = {metric.name: metric for metric in CATALOGUE}


def meaning(name: str) -> str:
    """The one sentence of a metric. Raises KeyError for a name that is not in the catalogue."""
    return _BY_NAME[name].meaning


def page() -> str:
    """The text of `docs/metrics.md`."""
    lines = [
        f"| `{metric.name}` | {metric.title} | {metric.meaning} | {metric.unit} | `{metric.source}` |\n"
        for metric in sorted(CATALOGUE, key=lambda metric: metric.name)
    ]
    return _HEAD + "".join(lines)
