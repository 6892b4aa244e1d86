"""One shell for the tests of this folder that speak HTTP to it."""

from collections.abc import Iterator

import pytest

from tests import serving


@pytest.fixture(scope="module")
def shell(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Shell]:
    """A real shell on a database of its own."""
    with (
        serving.database_from(postgres_server) as url,
        serving.shell(url, tmp_path_factory.mktemp("shell"), demo=True) as running,
    ):
        yield running
