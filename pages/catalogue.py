"""Catalogue: what can I learn, and at what price."""

import streamlit as st

from app.parts import filters, frame, live, shelf, states, tables
from app.read import read
from app.wording import count, counted, t
from services.marketplace import browse
from services.marketplace.browse import PriceBand, Wanted

SIZE = 12
PRICES = {
    "Any price": None,
    "Free": PriceBand.FREE,
    "Up to $50": PriceBand.UP_TO_50,
    "Up to $100": PriceBand.UP_TO_100,
    "Above $100": PriceBand.ABOVE_100,
}
ANY_SUBJECT, ANY_LEVEL, ANY_PRICE = "All subjects", "All levels", "Any price"


def first_page() -> None:
    """A narrower search starts at its first page."""
    st.session_state["shelf"] = 1


def widen() -> None:
    """Show everything again."""
    st.session_state.update(search="", subject=ANY_SUBJECT, level=ANY_LEVEL, price=ANY_PRICE, shelf=1)


def wanted() -> Wanted:
    """The controls above the shelf, and what they say."""
    search, narrow = st.columns([5, 8])
    with search:
        words = st.text_input(
            t("Search"),
            type="search",
            placeholder=t("Title, subject or instructor"),
            key="search",
            bind="query-params",
            max_chars=200,
            on_change=first_page,
        )
    with narrow, st.grid(3, min_column_width=100, gap="small"):
        of = filters.choice(
            t("Subject"), [ANY_SUBJECT, *read(browse.subjects)], key="subject", on_change=first_page
        )
        at = filters.choice(t("Level"), [ANY_LEVEL, *read(browse.levels)], key="level", on_change=first_page)
        cost = filters.choice(t("Price"), list(PRICES), key="price", on_change=first_page)
    return Wanted(
        search=words or "",
        subject=None if of == ANY_SUBJECT else of,
        level=None if at == ANY_LEVEL else at,
        price=PRICES.get(cost),
    )


live.watch(lambda: None)
with frame.header(t("Catalogue"), t("Buy once, keep it. 30 days to change your mind.")):
    pass
look = wanted()
total = read(browse.how_many, wanted=look)
if total:
    st.caption(t("{courses}, newest first", courses=counted(total, "course", "courses")))
    with tables.paged(total, key="shelf", size=SIZE) as skip:
        shelf.cards(read(browse.courses, wanted=look, skip=skip, take=SIZE))
elif look == Wanted():
    states.empty(
        t("No course is on sale yet."), t("Courses appear here as soon as their instructors list them.")
    )
else:
    states.filtered_to_nothing(
        t("No course fits among {all}.", all=count(read(browse.how_many, wanted=Wanted()))),
        widen=t("Show all courses"),
        on_widen=widen,
        key="widen",
    )
