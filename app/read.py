"""The one way in which a page asks."""

from collections.abc import Callable
from typing import Any, TypeVar

from app.viewer import require_user
from app.wiring import wired

FIGURES = "warehouse.reads."

Answer = TypeVar("Answer")


def read(question: Callable[..., Answer], **facts: Any) -> Answer:  # noqa: ANN401 - each question names its own facts
    """Ask a question of a domain.

    The session is checked again first. Raises Forbidden (`session_ended`) and whatever the question refuses.
    """
    person = require_user()
    with wired().works.begin(person) as work:
        return question(work, **facts)
