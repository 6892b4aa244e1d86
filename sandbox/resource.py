"""What a file in `resources/` declares: its operations, what can be expanded, and what falls due.

A new resource is one such file, added to the tuple in `resources/__init__.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.parameters import Fields
from sandbox.shapes import Json
from sandbox.store import Store


@dataclass(frozen=True)
class Call:
    """One request as a resource sees it: the state, the time, and who asked.

    `now` is in seconds; for something that fell due it is the due time, not the present one.
    """

    store: Store
    now: int
    base_url: str
    account: str
    request: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Operation:
    """A method and path of the API; identifiers in the path reach `act` in order, after the parameters."""

    method: str
    path: str
    act: Callable[..., Json]
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """One kind of object and everything the API can do with it.

    `expandable` holds dotted paths of fields that hold an id; `included` makes fields that appear only when
    they are expanded; `timers` are done to an object's id when due; `shown` turns the stored body into the
    one that is answered.
    """

    kind: str
    operations: tuple[Operation, ...]
    expandable: frozenset[str] = frozenset()
    included: Mapping[str, Callable[[Call, Json], Json]] = field(default_factory=dict)
    timers: Mapping[str, Callable[[Call, str], None]] = field(default_factory=dict)
    shown: Callable[[Call, Json], Json] | None = None
