"""Which pages there are, for whom, and in which order."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from services.kernel.actor import Actor, Role

PAGES = Path(__file__).parent.parent / "pages"
HIDDEN = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu; a hidden one is reached from another page."""

    name: str
    title: str
    icon: str
    section: str
    roles: frozenset[Role]
    about: str

    @property
    def path(self) -> Path:
        """The script of the page."""
        return PAGES / f"{self.name}.py"

    @property
    def address(self) -> str:
        """The last part of the page's address."""
        return self.name.replace("_", "-")


_LOOKS = frozenset({Role.LEARNER, Role.INSTRUCTOR, Role.FOUNDER})

ENTRIES = (
    Entry(
        "earnings",
        "Earnings",
        ":material/payments:",
        "Earnings",
        frozenset({Role.INSTRUCTOR}),
        "What you get next and when, and every sale behind it down to the cent.",
    ),
    Entry(
        "data_health",
        "Data health",
        ":material/database:",
        "Operate",
        frozenset({Role.FOUNDER, Role.FINANCE, Role.SUPPORT, Role.SUPPORT_LEAD, Role.OPERATOR}),
        "Whether the figures can be trusted: freshness, checks, and the difference to the processor.",
    ),
    Entry(
        "catalogue",
        "Catalogue",
        ":material/menu_book:",
        "Learning",
        _LOOKS,
        "What there is to learn, and at what price.",
    ),
    Entry(
        "my_learning",
        "My learning",
        ":material/school:",
        "Learning",
        frozenset({Role.LEARNER, Role.INSTRUCTOR}),
        "Your courses and purchases, with the refund inside its window.",
    ),
    Entry(
        "course",
        "Course",
        ":material/menu_book:",
        HIDDEN,
        _LOOKS,
        "One course: contents, price and checkout.",
    ),
)


def entries_for(person: Actor) -> list[Entry]:
    """The pages that this person may open; the first one is theirs at the root address."""
    return [entry for entry in ENTRIES if person.holds(*entry.roles)]


def address_for(person: Actor, address: str) -> str:
    """The address of a page for this person: the root for their first page and for whatever is not theirs."""
    return f"/{address}" if address in [entry.address for entry in entries_for(person)[1:]] else "/"


def sections_for(person: Actor) -> dict[str, list[Page]]:
    """The menu of this person, by section, as the shell's navigation takes it."""
    return _sections(entries_for(person))


def _sections(entries: Iterable[Entry]) -> dict[str, list[Page]]:
    sections: dict[str, list[Page]] = {}
    for place, entry in enumerate(entries):
        page = st.Page(
            entry.path,
            title=entry.title,
            icon=entry.icon,
            url_path=entry.address,
            default=place == 0,
            visibility="hidden" if entry.section == HIDDEN else "visible",
            help=entry.about,
        )
        sections.setdefault(entry.section, []).append(page)
    return sections
