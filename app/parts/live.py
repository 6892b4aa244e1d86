"""The small part of a page that notices news and draws the page again."""

from collections.abc import Callable

import streamlit as st

from app import published
from app.viewer import check_again, current_user

_SEEN = "live_seen"
_HELD = "live_held"
EVERY = "2s"
EVERY_SLOW = "30s"


def watch(version: Callable[[], object] | None = None, *, every: str = EVERY) -> None:
    """Draw the page again once what it shows is there in a newer version; call it before anything is read.

    The version is the published one of the figures, or the answer to a cheap question for pages that read
    other things: they are not drawn again for figures that they do not show. An ended session is noticed too.
    """
    st.session_state[_SEEN] = _seen(version)
    st.fragment(_compare, run_every=every)(version)


def hold() -> None:
    """Leave the page alone while a window is open over it; the next whole run lets go."""
    st.session_state[_HELD] = True


def let_go() -> None:
    """A whole run has begun: no window is open any more."""
    st.session_state[_HELD] = False


def _compare(version: Callable[[], object] | None) -> None:
    check_again()
    is_news = not st.session_state.get(_HELD) and _seen(version) != st.session_state.get(_SEEN)
    if is_news or current_user() is None:
        st.rerun()


def _seen(version: Callable[[], object] | None) -> object:
    return version() if version else published.version()
