"""Faults on order: calls that fail, answers that get lost, deliveries that are doubled, held or missed.

They are kept in the store, so that a restart does not heal them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox import errors
from sandbox.shapes import Json
from sandbox.store import Store

_SETTING = "faults"
_KINDS = ("429", "500", "lost_answer", "slow")
_NONE: Json = {
    "duplicate": False,
    "hold": False,
    "shuffle": False,
    "miss": 0,
    "late_balance": None,
    "calls": [],
}


@dataclass(frozen=True)
class CallFault:
    """What goes wrong with one call; `seconds` is how long a slow one waits."""

    kind: str
    seconds: float = 0.0


def present(store: Store) -> Json:
    """The faults in force."""
    return {**_NONE, **store.setting(_SETTING, {})}


def order(store: Store, wanted: Json) -> Json:
    """Put faults in force; those not named stay as they are."""
    if strangers := wanted.keys() - _NONE.keys():
        raise errors.unknown(strangers)
    for name in ("duplicate", "hold", "shuffle"):
        if not isinstance(wanted.get(name, False), bool):
            raise errors.malformed(f"{name} must be true or false", param=name)
    if not isinstance(wanted.get("miss", 0), int):
        raise errors.malformed("miss must be the number of deliveries to lose", param="miss")
    late = wanted.get("late_balance")
    if late is not None and not isinstance(late, int):
        raise errors.malformed("late_balance must be whole seconds, or null", param="late_balance")
    for one in wanted.get("calls", []):
        _check_call(one)
    store.remember(_SETTING, {**present(store), **wanted})
    return present(store)


def _check_call(one: Json) -> None:
    if one.get("fault") not in _KINDS:
        raise errors.malformed(f"calls[].fault must be one of {', '.join(_KINDS)}", param="calls")
    if strangers := one.keys() - {"fault", "times", "seconds", "method", "path"}:
        raise errors.unknown(strangers)


def clear(store: Store) -> None:
    """Nothing goes wrong any more."""
    store.remember(_SETTING, {})


def take_call(store: Store, method: str, path: str) -> CallFault | None:
    """The fault that befalls this call, used up once; the first that fits wins."""
    known = store.setting(_SETTING, {})
    for position, one in enumerate(known.get("calls", [])):
        if _fits(one, method, path):
            left = one.get("times", 1) - 1
            known["calls"][position : position + 1] = [one | {"times": left}] if left > 0 else []
            store.remember(_SETTING, known)
            return CallFault(one["fault"], float(one.get("seconds", 1.0)))
    return None


def _fits(one: Mapping[str, object], method: str, path: str) -> bool:
    return one.get("method", method) == method and path.startswith(str(one.get("path", "/")))


def late_balance(store: Store) -> int | None:
    """Seconds by which asynchronously captured money is late in the balance; None when it is not."""
    seconds: int | None = store.setting(_SETTING, {}).get("late_balance")
    return seconds


def take_miss(store: Store) -> bool:
    """Whether the next delivery is lost without being tried."""
    known = store.setting(_SETTING, {})
    if known.get("miss", 0) <= 0:
        return False
    store.remember(_SETTING, known | {"miss": known["miss"] - 1})
    return True
