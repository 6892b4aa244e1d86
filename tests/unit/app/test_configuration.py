"""The one configuration file is the real one, whichever way the server starts."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from streamlit import config

from app import configuration

LINK = configuration.ROOT / ".streamlit" / "config.toml"


def test_link_is_a_relative_link_to_the_root_file() -> None:
    assert LINK.is_symlink()
    assert LINK.readlink() == Path("../streamlit_config.toml")
    assert LINK.resolve() == configuration.FILE


def test_both_ways_give_the_same_option_values() -> None:
    through_the_link = {name: config.get_option(name) for name in configuration.options()}
    assert through_the_link == configuration.options()


def test_a_table_that_is_one_option_is_passed_whole() -> None:
    assert configuration.options()["server.trustedUserHeaders"] == {"x-bursar-session": "session_id"}


def test_effective_configuration_is_safe() -> None:
    configuration.prove_effective()


def test_a_server_that_would_show_errors_refuses_to_start() -> None:
    program = (
        "from streamlit import config; from app import configuration\n"
        "config.set_option('client.showErrorDetails', 'full')\n"
        "configuration.prove_effective()"
    )
    refused = subprocess.run(
        [sys.executable, "-c", program], cwd=configuration.ROOT, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "client.showErrorDetails" in refused.stderr


def _theme() -> dict[str, dict[str, str]]:
    theme = tomllib.loads(configuration.FILE.read_text())["theme"]
    return {
        "light": theme["light"],
        "dark": theme["dark"],
        "light sidebar": theme["light"]["sidebar"],
        "dark sidebar": theme["dark"]["sidebar"],
    }


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, as WCAG defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("part", ["light", "dark", "light sidebar", "dark sidebar"])
@pytest.mark.parametrize("ink", ["textColor", "grayColor", "linkColor"])
def test_text_stands_out_from_its_page(part: str, ink: str) -> None:
    colours = _theme()[part]
    assert contrast(colours[ink], colours["backgroundColor"]) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_white_stands_out_on_the_primary_button(mode: str) -> None:
    assert contrast("#FFFFFF", _theme()[mode]["primaryColor"]) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_chart_marks_stand_out_from_the_page(mode: str) -> None:
    palette = tomllib.loads(configuration.FILE.read_text())["theme"]["chartCategoricalColors"]
    assert min(contrast(colour, _theme()[mode]["backgroundColor"]) for colour in palette) >= 3


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_table_headers_stand_out(mode: str) -> None:
    colours = _theme()[mode]
    assert contrast(colours["dataframeHeaderTextColor"], colours["dataframeHeaderBackgroundColor"]) >= 4.5
