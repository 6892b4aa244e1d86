"""The sandbox calls the inbox as Stripe would: twice, in any order, sometimes not at all."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select

from services.kernel import actor
from services.kernel.money import Money
from services.kernel.time import SystemClock
from services.payments.inbox import Endpoint, webhook
from services.payments.sweep import sweep
from services.runtime.events import InboxEvent
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests.sandboxed import SandboxProcess, start_sandbox
from tests.waiting import until

SECRET = "whsec_invented_for_this_test"
PRICE = Money(10_000, "USD")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def now(engine: Engine) -> Works:
    """Transactions at the real time, by which deliveries are signed."""
    return Works(engine, SystemClock())


@pytest.fixture
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox of its own."""
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def gateway(sandbox: SandboxProcess, listen: Callable[[Endpoint], int], now: Works) -> Gateway:
    """The gateway to the sandbox, which knows where to call."""
    port = listen(webhook(now, (SECRET,), connect=False, live=False))
    endpoint = {"url": f"http://127.0.0.1:{port}/", "secret": SECRET}
    sandbox.control("PUT", "webhook_endpoint", endpoint)
    return Gateway(sandbox.secret_key, sandbox.base_url)


def kept(works: Works) -> set[str]:
    """The ids of the events that the inbox holds."""
    with works.begin(actor.system("test")) as work:
        return set(work.run(select(InboxEvent.event_id)).scalars())


def happen(gateway: Gateway, count: int) -> None:
    """Let so many people become customers, and the card of every second one be declined."""
    for number, user in enumerate(uuid4() for _ in range(count)):
        email = f"{user}@example.com"
        customer = gateway.make_customer(user=user, email=email, name="Jo Invented", key=f"customer:{user}")
        if number % 2:
            card, key = "pm_card_chargeDeclined", f"charge:{user}"
            gateway.charge_card(subject=user, customer=customer, card=card, amount=PRICE, key=key)


def test_everything_arrives_once_though_it_is_sent_twice_and_out_of_order(
    gateway: Gateway, sandbox: SandboxProcess, now: Works
) -> None:
    sandbox.control("POST", "faults", {"duplicate": True, "shuffle": True})
    happen(gateway, 10)
    sent = {event.event_id for event in gateway.events(LONG_AGO)}
    until(lambda: kept(now) == sent, "every event to be kept")
    assert sandbox.control("GET", "deliveries")["failed"] == 0
    assert sweep(now, gateway, since=LONG_AGO).stored_count == 0


def test_what_was_never_delivered_is_healed(gateway: Gateway, sandbox: SandboxProcess, now: Works) -> None:
    sandbox.control("POST", "faults", {"miss": 4})
    happen(gateway, 10)
    until(lambda: not sandbox.control("GET", "deliveries")["pending"], "every delivery to be over")
    assert sandbox.control("GET", "deliveries")["missed"] == 4
    assert sweep(now, gateway, since=LONG_AGO).stored_count == 4
    assert kept(now) == {event.event_id for event in gateway.events(LONG_AGO)}
