"""Windows over a page: the drawer that shows one record, and the dialog before money moves."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from app.parts import frame, live
from app.perform import Outcome
from app.wording import markup, plain


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation: what, how much, and why."""

    words: str
    figure: str
    why: str = ""
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """An act that needs a second word: what happens, and the two buttons named for their results."""

    title: str
    what_happens: Sequence[str]
    keep: str
    confirm: str
    done: str


def drawer(title: str, draw: Callable[[], None]) -> None:
    """Open a drawer on the right over the page and draw one record in it."""
    live.hold()
    st.dialog(title, position="right", width="small", on_dismiss="rerun")(draw)()


def explain(lines: Sequence[Line]) -> None:
    """Lines that add up, each with its reason below it."""
    body = "".join(_row(line) for line in lines)
    st.html(f'<table class="b-lines"><tbody>{body}</tbody></table>')


def _row(line: Line) -> str:
    total = ' class="b-total"' if line.is_total else ""
    why = f"<small>{markup(line.why)}</small>" if line.why else ""
    return f'<tr{total}><th scope="row">{markup(line.words)}{why}</th><td>{markup(line.figure)}</td></tr>'


def confirm(ask: Ask, act: Callable[[str], Outcome], *, inputs: Callable[[], None] | None = None) -> None:
    """Open the dialog before money moves.

    Its idempotency key is made here, when it opens, and handed to `act`: a double click or a rerun cannot act
    twice. `inputs` draws what else is asked. After a failure it stays open with what was entered.
    """
    once = secrets.token_hex(16)
    live.hold()

    @st.dialog(ask.title, on_dismiss="rerun")
    def window() -> None:
        for text in ask.what_happens:
            st.markdown(plain(text))
        if inputs:
            inputs()
        safe, sure = st.columns(2)
        with safe:
            is_kept = st.button(ask.keep, key="window_keep", width="stretch")
        with sure:
            is_sure = st.button(plain(ask.confirm), key="window_confirm", type="primary", width="stretch")
        if is_kept:
            st.rerun()
        if is_sure:
            _finish(ask, act(once))

    window()


def _finish(ask: Ask, outcome: Outcome) -> None:
    if outcome.is_done:
        frame.note(ask.done)
        st.rerun()
    st.error(plain(outcome.words), icon=":material/error:")
