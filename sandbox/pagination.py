"""Lists: newest first, cursors both ways, `created` bounds and equality filters, in one place."""

from typing import Any

from sandbox import errors
from sandbox.parameters import CREATED, Fields, integer, text
from sandbox.shapes import Json, listing
from sandbox.store import Store

DEFAULT_LIMIT = 10
_OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

PAGE: Fields = {"limit": integer(1, 100), "starting_after": text(), "ending_before": text()}
PAGE_CREATED: Fields = {**PAGE, "created": CREATED}


class Condition:
    """A conjunction of SQL conditions over an object's columns and body, with its values."""

    def __init__(self, kind: str) -> None:
        self.parts = ["kind = ?"]
        self.values: list[Any] = [kind]

    def add(self, sql: str, *values: Any) -> None:  # noqa: ANN401 - bound values
        """One more condition, written in code, its values bound."""
        self.parts.append(sql)
        self.values.extend(values)

    def equals(self, params: Json, *fields: str) -> None:
        """The object's field equals the parameter of the same name, where that was given."""
        for field in fields:
            if params.get(field) is not None:
                self.add(f"json_extract(body, '$.{field}') = ?", params[field])

    def created(self, bounds: Json | int | None) -> None:
        """The object was made at that second or between those bounds."""
        if isinstance(bounds, int):
            self.add("created = ?", bounds)
        elif bounds:
            for name, at in bounds.items():
                self.add(f"created {_OPERATORS[name]} ?", at)


def page(store: Store, url: str, params: Json, condition: Condition) -> Json:
    """One page of the objects that fit the condition."""
    if "starting_after" in params and "ending_before" in params:
        raise errors.malformed(
            "You can only use one of starting_after or ending_before.", param="ending_before"
        )
    limit = params.get("limit", DEFAULT_LIMIT)
    backwards = "ending_before" in params
    condition.created(params.get("created"))
    for name, sign in (("starting_after", "<"), ("ending_before", ">")):
        if name in params:
            created, seq = _cursor(store, params[name], name)
            condition.add(f"(created, seq) {sign} (?, ?)", created, seq)
    order = "ASC" if backwards else "DESC"
    sql = (
        f"SELECT body FROM object WHERE {' AND '.join(condition.parts)} "  # noqa: S608 - conditions of code
        f"ORDER BY created {order}, seq {order} LIMIT ?"
    )
    found = store.bodies(sql, (*condition.values, limit + 1))
    shown = found[:limit]
    return listing(url, shown[::-1] if backwards else shown, has_more=len(found) > limit)


def _cursor(store: Store, identifier: str, param: str) -> tuple[int, int]:
    found = store.rows("SELECT kind, created, seq FROM object WHERE id = ?", (identifier,))
    if not found:
        raise errors.no_such("object", identifier, param=param)
    return found[0]["created"], found[0]["seq"]
