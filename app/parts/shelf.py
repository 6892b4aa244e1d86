"""Courses as cards."""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from app import navigation
from app.wording import counted, markup, money, t
from services.kernel.money import Money
from services.marketplace.browse import Card

SMALLEST_CARD = 240
_STANDS = {"owned": "You have this", "pending": "Payment pending"}


def cards(found: Sequence[Card]) -> None:
    """A grid of courses; each opens its page."""
    with st.grid(3, min_column_width=SMALLEST_CARD, gap="small", key="shelf_cards"):
        for card in found:
            with st.container(
                border=True, key=f"course_{card.course_id}", height="stretch", vertical_alignment="distribute"
            ):
                st.html(_face(card))
                st.page_link(
                    navigation.PAGES / "course.py",
                    label=t("Open") if card.stands == "owned" else t("View course"),
                    icon=":material/arrow_forward:",
                    query_params={"course": str(card.course_id)},
                )


def price(amount: Money) -> str:
    """What a course costs: to the cent, or the word free."""
    return money(amount) if amount else t("Free")


def length(hours: Decimal) -> str:
    """How long a course is."""
    minutes = int(hours * 60)
    if minutes < 60:  # noqa: PLR2004 - minutes of an hour
        return counted(minutes, "minute", "minutes")
    return f"{hours.normalize():f} {t('hour') if hours == 1 else t('hours')}"


def _face(card: Card) -> str:
    stands = f'<span class="b-tag">{markup(t(_STANDS[card.stands]))}</span>' if card.stands else ""
    by = f'<div class="b-sub">{markup(card.instructors)}</div>' if card.instructors else ""
    return (
        f'<div class="b-course"><div class="b-sub">{markup(card.subject)}{stands}</div>'
        f'<div class="b-title" role="heading" aria-level="2">{markup(card.title)}</div>{by}'
        f'<div class="b-price">{markup(price(card.price))}</div>'
        f'<div class="b-sub">{markup(length(card.hours))} · {markup(card.level)}</div></div>'
    )
