"""The controls that narrow a page; their values live in the address, so that a page can be shared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from app.wording import t

PERIOD = "period"


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, both ends included, and the period of the same length before."""

    name: str
    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days the period has."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """The period of the same length that ended the day before this one began."""
        last = self.first - timedelta(days=1)
        return Period(self.name, last - timedelta(days=self.days - 1), last)


LENGTHS = {"30D": 30, "90D": 90, "6M": 182}


def period(today: date, *, default: str = "90D") -> Period:
    """The control that all pages share: 30D, 90D or 6M up to today."""
    chosen = st.segmented_control(
        t("Period"),
        list(LENGTHS),
        default=default,
        required=True,
        key=PERIOD,
        bind="query-params",
        label_visibility="collapsed",
    )
    name = chosen if chosen in LENGTHS else default
    return Period(name, today - timedelta(days=LENGTHS[name] - 1), today)


def pills(counts: Mapping[str, int], *, key: str) -> str:
    """Groups with their counts, such as "Stalled 3"; one of them is always chosen.

    Not part of the address: an address would carry the counts as well, and those change.
    """
    names = list(counts)
    chosen = st.pills(
        t("Show"),
        names,
        default=names[0],
        required=True,
        format_func=lambda name: f"{t(name)} {counts[name]}",
        key=key,
        label_visibility="collapsed",
    )
    return chosen if chosen in counts else names[0]


def one_of(names: Sequence[str], *, key: str) -> str:
    """One of a few names, kept in the address; the first unless another is chosen."""
    chosen = st.pills(
        t("Show"),
        names,
        default=names[0],
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
    )
    return chosen if chosen in names else names[0]


def choice(
    label: str, options: Sequence[str], *, key: str, on_change: Callable[[], None] | None = None
) -> str:
    """One of a list, kept in the address; the first unless another is chosen."""
    chosen = st.selectbox(label, options, key=key, bind="query-params", on_change=on_change or "rerun")
    return chosen if chosen in options else options[0]
