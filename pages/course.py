"""Course: what is in it, what it costs, and the way to it."""

from uuid import UUID

import streamlit as st

from app.parts import buying, frame, live, shelf, states, tiles
from app.read import read
from app.wording import markup, plain, t
from services.kernel.errors import NotFound
from services.kernel.ids import CourseId
from services.marketplace import browse
from services.marketplace.browse import Sheet


def asked() -> CourseId | None:
    """The course that the address names."""
    try:
        return CourseId(UUID(str(st.query_params.get("course", ""))))
    except ValueError:
        return None


def draw(sheet: Sheet) -> None:
    """The course on the left, the way to it on the right."""
    with frame.header(sheet.card.title, sheet.card.instructors):
        pass
    about, buy = st.columns([8, 5], gap="small")
    with about, states.card("about", what=t("The course"), height="stretch"):
        tiles.heading(t("About this course"))
        st.html(f'<div class="b-text">{paragraphs(sheet.description)}</div>')
        st.table(facts(sheet), border="horizontal")
    with buy, states.card("buy", what=t("The price"), height="stretch"):
        buying.panel(sheet)


def paragraphs(text: str) -> str:
    """Somebody's words as paragraphs, and nothing but paragraphs."""
    return "".join(f"<p>{markup(part)}</p>" for part in text.split("\n") if part.strip())


def facts(sheet: Sheet) -> dict[str, str]:
    """What there is to know at a glance."""
    return {
        t("Subject"): plain(sheet.card.subject),
        t("Level"): plain(sheet.card.level),
        t("Length"): shelf.length(sheet.card.hours),
    }


def standing() -> str | None:
    """Whether the course is begun or owned by now."""
    try:
        return read(browse.course, course=course).card.stands if course else None
    except NotFound:
        return None


course = asked()
live.watch(standing)
if course is None:
    with frame.header(t("Course"), t("Choose a course in the catalogue.")):
        pass
    states.empty(t("No course is chosen."), t("Go back to the catalogue and open one."))
else:
    draw(read(browse.course, course=course))
