"""Every test here has a marketplace, a processor that knows nothing else, and a folder for figures."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.run import Pipeline
from services.kernel.time import SetClock
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests.factories.marketplace import Market
from tests.factories.marketplace_fixtures import sandbox
from tests.sandboxed import SandboxProcess

__all__ = ["sandbox"]

Opened = Callable[..., Pipeline]


@pytest.fixture
def market(works: Works, clock: SetClock, sandbox: SandboxProcess) -> Market:
    """A marketplace whose processor starts empty, at the test's time."""
    sandbox.control("POST", "/_control/reset")
    market = Market(works, clock, Gateway(sandbox.secret_key, sandbox.base_url), sandbox)
    market.set_time(clock.now())
    return market


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the figures are kept."""
    return tmp_path / "warehouse"


@pytest.fixture
def opened(market: Market, database: str) -> Callable[[Path], Pipeline]:
    """Opens a pipeline from the test's stores into a folder."""

    def open_into(folder: Path) -> Pipeline:
        return Pipeline(database_url=database, folder=folder, clock=market.clock, processor=market.gateway)

    return open_into


@pytest.fixture
def pipeline(opened: Callable[[Path], Pipeline], folder: Path) -> Iterator[Pipeline]:
    """The way from the test's stores into its folder."""
    with opened(folder) as pipeline:
        yield pipeline
