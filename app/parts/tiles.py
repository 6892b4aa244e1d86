"""The answer card and the row of key figures."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from app.wording import markup

MOST = 4
_BOLD = re.compile(r"\*\*(.+?)\*\*")


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar with a word at each end; `share` is 0 to 1."""

    share: float
    label: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Kpi:
    """One key figure. All of a row have the same parts."""

    label: str
    value: str
    delta: str | int | None = None
    described: str | None = None
    trend: Sequence[float] | None = None
    trend_kind: Literal["line", "bar"] = "line"
    is_rise_good: bool = True
    help: str | None = None


def sentence(template: str, **facts: object) -> str:
    """A sentence as HTML: `**bold**` in the template, every fact escaped."""
    words = _BOLD.sub(r"<strong>\1</strong>", markup(template))
    return words.format(**{name: markup(fact) for name, fact in facts.items()})


def hero(*, label: str, number: str, words: str, bar: Bar | None = None, aside: str = "") -> None:
    """The answer: one number and one sentence. `words` and `aside` come from `sentence`."""
    beside = f'<div class="b-aside">{aside}</div>' if aside else ""
    st.html(
        f'<div class="b-hero"><div class="b-label">{markup(label)}</div>'
        f'<div class="b-number">{markup(number)}</div><p>{words}</p>'
        f"{_bar(bar) if bar else ''}{beside}</div>"
    )


def heading(title: str, caption: str = "") -> None:
    """The title of a card and what it shows."""
    under = f'<div class="b-sub">{markup(caption)}</div>' if caption else ""
    st.html(f'<div class="b-title" role="heading" aria-level="2">{markup(title)}</div>{under}')


def kpi_row(kpis: Sequence[Kpi], *, key: str) -> None:
    """At most four key figures: four across on a desktop, two on a phone."""
    with st.grid(MOST, min_column_width=150, gap="small", key=key):
        for kpi in kpis[:MOST]:
            st.metric(
                kpi.label,
                kpi.value,
                kpi.delta,
                delta_color="normal" if kpi.is_rise_good else "inverse",
                delta_description=kpi.described,
                chart_data=kpi.trend,
                chart_type=kpi.trend_kind,
                help=kpi.help,
                border=True,
                height="stretch",
            )


def rows(lines: Sequence[tuple[str, str, str, str]]) -> None:
    """A short list: words, figure, and below them a remark on each side."""
    body = "".join(
        f'<div><span>{markup(words)}</span><span class="b-figure">{markup(figure)}</span>'
        f'<small>{markup(remark)}</small><small class="b-figure">{markup(state)}</small></div>'
        for words, figure, remark, state in lines
    )
    st.html(f'<div class="b-list">{body}</div>')


def _bar(bar: Bar) -> str:
    whole = round(min(max(bar.share, 0.0), 1.0) * 100)
    return (
        f'<div class="b-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{whole}" aria-label="{markup(bar.label)}"><span style="width:{whole}%"></span></div>'
        f'<div class="b-ends"><span>{markup(bar.left)}</span><span>{markup(bar.right)}</span></div>'
    )
