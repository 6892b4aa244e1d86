"""A gateway that speaks over a watched wire to a sandbox with an invented customer in it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import stripe

from services.stripe.gateway import Gateway
from tests.integration.stripe.wire import Wire, tap
from tests.sandboxed import SandboxProcess, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox for the tests of one file."""
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(scope="module")
def wire(sandbox: SandboxProcess) -> Iterator[Wire]:
    """What passes between the gateway and the sandbox."""
    with tap(sandbox.base_url) as wire:
        yield wire


@pytest.fixture(scope="module")
def gateway(sandbox: SandboxProcess, wire: Wire) -> Gateway:
    """The gateway, as the product makes it."""
    return Gateway(sandbox.secret_key, wire.url)


@pytest.fixture(scope="module")
def outsider(sandbox: SandboxProcess) -> stripe.StripeClient:
    """Somebody else with the same key: a person at the dashboard, or another program."""
    return stripe.StripeClient(sandbox.secret_key, base_addresses={"api": sandbox.base_url})


@pytest.fixture
def started() -> datetime:
    """When the test began."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def customer(gateway: Gateway) -> str:
    """An invented person, known to the sandbox."""
    user = uuid4()
    return gateway.make_customer(
        user=user, email="sam@example.com", name="Sam Invented", key=f"customer:{user}"
    )


@pytest.fixture
def keep(outsider: stripe.StripeClient, customer: str) -> Callable[[str], str]:
    """Let the customer keep one of Stripe's test cards."""
    return lambda token: outsider.v1.payment_methods.attach(token, {"customer": customer}).id


@pytest.fixture
def saved_card(keep: Callable[[str], str]) -> str:
    """A card of the customer's that pays."""
    return keep("pm_card_visa")


@pytest.fixture
def outside(outsider: stripe.StripeClient) -> Callable[..., str]:
    """Make a payment that Bursar did not ask for."""

    def pay(**facts: Any) -> str:  # noqa: ANN401 - whatever Stripe takes
        asked: Any = {"amount": 700, "currency": "usd", **facts}
        return outsider.v1.payment_intents.create(asked).id

    return pay
