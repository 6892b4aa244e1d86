"""The frame of every page: browser tab, sidebar, header."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.configuration import ROOT
from app.wording import ROLE_NAMES, listed, markup, plain, t
from services.kernel.actor import Actor, Role

_BRAND = ROOT / "app" / "static" / "brand"
_NOTE = "next_note"


def page_config() -> None:
    """Tab title, icon and width; the mark stands even where a page's menu icon would be taken."""
    about = t("Bursar: every cent of a course platform, from the card to the payout.")
    st.set_page_config(
        page_title="Bursar",
        page_icon=str(_BRAND / "mark.svg"),
        layout="wide",
        menu_items={"About": about},  # a menu with one item of ours also carries the light and dark switch
    )


def sidebar(person: Actor) -> None:
    """Logo above the menu; below it the person, what they are, and the way out."""
    st.logo(str(_BRAND / "wordmark.svg"), size="large", icon_image=str(_BRAND / "mark.svg"))
    roles = listed([t(ROLE_NAMES[role]) for role in Role if role in person.roles])
    with st.sidebar, st.container(key="person"):
        st.html(_person(person.name, roles))


def _person(name: str, roles: str) -> str:
    leave = markup(t("Sign out"))
    return (
        f'<div class="b-person"><div><strong>{markup(name)}</strong><small>{markup(roles)}</small></div>'
        f'<a href="/logout" title="{leave}" aria-label="{leave}"></a></div>'
    )


@contextmanager
def header(title: str, caption: str, *, warning: str = "") -> Iterator[None]:
    """Title and caption on the left; what is drawn inside the block stands on the right.

    Both are plain words, whoever wrote them. A `warning` takes the caption's place: the figures are older
    than they should be.
    """
    st.set_page_config(page_title=f"{title} · Bursar")
    words, controls = st.columns([5, 4], vertical_alignment="bottom")
    with words, st.container(gap=None):
        st.title(plain(title), anchor=False)
        if warning:
            st.badge(plain(warning), icon=":material/schedule:", color="orange")
        elif caption:
            st.caption(plain(caption))
    with (
        controls,
        st.container(horizontal=True, horizontal_alignment="right", key="header_controls") as place,
    ):
        yield place
    _say_note()


def note(text: str) -> None:
    """Say something small once, after the next rerun."""
    st.session_state[_NOTE] = text


def _say_note() -> None:
    text = st.session_state.pop(_NOTE, None)
    if text:
        st.toast(text, icon=":material/check_circle:")
