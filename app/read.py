"""The one way in which a page asks."""

from collections.abc import Callable
from typing import Any, TypeVar

from app import published
from app.viewer import require_user
from app.wiring import wired

FIGURES = "warehouse.reads."

Answer = TypeVar("Answer")


def read(question: Callable[..., Answer], **facts: Any) -> Answer:  # noqa: ANN401 - each question names its own facts
    """Ask a question of the published figures (`warehouse.reads.*`) or of a domain (`services.*`).

    The session is checked again first. Raises Forbidden (`session_ended`), Unavailable before the first
    figures, and whatever the question refuses.
    """
    person = require_user()
    if question.__module__.startswith(FIGURES):
        return question(published.figures(), **facts)
    with wired().works.begin(person) as work:
        return question(work, **facts)
