"""How old the figures are, in the words of a header."""

from datetime import datetime, timedelta

from app.wording import moment, since, t
from warehouse.reads.operations import Freshness

SCHEDULE = timedelta(minutes=1)
"""How often the sources are looked at when nothing wakes the pipelines."""


def caption(state: Freshness, now: datetime, *, also: str = "") -> str:
    """The instant that the figures show, and when the sources were last asked."""
    looked = since(max(state.looked_at or state.synced_at, state.synced_at), now)
    parts = [t("As of {at}", at=moment(state.as_of)), also, t("checked {ago}", ago=looked)]
    return " · ".join(filter(None, parts))


def warning(state: Freshness, now: datetime) -> str:
    """What takes the caption's place when figures are older than twice their schedule, or runs fail."""
    if state.failing_since:
        return t(
            "Figures are from {at}; refreshing them has failed since {since}",
            at=moment(state.as_of),
            since=moment(state.failing_since),
        )
    looked = max(state.looked_at or state.synced_at, state.synced_at)
    if now - looked > 2 * SCHEDULE:
        return t("Figures are from {at}; the next try is under way", at=moment(state.as_of))
    return ""
