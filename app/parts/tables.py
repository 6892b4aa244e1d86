"""Tables with one look, and the files made from them."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import polars as pl
import streamlit as st

from app import viewer
from app.wording import MISSING, cell, column_format, t

ROW_HEIGHT = 42
PAGE_ROWS = 12

Column = Any
"""A column's configuration, as Streamlit's `column_config` makes it."""


def money_column(label: str, currency: str, *, width: int) -> Column:
    """Money to the cent, written in the reader's own way; takes whole units as a number."""
    return st.column_config.NumberColumn(label, format=column_format(currency), width=width)


def amount_column(label: str, *, width: int) -> Column:
    """An exact amount of any currency, which another column names."""
    return st.column_config.NumberColumn(label, format="%.2f", width=width)


def seconds_column(label: str, *, width: int) -> Column:
    """A duration in seconds."""
    return st.column_config.NumberColumn(label, format="%.2f s", width=width)


def count_column(label: str, *, width: int) -> Column:
    """A count with thousands separators."""
    return st.column_config.NumberColumn(label, format="localized", width=width)


def text_column(label: str, *, width: int) -> Column:
    """Words; what people typed stays inert here."""
    return st.column_config.TextColumn(label, width=width)


def day_column(label: str, *, width: int) -> Column:
    """A date."""
    return st.column_config.DateColumn(label, format="D MMM YYYY", width=width)


def moment_column(label: str, *, width: int) -> Column:
    """An instant, in UTC."""
    return st.column_config.DatetimeColumn(label, format="D MMM YYYY, HH:mm", timezone="UTC", width=width)


def status_column(label: str, colours: Mapping[str, str], *, width: int) -> Column:
    """A coloured badge with its word; takes a list with the one word."""
    return st.column_config.MultiselectColumn(
        label, options=list(colours), color=list(colours.values()), width=width
    )


def action_column(label: str, *, key: str, width: int) -> Column:
    """A button in each row; the row that was clicked stands in the session state under `key` for one run."""
    return st.column_config.ButtonColumn(label, key=key, type="tertiary", width=width)


def table(rows: pl.DataFrame, columns: Mapping[str, Column], *, alt: str, key: str) -> None:
    """Rows that are only read; columns that are not named are not sent."""
    st.dataframe(
        rows.select(list(columns)),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        column_config=dict(columns),
        placeholder=MISSING,
        alt=alt,
        key=key,
    )


def selectable(rows: pl.DataFrame, columns: Mapping[str, Column], *, alt: str, key: str) -> int | None:
    """Rows of which one can be chosen; gives the place of the chosen one."""
    state = st.dataframe(
        rows.select(list(columns)),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        column_config=dict(columns),
        placeholder=MISSING,
        on_select="rerun",
        selection_mode="single-row",
        alt=alt,
        key=key,
    )
    chosen = state.selection.rows
    return chosen[0] if chosen else None


@contextmanager
def paged(total: int, *, key: str, size: int = PAGE_ROWS) -> Iterator[int]:
    """Draw one page of many rows, with the control for the others below; gives how many rows to skip."""
    place = st.container()
    pages = -(-total // size)
    skip = (st.pagination(pages, key=key, bind="query-params") - 1) * size if pages > 1 else 0
    with place:
        yield skip


def export(rows: Callable[[], Iterable[Mapping[str, object]]], *, name: str, first: date, last: date) -> None:
    """One button that saves exactly the rows and filters on screen.

    `rows` is asked when the button is pressed, outside of any page: it may read, but not look at widgets.
    """
    session_id = viewer.handed()

    def written() -> bytes:
        with viewer.behind(session_id):
            return comma_separated(rows())

    st.download_button(
        t("Export"),
        written,
        file_name=file_name(name, first, last),
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"export_{name}",
    )


def file_name(name: str, first: date, last: date) -> str:
    """What an exported file is called: earnings_2026-08-25_2026-11-22.csv."""
    return f"{name}_{first.isoformat()}_{last.isoformat()}.csv"


def comma_separated(rows: Iterable[Mapping[str, object]]) -> bytes:
    """Rows as a file for spreadsheets; no cell of it runs as a formula."""
    text = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, list(row), lineterminator="\r\n")
            writer.writeheader()
        writer.writerow({name: cell(value) for name, value in row.items()})
    return text.getvalue().encode("utf-8-sig")
