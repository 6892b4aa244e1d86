"""News from Stripe as the inbox keeps it: read from its JSON, stored once by its id."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Never

from sqlalchemy.dialects.postgresql import insert

from services.kernel.errors import Invalid
from services.runtime.database import Facts
from services.runtime.events import InboxEvent
from services.runtime.work import Work

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event; `object_id` is empty for news about something that has no id."""

    event_id: str
    kind: str
    object_id: str
    account: str | None
    api_version: str | None
    is_live: bool
    body: Facts


def read(body: bytes | str) -> Arrival:
    """The event that a webhook's body or an entry of the events list holds; raises Invalid if it is none."""
    facts = _parsed(body if isinstance(body, str) else body.decode("utf-8", "replace"))
    if not isinstance(facts, dict) or facts.get("object") != "event":
        raise Invalid("object", "The body must be one snapshot event, whose object is 'event'.")
    data = facts.get("data")
    about = data.get("object") if isinstance(data, dict) else None
    if not isinstance(about, dict):
        raise Invalid("data.object", "An event must carry the object it is about.")
    if not isinstance(facts.get("livemode"), bool):
        raise Invalid("livemode", "An event must say true or false for livemode.")
    return Arrival(
        event_id=_name(facts, "id"),
        kind=_name(facts, "type"),
        object_id=_name(about, "id") if about.get("id") else "",
        account=_name(facts, "account") if facts.get("account") else None,
        api_version=_name(facts, "api_version") if facts.get("api_version") else None,
        is_live=facts["livemode"],
        body=facts,
    )


def store(work: Work, arrivals: Sequence[Arrival]) -> int:
    """Keep the events that are not kept yet, and wake the worker for them; returns how many were new."""
    if not arrivals:
        return 0
    when = {"received_at": work.now, "next_try_at": work.now}
    rows = [asdict(arrival) | when for arrival in sorted(arrivals, key=lambda arrival: arrival.event_id)]
    once = insert(InboxEvent).on_conflict_do_nothing().returning(InboxEvent.event_id)
    kept = work.run(once, rows)
    new = len(kept.all())
    if new:
        work.wake()
    return new


def _parsed(text: str) -> Any:  # noqa: ANN401 - JSON may be anything
    try:
        facts = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Invalid("body", "The body must be JSON.") from error
    return _storable(facts) if "\\u" in text else facts


def _storable(value: Any) -> Any:  # noqa: ANN401 - JSON may be anything
    """The same without what JSON may hold but Postgres may not: NUL and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_storable(part) for part in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(part) for key, part in value.items()}
    return value


def _no_number(constant: str) -> Never:
    raise ValueError(f"{constant} is no number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        _no_number(digits)
    return number


def _name(facts: Facts, field: str) -> str:
    name = facts.get(field)
    if not (isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME):
        raise Invalid(field, f"An event's {field} must be a text of 1 to {_LONGEST_NAME} characters.")
    return name
