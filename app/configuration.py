"""The one Streamlit configuration file, and proof that it took effect."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from streamlit import config

ROOT = Path(__file__).parent.parent
FILE = ROOT / "streamlit_config.toml"

WHOLE = frozenset({"server.trustedUserHeaders"})
"""Options whose value is a table of its own."""

SAFE = {"client.showErrorDetails": "none", "browser.gatherUsageStats": False, "server.enableAgentApi": False}
"""What must be true of every server that strangers can reach."""


def options() -> dict[str, Any]:
    """The file as `section.option` keys, the shape that a Streamlit server is started with."""
    with FILE.open("rb") as file:
        return dict(_flat(tomllib.load(file)))


def prove_effective() -> None:
    """Refuse to serve with a configuration that shows errors, calls out or trusts no gate."""
    wanted = SAFE | {name: value for name, value in options().items() if name in WHOLE}
    wrong = {name: found for name in wanted if (found := config.get_option(name)) != wanted[name]}
    if wrong:
        raise RuntimeError(f"streamlit_config.toml is not in effect: {wrong} instead of {wanted}")


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and name not in WHOLE:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value
