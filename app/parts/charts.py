"""Every chart, drawn with Plotly in the theme's own ink, so that it follows the light and dark switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import plotly.graph_objects as go  # type: ignore[import-untyped]  # plotly ships no types
import streamlit as st

from app.theme import CORAL_SOFT, GOLD, PRIMARY, SERIES, SLATE
from app.wording import SYMBOLS, change_label, major, money, money_round, t
from services.kernel.money import Money

HERO_HEIGHT = 300
CARD_HEIGHT = 290
MOST_SERIES = 4
MOST_TICKS = 6
FEWEST_BARS = 12
OTHER = "Other"
_CONFIG = {"displayModeBar": False}
_CLEAR = "rgba(0,0,0,0)"
_MARGIN = {"l": 8, "r": 8, "t": 24, "b": 8}


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a waterfall; a total stands on the ground, a change hangs where the last one ended."""

    label: str
    amount: Money
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """A line that a figure should reach."""

    amount: Money
    label: str


def waterfall(steps: Sequence[Step], *, alt: str, key: str) -> None:
    """From gross to net: totals in our colour, what is taken in soft coral; words of at most nine letters."""
    level = 0.0
    bases, heights, colours = [], [], []
    for step in steps:
        value = major(step.amount)
        level = value if step.is_total else level + value
        bases.append(0.0 if step.is_total else min(level, level - value))
        heights.append(abs(value))
        colours.append(PRIMARY if step.is_total else CORAL_SOFT)
    figure = go.Figure(
        go.Bar(
            x=[step.label for step in steps],
            y=heights,
            base=bases,
            marker={"color": colours, "line": {"width": 0}},
            width=0.82,
            text=[money_round(step.amount) if step.is_total else change_label(step.amount) for step in steps],
            textposition="outside",
            cliponaxis=False,
            customdata=[money(step.amount) for step in steps],
            hovertemplate="%{x}: %{customdata}<extra></extra>",
        )
    )
    figure.update_yaxes(visible=False, rangemode="tozero")
    _draw(figure, height=HERO_HEIGHT, alt=alt, key=key, hover="closest")


def stacked(
    buckets: Sequence[date], series: Mapping[str, Sequence[int]], *, currency: str, alt: str, key: str
) -> None:
    """Composition over time in minor units: the four largest series and the rest as Other.

    The last bucket is the one in progress: it is hatched.
    """
    kept = _largest(series)
    pattern = [""] * (len(buckets) - 1) + ["/"]
    figure = go.Figure()
    for place, (name, minors) in enumerate(kept.items()):
        figure.add_bar(
            x=list(buckets),
            y=[major(Money(minor, currency)) for minor in minors],
            name=name,
            marker={"color": SERIES[place], "line": {"width": 0}, "pattern": {"shape": pattern, "size": 5}},
            customdata=[money(Money(minor, currency)) for minor in minors],
            hovertemplate="%{customdata}",
        )
    figure.update_layout(barmode="relative", bargap=0.24, barcornerradius=3, showlegend=len(kept) > 1)
    spacing = -(-len(buckets) // MOST_TICKS)
    figure.update_xaxes(tickvals=list(buckets)[::spacing], tickformat="%-d %b", hoverformat="%-d %b %Y")
    _money_axis(figure, currency)
    _draw(figure, height=CARD_HEIGHT, alt=alt, key=key, hover="x unified")


def line(
    days: Sequence[date],
    minors: Sequence[int],
    *,
    currency: str,
    alt: str,
    key: str,
    goal: Goal | None = None,
) -> None:
    """One figure over time, with the goal that it should reach labelled on its own line."""
    figure = go.Figure(
        go.Scatter(
            x=list(days),
            y=[major(Money(minor, currency)) for minor in minors],
            mode="lines",
            line={"color": PRIMARY, "width": 2},
            fill="tozeroy",
            fillcolor="rgba(67,102,224,.12)",
            customdata=[money_round(Money(minor, currency)) for minor in minors],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    if goal:
        figure.add_hline(
            y=major(goal.amount),
            line={"color": GOLD, "width": 1.5, "dash": "dash"},
            annotation={"text": goal.label, "xanchor": "left", "x": 0},
        )
    _money_axis(figure, currency)
    _draw(figure, height=CARD_HEIGHT, alt=alt, key=key, hover="x unified")


def durations(labels: Sequence[str], seconds: Sequence[float], *, alt: str, key: str) -> None:
    """How long each of the latest runs took."""
    figure = go.Figure(
        go.Bar(
            x=list(labels),
            y=list(seconds),
            marker={"color": SLATE, "line": {"width": 0}},
            hovertemplate="%{y:.2f} s<extra></extra>",
        )
    )
    figure.update_yaxes(rangemode="tozero", ticksuffix=" s", nticks=5)
    figure.update_xaxes(type="category", nticks=8, range=[-0.5, max(len(labels), FEWEST_BARS) - 0.5])
    _draw(figure, height=CARD_HEIGHT, alt=alt, key=key, hover="x unified")


def _largest(series: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    ranked = sorted(series, key=lambda name: -sum(series[name]))
    kept = {name: series[name] for name in ranked[:MOST_SERIES]}
    rest = [series[name] for name in ranked[MOST_SERIES:]]
    if rest:
        kept[t(OTHER)] = [sum(column) for column in zip(*rest, strict=True)]
    return kept


def _money_axis(figure: go.Figure, currency: str) -> None:
    figure.update_yaxes(rangemode="tozero", tickprefix=SYMBOLS.get(currency, ""), tickformat="~s", nticks=5)


def _draw(figure: go.Figure, *, height: int, alt: str, key: str, hover: str) -> None:
    """Send a figure with no ink of its own: the theme's fonts, grid and hover stay."""
    legend: dict[str, Any] = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None}
    figure.update_layout(
        height=height,
        margin=_MARGIN,
        paper_bgcolor=_CLEAR,
        plot_bgcolor=_CLEAR,
        hovermode=hover,
        dragmode=False,
        legend=legend,
    )
    figure.update_xaxes(fixedrange=True, tickangle=0, title=None, showgrid=False)
    figure.update_yaxes(fixedrange=True, title=None)
    st.plotly_chart(figure, theme="streamlit", config=_CONFIG, alt=alt, key=key)
