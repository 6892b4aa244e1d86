"""What stands where figures cannot: nothing yet, nothing found, a failed card or page, an ended session."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import streamlit as st

from app.parts import frame
from app.trouble import report
from app.wiring import wired
from app.wording import markup, moment, t
from services.kernel.errors import Refusal

ENDED = "session_ended"
_FAILING = "failing_since"


def signed_out() -> None:
    """One line and the way back in."""
    st.html(
        f'<div class="b-empty" role="status"><strong>{t("Your session has ended.")}</strong>'
        f'<a href="/login" target="_self">{t("Sign in again")}</a></div>'
    )


def no_pages() -> None:
    """Somebody who is nothing to the platform yet."""
    empty(
        t("There is nothing here for you yet."),
        t("Ask the people who invited you to give your account a role."),
    )


def empty(heading: str, step: str) -> None:
    """Nothing yet: what will appear here, and the step that makes it appear."""
    st.html(f'<div class="b-empty" role="status"><strong>{markup(heading)}</strong>{markup(step)}</div>')


def filtered_to_nothing(sentence: str, *, widen: str, on_widen: Callable[[], None], key: str) -> None:
    """Nothing matches: what was looked for, and a button that widens the filter."""
    st.html(f'<div class="b-empty" role="status"><strong>{markup(sentence)}</strong></div>')
    st.button(widen, on_click=on_widen, key=key)


def old_data(source: str, *, since: datetime, expected: datetime | None = None) -> str:
    """The words of the warning that takes the caption's place when figures are too old."""
    waits = t("; the next try is at {at}", at=f"{expected.astimezone(UTC):%H:%M}") if expected else ""
    return t("{source} figures are from {since}", source=source, since=moment(since)) + waits


@contextmanager
def card(key: str, *, what: str, height: str = "content") -> Iterator[None]:
    """A bordered card; whatever fails inside it fails alone.

    `what` names the content for the sentence that is shown in its place.
    """
    frame_of = st.container(border=True, key=f"card_{key}", height=height)  # type: ignore[arg-type]  # a literal of Streamlit's
    with frame_of, alone(key, what=what):
        yield


@contextmanager
def alone(key: str, *, what: str) -> Iterator[None]:
    """A part of a page that fails alone: a sentence with a reference stands in its place."""
    try:
        yield
    except Refusal as refusal:
        _leave_if_ended(refusal)
        st.html(f'<div class="b-empty" role="status"><strong>{markup(refusal.message)}</strong></div>')
    except Exception as error:  # noqa: BLE001 - this is where a part's crash ends
        _failed(key, what, report(error, during=f"part {key}"))
    else:
        _failing().pop(key, None)


def refused_page(title: str, refusal: Refusal) -> None:
    """A page that cannot be shown now: its frame, and the sentence that says why."""
    _leave_if_ended(refusal)
    with frame.header(title, ""):
        pass
    st.html(f'<div class="b-empty" role="status"><strong>{markup(refusal.message)}</strong></div>')


def failed_page(error: Exception) -> bool:
    """One message with a reference; the log has the rest."""
    reference = report(error, during="page")
    st.error(
        t(
            "This page could not be shown. The error is recorded under reference **{reference}**.",
            reference=reference,
        ),
        icon=":material/error:",
    )
    return True


def _failed(key: str, what: str, reference: str) -> None:
    now = wired().works.clock.now()
    since = _failing().setdefault(key, now)
    st.html(
        f'<div class="b-empty" role="status"><strong>{markup(what)} {t("could not be shown.")}</strong>'
        f'{t("Since")} {moment(since)} · {t("reference")} <span class="b-code">{reference}</span></div>'
    )
    st.button(t("Try again"), icon=":material/refresh:", key=f"again_{key}")


def _failing() -> dict[str, datetime]:
    since: dict[str, datetime] = st.session_state.setdefault(_FAILING, {})
    return since


def _leave_if_ended(refusal: Refusal) -> None:
    if refusal.code == ENDED:
        st.rerun()
