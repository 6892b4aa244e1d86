"""A marketplace for each test, beside one sandbox for each test process."""

from collections.abc import Iterator

import pytest

from services.kernel.time import SetClock
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests.factories.marketplace import Market
from tests.sandboxed import SandboxProcess, start_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """The processor of all these tests; what one test does there, no other sees."""
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def market(works: Works, clock: SetClock, sandbox: SandboxProcess) -> Market:
    """A marketplace whose clocks stand at the test's time."""
    market = Market(works, clock, Gateway(sandbox.secret_key, sandbox.base_url), sandbox)
    market.set_time(clock.now())
    return market
