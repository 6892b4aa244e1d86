"""Form bodies become nested values, and nothing else."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import StripeError
from sandbox.forms import decode

NAMES = st.text(alphabet="abcdefgh_", min_size=1, max_size=6)
TREES = st.recursive(
    st.text(max_size=8),
    lambda below: (
        st.dictionaries(NAMES, below, min_size=1, max_size=3) | st.lists(below, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def flat(name: str, value: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - any form value
    if isinstance(value, dict):
        return [pair for key, below in value.items() for pair in flat(f"{name}[{key}]", below)]
    if isinstance(value, list):
        return [pair for place, below in enumerate(value) for pair in flat(f"{name}[{place}]", below)]
    return [(name, value)]


@pytest.mark.parametrize(
    ("raw", "tree"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[b][c]=1", {"a": {"b": {"c": "1"}}}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[1]=y&a[0]=x", {"a": ["x", "y"]}),
        ("a[0][b]=1&a[0][c]=2", {"a": [{"b": "1", "c": "2"}]}),
        ("a=%E2%82%AC+1", {"a": "€ 1"}),
    ],
)
def test_a_form_becomes_a_tree(raw: str, tree: dict[str, Any]) -> None:
    assert decode(raw) == tree


@pytest.mark.parametrize("raw", ["a[b=1", "[a]=1", "a=1&a[b]=2", "a" + "[b]" * 12 + "=1", "a=%ff"])
def test_a_broken_form_is_refused(raw: str) -> None:
    with pytest.raises(StripeError) as refusal:
        decode(raw)
    assert refusal.value.status == 400
    assert not refusal.value.executed


@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_every_tree_comes_back(tree: dict[str, Any]) -> None:
    pairs = [pair for name, value in tree.items() for pair in flat(name, value)]
    assert decode(urlencode(pairs)) == tree
