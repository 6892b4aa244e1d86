"""Stripe's search queries over objects: `email:"a@example.com" AND metadata["k"]:"v"`."""

import re

from sandbox import errors
from sandbox.shapes import Json

_CLAUSE = re.compile(
    r"""\s*(?P<negated>-)?(?P<field>\w+)(?:\[["'](?P<key>[^"']+)["']\])?"""
    r"""(?P<operator>[:~<>]=?)(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>[\w.]+))\s*"""
)


def matching(objects: list[Json], query: str) -> list[Json]:
    """The objects that fit every clause (AND) or any clause (OR) of the query."""
    words = re.split(r"\s+(AND|OR)\s+", query, flags=re.IGNORECASE)
    joins = {word.upper() for word in words[1::2]}
    if len(joins) > 1:
        raise errors.malformed("You cannot combine AND and OR in the same query.", param="query")
    clauses = [_clause(word) for word in words[::2]]
    fits = any if joins == {"OR"} else all
    return [one for one in objects if fits(_fits(one, clause) for clause in clauses)]


def _clause(word: str) -> re.Match[str]:
    found = _CLAUSE.fullmatch(word)
    if found is None:
        raise errors.malformed(f"We were unable to parse your search query: {word}", param="query")
    return found


def _fits(one: Json, clause: re.Match[str]) -> bool:
    value = one.get(clause["field"])
    if clause["key"]:
        value = (value or {}).get(clause["key"])
    wanted = next(text for text in (clause["double"], clause["single"], clause["plain"]) if text is not None)
    return _compares(value, clause["operator"], wanted) != bool(clause["negated"])


def _compares(value: object, operator: str, wanted: str) -> bool:
    if operator == ":":
        return value is None if wanted == "null" else str(value).lower() == wanted.lower()
    if operator == "~":
        return value is not None and wanted.lower() in str(value).lower()
    if not isinstance(value, int) or not wanted.isdecimal():
        return False
    bound = int(wanted)
    return {">": value > bound, ">=": value >= bound, "<": value < bound, "<=": value <= bound}[operator]
