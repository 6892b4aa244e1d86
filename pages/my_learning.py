"""My learning: where was I, and what can I still give back."""

import streamlit as st

from app import navigation
from app.parts import filters, frame, giving_back, live, states, tables
from app.read import read
from app.wording import counted, t
from services.marketplace import learn
from services.marketplace.learn import OwnedCourse

SIZE = 8
GROUPS = {
    "All": frozenset({"pending", "held", "matured", "refunding", "refunded"}),
    "Active": frozenset({"held", "matured"}),
    "Pending": frozenset({"pending"}),
    "Refunded": frozenset({"refunding", "refunded"}),
}


def seen() -> list[tuple[object, str]]:
    """What this page shows, as short as it can be said."""
    return [(each.line_id, each.state) for each in read(learn.mine)]


def show_all() -> None:
    """Drop the filter."""
    st.session_state["learning"] = "All"


live.watch(seen)
mine = read(learn.mine)
active = [each for each in mine if each.state in GROUPS["Active"]]
with frame.header(
    t("My learning"), t("{courses} open to you", courses=counted(len(active), "course", "courses"))
):
    pass
if not mine:
    states.empty(
        t("Your courses will appear here."), t("Choose one in the catalogue; free ones open at once.")
    )
    st.page_link(
        navigation.PAGES / "catalogue.py", label=t("Open the catalogue"), icon=":material/menu_book:"
    )
    st.stop()
group = filters.pills(
    {name: sum(each.state in states_of for each in mine) for name, states_of in GROUPS.items()},
    key="learning",
)
chosen: list[OwnedCourse] = [each for each in mine if each.state in GROUPS[group]]
if not chosen:
    states.filtered_to_nothing(
        t("None of your courses is {group}.", group=group.lower()),
        widen=t("Show all"),
        on_widen=show_all,
        key="widen",
    )
with tables.paged(len(chosen), key="learned", size=SIZE) as skip:
    for owned in chosen[skip : skip + SIZE]:
        giving_back.row(owned)
