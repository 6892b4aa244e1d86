"""The one way in which a page acts."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from app.trouble import report
from app.viewer import require_user
from app.wiring import wired
from app.wording import t
from services.kernel.errors import Invalid, Refusal, Unavailable

UNKNOWN = "unknown"

_ADVICE = {
    "unknown": "It may have gone through: try again, it will not happen twice.",
    "Unavailable": "Trying again is safe: it will not happen twice.",
    "Conflict": "The page shows the present state.",
}
"""What to do next, in words, for the families of refusals that do not say it themselves."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an act led to: its result, or the words that say why not.

    `is_unknown` says that it may have happened all the same; repeating it with the same key is safe.
    """

    is_done: bool
    value: object = None
    words: str = ""
    field: str | None = None
    reference: str | None = None
    is_unknown: bool = False


def perform(verb: Callable[..., object], **facts: object) -> Outcome:
    """Run a verb as the person who looks, with what its first parameters ask for.

    `work` opens one transaction that stands when the verb returns; `works` and `gateway` are handed over
    as they are. A refusal comes back as words; a crash as a reference to the log.
    """
    try:
        return Outcome(is_done=True, value=_run(verb, facts))
    except Refusal as refusal:
        return refused(refusal)
    except Exception as error:  # noqa: BLE001 - the shell is where a crash ends
        reference = report(error, during=f"{verb.__module__}.{verb.__qualname__}")
        return Outcome(
            is_done=False,
            words=t("Something went wrong on our side. Reference {reference}.", reference=reference),
            reference=reference,
        )


def refused(refusal: Refusal) -> Outcome:
    """The words on screen for each family of refusals."""
    is_unknown = isinstance(refusal, Unavailable) and refusal.facts.get("outcome") == UNKNOWN
    advice = _ADVICE["unknown"] if is_unknown else _ADVICE.get(type(refusal).__name__, "")
    return Outcome(
        is_done=False,
        words=f"{refusal.message} {t(advice)}".strip(),
        field=refusal.field if isinstance(refusal, Invalid) else None,
        is_unknown=is_unknown,
    )


def _run(verb: Callable[..., object], facts: dict[str, object]) -> object:
    person = require_user()
    wiring = wired()
    offered = {"works": wiring.works, "gateway": wiring.gateway, "actor": person}
    asked = list(inspect.signature(verb).parameters)
    given = {name: offered[name] for name in asked if name in offered and name not in facts}
    if asked[:1] != ["work"]:
        return verb(**given, **facts)
    with wiring.works.begin(person) as work:
        return verb(work, **given, **facts)
