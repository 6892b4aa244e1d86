"""Form bodies and query strings as nested values: `a[b][0][c]=1` becomes `{"a": {"b": [{"c": "1"}]}}`."""

from urllib.parse import parse_qsl

from sandbox import errors
from sandbox.shapes import Json

_MAX_DEPTH = 8
_MAX_PAIRS = 2_000


def decode(raw: str) -> Json:
    """The nested parameters of an urlencoded text; every leaf is a string."""
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=_MAX_PAIRS, errors="strict")
    except ValueError as problem:
        raise errors.malformed(f"Invalid request: the parameters cannot be decoded ({problem}).") from None
    tree: Json = {}
    for name, value in pairs:
        _plant(tree, _segments(name), value)
    return {key: _with_lists(value) for key, value in tree.items()}


def _segments(name: str) -> list[str]:
    """`a[b][]` as `["a", "b", ""]`."""
    head, bracket, rest = name.partition("[")
    if not bracket:
        return [head]
    if not head or not rest.endswith("]"):
        raise errors.malformed(f"Invalid parameter name: {name}", param=name)
    segments = [head, *rest[:-1].split("][")]
    if len(segments) > _MAX_DEPTH:
        raise errors.malformed(f"Parameters nest deeper than {_MAX_DEPTH} levels: {name}", param=head)
    return segments


def _plant(tree: Json, segments: list[str], value: str) -> None:
    node = tree
    for position, segment in enumerate(segments):
        key = segment or str(len(node))
        if position == len(segments) - 1:
            node[key] = value
            return
        below = node.setdefault(key, {})
        if not isinstance(below, dict):
            raise errors.malformed(f"Invalid {segments[0]}: both a value and a hash", param=segments[0])
        node = below


def _with_lists(value: object) -> object:
    """Hashes whose keys are 0, 1, 2 ... become lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(below) for key, below in value.items()}
    places = [str(place) for place in range(len(inner))]
    return [inner[place] for place in places] if inner and inner.keys() == set(places) else inner
