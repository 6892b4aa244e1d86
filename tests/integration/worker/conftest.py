"""A marketplace, a processor at which nothing else happens, and the way between them."""

from collections.abc import Iterator

import pytest
import stripe

from services.kernel.actor import Actor
from services.kernel.time import SetClock
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests.factories.marketplace import Bought, Market
from tests.factories.news import News
from tests.listening import listen
from tests.sandboxed import SandboxProcess, start_sandbox

__all__ = ["listen"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A processor for the tests of one file, so that nobody else minds when it forgets everything."""
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def market(works: Works, clock: SetClock, sandbox: SandboxProcess) -> Market:
    """A marketplace whose clocks stand at the test's time, and whose processor has nothing to tell yet."""
    sandbox.control("POST", "reset")
    market = Market(works, clock, Gateway(sandbox.secret_key, sandbox.base_url), sandbox)
    market.set_time(clock.now())
    return market


@pytest.fixture
def news(market: Market) -> News:
    """The way from the processor to the marketplace."""
    sandbox = market.sandbox
    return News(market, stripe.StripeClient(sandbox.secret_key, base_addresses={"api": sandbox.base_url}))


@pytest.fixture
def teacher(market: Market) -> Actor:
    """Somebody who teaches."""
    return market.teacher()


@pytest.fixture
def begun(market: Market, teacher: Actor) -> Bought:
    """A purchase of 100.00 that waits at its hosted page."""
    return market.begun(market.person(), market.course(teacher))
