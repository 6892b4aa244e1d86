"""Every chart, drawn with Plotly in the theme's own ink, so that it follows the light and dark switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from app.theme import CORAL_SOFT, GOLD, PRIMARY, SERIES, SLATE
from app.wording import SYMBOLS, change_label, major, money, money_round, t
from services.kernel.money import Money

Layout = dict[str, Any]
"""A part of a chart, in Plotly's own words."""

HERO_HEIGHT = 300
CARD_HEIGHT = 290
MOST_SERIES = 4
MOST_TICKS = 6
FEWEST_BARS = 12
OTHER = "Other"
_CONFIG = {"displayModeBar": False}
_CLEAR = "rgba(0,0,0,0)"
_FRAME: Layout = {
    "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
    "paper_bgcolor": _CLEAR,
    "plot_bgcolor": _CLEAR,
    "hovermode": "x unified",
    "dragmode": False,
    "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
}


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
    bars = {
        "type": "bar",
        "x": [step.label for step in steps],
        "y": heights,
        "base": bases,
        "marker": {"color": colours, "line": {"width": 0}},
        "width": 0.82,
        "text": [money_round(step.amount) if step.is_total else change_label(step.amount) for step in steps],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [money(step.amount) for step in steps],
        "hovertemplate": "%{x}: %{customdata}<extra></extra>",
    }
    axes = {"yaxis": {"visible": False, "rangemode": "tozero"}, "hovermode": "closest"}
    _draw([bars], axes, height=HERO_HEIGHT, alt=alt, key=key)


def stacked(
    buckets: Sequence[date], series: Mapping[str, Sequence[int]], *, currency: str, alt: str, key: str
) -> None:
    """Composition over time in minor units: the four largest series and the rest as Other.

    The last bucket is the one in progress: it is hatched.
    """
    kept = _largest(series)
    pattern = {"shape": [""] * (len(buckets) - 1) + ["/"], "size": 5}
    bars = [
        {
            "type": "bar",
            "x": list(buckets),
            "y": [major(Money(minor, currency)) for minor in minors],
            "name": name,
            "marker": {"color": SERIES[place], "line": {"width": 0}, "pattern": pattern},
            "customdata": [money(Money(minor, currency)) for minor in minors],
            "hovertemplate": "%{customdata}",
        }
        for place, (name, minors) in enumerate(kept.items())
    ]
    ticks = list(buckets)[:: -(-len(buckets) // MOST_TICKS)]
    layout = {
        "barmode": "relative",
        "bargap": 0.24,
        "barcornerradius": 3,
        "showlegend": len(kept) > 1,
        "xaxis": {"tickvals": ticks, "tickformat": "%-d %b", "hoverformat": "%-d %b %Y"},
        "yaxis": _money_axis(currency),
    }
    _draw(bars, layout, height=CARD_HEIGHT, alt=alt, key=key)


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
    trace = {
        "type": "scatter",
        "x": list(days),
        "y": [major(Money(minor, currency)) for minor in minors],
        "mode": "lines",
        "line": {"color": PRIMARY, "width": 2},
        "fill": "tozeroy",
        "fillcolor": "rgba(67,102,224,.12)",
        "customdata": [money_round(Money(minor, currency)) for minor in minors],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    layout: Layout = {"yaxis": _money_axis(currency)}
    if goal:
        layout |= _reached(goal)
    _draw([trace], layout, height=CARD_HEIGHT, alt=alt, key=key)


def durations(labels: Sequence[str], seconds: Sequence[float], *, alt: str, key: str) -> None:
    """How long each of the latest runs took."""
    bars = {
        "type": "bar",
        "x": list(labels),
        "y": list(seconds),
        "marker": {"color": SLATE, "line": {"width": 0}},
        "hovertemplate": "%{y:.2f} s<extra></extra>",
    }
    last = max(len(labels), FEWEST_BARS) - 0.5
    layout = {
        "xaxis": {"type": "category", "nticks": 8, "range": [-0.5, last]},
        "yaxis": {"rangemode": "tozero", "ticksuffix": " s", "nticks": 5},
    }
    _draw([bars], layout, height=CARD_HEIGHT, alt=alt, key=key)


def _largest(series: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    ranked = sorted(series, key=lambda name: -sum(series[name]))
    kept = {name: series[name] for name in ranked[:MOST_SERIES]}
    rest = [series[name] for name in ranked[MOST_SERIES:]]
    if rest:
        kept[t(OTHER)] = [sum(column) for column in zip(*rest, strict=True)]
    return kept


def _money_axis(currency: str) -> Layout:
    return {
        "rangemode": "tozero",
        "tickprefix": SYMBOLS.get(currency, ""),
        "tickformat": "~s",
        "nticks": 5,
    }


def _reached(goal: Goal) -> Layout:
    height = major(goal.amount)
    across = {"xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height}
    words = {"text": goal.label, "xref": "paper", "x": 0, "y": height, "xanchor": "left", "yanchor": "bottom"}
    return {
        "shapes": [{"type": "line", **across, "line": {"color": GOLD, "width": 1.5, "dash": "dash"}}],
        "annotations": [{**words, "showarrow": False}],
    }


def _draw(data: list[Layout], layout: Layout, *, height: int, alt: str, key: str) -> None:
    """Send a chart with no ink of its own: the theme's fonts, grid and hover stay.

    It is handed over as plain data, which Streamlit validates in one go: a third of the time of building the
    same figure step by step.
    """
    axes = {
        "xaxis": {"fixedrange": True, "tickangle": 0, "showgrid": False, **layout.get("xaxis", {})},
        "yaxis": {"fixedrange": True, **layout.get("yaxis", {})},
    }
    figure = {"data": data, "layout": {**_FRAME, "height": height, **layout, **axes}}
    st.plotly_chart(figure, theme="streamlit", config=_CONFIG, alt=alt, key=key)
