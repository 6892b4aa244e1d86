"""The network fails in every way it can: nothing is charged twice, and what is unknown is said to be."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
import stripe

from services.kernel.errors import Unavailable
from services.kernel.money import Money
from services.stripe.facts import PaymentState
from services.stripe.gateway import API_VERSION, Gateway
from tests.integration.stripe.wire import Fault, Wire

PRICE = Money(10_000, "USD")


@pytest.fixture
def charge(gateway: Gateway, customer: str, saved_card: str, wire: Wire) -> Callable[[], PaymentState]:
    """Charge one purchase, however often it is called; nothing else passes over the wire from here on."""
    subject = uuid4()
    wire.passed.clear()
    return lambda: gateway.charge_card(
        subject=subject, customer=customer, card=saved_card, amount=PRICE, key=f"charge:{subject}"
    )


@pytest.fixture
def charges(gateway: Gateway, started: datetime) -> Callable[[], int]:
    """How many charges have moved money since the test began."""
    return lambda: [row.kind for row in gateway.balance_transactions(started)].count("charge")


@pytest.fixture(autouse=True)
def _heal(wire: Wire) -> Iterator[None]:
    yield
    wire.faults.clear()


Charge = Callable[[], PaymentState]
Charges = Callable[[], int]


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.FAILED, Fault.IN_PROGRESS])
def test_one_failure_is_repeated_under_the_same_key(
    fault: Fault, charge: Charge, charges: Charges, wire: Wire
) -> None:
    before = charges()
    wire.faults.append(fault)
    assert charge().status == "succeeded"
    assert len({passed.headers["idempotency-key"] for passed in wire.posts()}) == 1
    assert len(wire.posts()) == 2
    assert charges() == before + 1


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.FAILED, Fault.IN_PROGRESS])
def test_an_outcome_nobody_heard_of_is_unknown_until_asked_again(
    fault: Fault, charge: Charge, charges: Charges, wire: Wire
) -> None:
    before = charges()
    done = 1 if fault is Fault.LOST_ANSWER else 0
    wire.faults.extend([fault] * 3)
    with pytest.raises(Unavailable) as refused:
        charge()
    assert (refused.value.code, refused.value.facts["outcome"]) == ("stripe_unavailable", "unknown")
    assert charges() == before + done
    assert charge().status == "succeeded"
    assert charges() == before + 1


def test_too_many_requests_are_asked_again_after_a_pause(
    charge: Charge, charges: Charges, wire: Wire
) -> None:
    before = charges()
    wire.faults.extend([Fault.TOO_MANY] * 2)
    assert charge().status == "succeeded"
    assert charges() == before + 1


def test_a_limit_that_stays_is_told_as_nothing_done(charge: Charge, charges: Charges, wire: Wire) -> None:
    before = charges()
    wire.faults.extend([Fault.TOO_MANY] * 4)
    with pytest.raises(Unavailable) as refused:
        charge()
    assert (refused.value.code, refused.value.facts["outcome"]) == ("stripe_busy", "not_done")
    assert charges() == before


def test_a_question_without_an_answer_has_done_nothing(gateway: Gateway, wire: Wire) -> None:
    wire.faults.extend([Fault.LOST_ANSWER] * 3)
    with pytest.raises(Unavailable) as refused:
        gateway.payment("pi_invented")
    assert refused.value.facts["outcome"] == "not_done"


def test_an_address_where_nobody_listens_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        Gateway("sk_test_invented", "http://127.0.0.1:9").payment("pi_invented")


def test_a_list_that_breaks_off_says_so(
    gateway: Gateway, charge: Charge, started: datetime, wire: Wire
) -> None:
    charge()
    wire.faults.extend([Fault.FAILED] * 3)
    with pytest.raises(Unavailable):
        list(gateway.events(started))


def test_a_key_that_stripe_does_not_know_is_a_crash(wire: Wire) -> None:
    with pytest.raises(stripe.AuthenticationError):
        Gateway("sk_test_unknown_invented", wire.url).payment("pi_invented")


def test_every_request_names_the_pinned_version_and_tells_nothing_of_the_machine(
    charge: Charge, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    charge()
    assert {passed.headers["stripe-version"] for passed in wire.passed} == {API_VERSION}
    assert stripe.api_version == API_VERSION
    told = " ".join(passed.headers["x-stripe-client-user-agent"] for passed in wire.passed)
    assert "telemetry" not in told
    assert "platform" not in told
    assert not any("x-stripe-client-telemetry" in passed.headers for passed in wire.passed)
    assert list(tmp_path.iterdir()) == []


def test_a_proxy_for_the_world_is_not_asked_for_the_sandbox(
    charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert charge().status == "succeeded"
