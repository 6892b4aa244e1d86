"""A house with the demo business in it, as a new user has it."""

from collections.abc import Iterator

import pytest

from tests import housed
from tests.e2e.conftest import chromium, windows

__all__ = ["chromium", "windows"]


@pytest.fixture(scope="session")
def demo_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[housed.House]:
    """Everything that `bursar up` starts, with the demo business."""
    with housed.house(tmp_path_factory.mktemp("demo"), demo=True) as running:
        yield running
