"""One course that somebody has, and the window in which it goes back."""

from functools import partial

import streamlit as st

from app import navigation
from app.parts import shelf, windows
from app.perform import Outcome, perform
from app.wording import day, markup, money, plain, t
from services.marketplace import refund
from services.marketplace.learn import OwnedCourse

REASONS = {
    "not_what_i_expected": "It is not what I expected",
    "bought_by_mistake": "I bought it by mistake",
    "quality": "Its quality is too low",
    "duplicate": "I bought it twice",
    "other": "Another reason",
}
_BADGES = {
    "pending": ("Payment pending", "orange", ":material/schedule:"),
    "held": ("Active", "green", ":material/check:"),
    "matured": ("Active", "green", ":material/check:"),
    "refunding": ("Refund on its way", "orange", ":material/schedule:"),
    "refunded": ("Refunded", "gray", ":material/undo:"),
}


def row(owned: OwnedCourse) -> None:
    """The course, where it stands, and what can be done."""
    words, colour, icon = _BADGES[owned.state]
    with st.container(border=True, key=f"owned_{owned.line_id}"):
        about, status, act = st.columns([6, 3, 3], vertical_alignment="center")
        with about:
            st.html(
                f'<div class="b-title" role="heading" aria-level="2">{markup(owned.title)}</div>'
                f'<div class="b-sub">{markup(_about(owned))}</div>'
            )
        with status:
            st.badge(t(words), icon=icon, color=colour)  # type: ignore[arg-type]  # a colour of Streamlit's
        with act:
            _act(owned)


def _about(owned: OwnedCourse) -> str:
    paid = money(owned.paid) if owned.paid else t("Free")
    parts = [
        owned.subject,
        shelf.length(owned.hours),
        t("{paid} on {day}", paid=paid, day=day(owned.begun_at.date())),
    ]
    if owned.refund_until:
        parts.append(t("refund until {day}", day=day(owned.refund_until.date())))
    if owned.ended_at and owned.state == "refunded":
        parts.append(t("returned on {day}", day=day(owned.ended_at.date())))
    return " · ".join(parts)


def _act(owned: OwnedCourse) -> None:
    if owned.refund_until and st.button(
        plain(t("Refund {paid}", paid=money(owned.paid))),
        icon=":material/undo:",
        key=f"refund_{owned.line_id}",
    ):
        _ask(owned)
    if owned.state == "pending":
        st.page_link(
            navigation.PAGES / "course.py",
            label=t("Continue to payment"),
            query_params={"course": str(owned.course_id)},
        )


def _ask(owned: OwnedCourse) -> None:
    paid = money(owned.paid)
    ask = windows.Ask(
        title=t("Give this course back"),
        what_happens=(
            t("{paid} goes back to the card that paid for {title}.", paid=paid, title=owned.title),
            t("Your access ends now. This cannot be undone, but you can buy the course again."),
        ),
        keep=t("Keep the course"),
        confirm=t("Refund {paid}", paid=paid),
        done=t("Refund sent"),
    )
    windows.confirm(ask, partial(_give_back, owned), inputs=_reason)


def _reason() -> None:
    st.selectbox(t("Reason"), list(REASONS), format_func=lambda code: t(REASONS[code]), key="refund_reason")


def _give_back(owned: OwnedCourse, once: str) -> Outcome:
    return perform(refund.issue, line=owned.line_id, reason=st.session_state["refund_reason"], key=once)
