"""The control API: reset, clock, endpoint, faults, counts; under the same key."""

from typing import Any

import pytest
import stripe

from tests.integration.sandbox.conftest import SECRET, Client, Mailbox, charged
from tests.sandboxed import SandboxProcess
from tests.waiting import until


def deliveries(sandbox: SandboxProcess) -> dict[str, Any]:
    return sandbox.control("GET", "deliveries")


def test_reset_forgets_everything(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "clock", {"at": 1_900_000_000})
    sandbox.control("POST", "faults", {"hold": True})
    charged(client)
    sandbox.control("POST", "reset")
    assert client.v1.charges.list().data == []
    assert client.v1.events.list().data == []
    assert client.v1.balance.retrieve().pending[0].amount == 0
    assert sandbox.control("GET", "faults")["hold"] is False
    assert sandbox.control("GET", "health")["frozen"] is False


def test_the_clock_is_set_and_let_go(client: Client, sandbox: SandboxProcess) -> None:
    assert sandbox.control("POST", "clock", {"at": 1_900_000_000})["now"] == 1_900_000_000
    assert client.v1.customers.create().created == 1_900_000_000
    assert sandbox.control("POST", "clock", {"advance": 90})["now"] == 1_900_000_090
    running = sandbox.control("POST", "clock", {"at": None})
    assert running["frozen"] is False
    assert client.v1.customers.create().created < 1_900_000_000


@pytest.mark.parametrize(
    "wrong", [{}, {"at": "noon"}, {"advance": None}, {"at": 1, "advance": 2}, {"until": 3}]
)
def test_a_clock_is_not_set_by_halves(sandbox: SandboxProcess, wrong: dict[str, object]) -> None:
    assert sandbox.ask("POST", "clock", wrong)[0] == 400
    assert sandbox.control("GET", "health")["frozen"] is False


def test_one_endpoint_per_address(client: Client, sandbox: SandboxProcess) -> None:
    wanted = {"url": "http://127.0.0.1:9/hook", "secret": "whsec_one"}
    first = sandbox.control("PUT", "/_control/webhook_endpoint", wanted)
    again = sandbox.control("PUT", "/_control/webhook_endpoint", {**wanted, "secret": "whsec_two"})
    assert first["id"] == again["id"]
    assert "secret" not in first
    assert len(client.v1.webhook_endpoints.list().data) == 1
    assert sandbox.ask("PUT", "webhook_endpoint", {"url": "http://127.0.0.1:9/hook"})[0] == 400


def test_every_delivery_comes_twice(client: Client, sandbox: SandboxProcess, listening: Mailbox) -> None:
    sandbox.control("POST", "faults", {"duplicate": True})
    client.v1.customers.create()
    until(lambda: deliveries(sandbox)["delivered"] == 1, "the event delivered")
    assert len(listening.taken) == 2
    assert len({event.id for event in listening.events()}) == 1


def test_deliveries_are_held_then_released_out_of_order(
    client: Client, sandbox: SandboxProcess, listening: Mailbox
) -> None:
    sandbox.control("POST", "faults", {"hold": True, "shuffle": True})
    made = [client.v1.customers.create().id for _ in range(30)]
    assert deliveries(sandbox)["pending"] == 30
    assert listening.taken == []
    sandbox.control("POST", "faults", {"hold": False})
    until(lambda: deliveries(sandbox)["delivered"] == 30, "all events delivered")
    arrived = [event.data.object["id"] for event in listening.events()]
    assert sorted(arrived) == sorted(made)
    assert arrived != made


def test_a_delivery_is_missed(client: Client, sandbox: SandboxProcess, listening: Mailbox) -> None:
    sandbox.control("POST", "faults", {"miss": 1})
    client.v1.customers.create()
    until(lambda: deliveries(sandbox)["missed"] == 1, "the event missed")
    client.v1.customers.create()
    until(lambda: deliveries(sandbox)["delivered"] == 1, "the next delivered")
    assert len(listening.taken) == 1
    assert len(client.v1.events.list().data) == 2


def test_the_balance_may_be_late(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "clock", {"at": 1_900_000_000})
    sandbox.control("POST", "faults", {"late_balance": 5})
    charge = charged(client).latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.status, charge.balance_transaction) == ("succeeded", None)
    assert client.v1.balance_transactions.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="not reached the balance"):
        client.v1.refunds.create({"charge": charge.id})
    sandbox.control("POST", "clock", {"advance": 5})
    assert client.v1.charges.retrieve(charge.id).balance_transaction is not None
    event = client.v1.events.list({"type": "charge.updated"}).data[0]
    assert event.data.to_dict()["previous_attributes"] == {"balance_transaction": None}
    assert client.v1.balance.retrieve().pending[0].amount == 9_680


@pytest.mark.parametrize(("fault", "status"), [("429", 429), ("500", 500)])
def test_a_call_fails_so_many_times(client: Client, sandbox: SandboxProcess, fault: str, status: int) -> None:
    wanted = {"fault": fault, "times": 2, "method": "POST", "path": "/v1/customers"}
    sandbox.control("POST", "faults", {"calls": [wanted]})
    for _ in range(2):
        with pytest.raises(stripe.StripeError) as refusal:
            client.v1.customers.create()
        assert refusal.value.http_status == status
    assert client.v1.customers.list().data == []
    assert client.v1.customers.create().object == "customer"


def test_the_sdk_retries_a_broken_call_by_itself(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "faults", {"calls": [{"fault": "500", "path": "/v1/customers"}]})
    patient = stripe.StripeClient(
        sandbox.secret_key, base_addresses={"api": sandbox.base_url}, max_network_retries=2
    )
    assert patient.v1.customers.create().object == "customer"
    assert len(patient.v1.customers.list().data) == 1


def test_faults_are_taken_back(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "faults", {"calls": [{"fault": "500", "times": 99}]})
    sandbox.control("DELETE", "faults")
    assert client.v1.customers.list().data == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": True},
        {"hold": "yes"},
        {"miss": "all"},
        {"calls": [{"fault": "fire"}]},
        {"calls": [{"fault": "500", "n": 1}]},
    ],
)
def test_a_fault_that_is_none_is_refused(sandbox: SandboxProcess, wrong: dict[str, object]) -> None:
    assert sandbox.ask("POST", "faults", wrong)[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "nothing"),
        ("GET", "reset"),
        ("POST", "pay"),
        ("POST", "reset/now"),
        ("POST", "deliver/evt_nothing"),
    ],
)
def test_what_is_no_control_is_refused(sandbox: SandboxProcess, method: str, path: str) -> None:
    assert sandbox.ask(method, path, {})[0] == 404


def test_paying_as_a_buyer_needs_a_known_card_and_session(sandbox: SandboxProcess) -> None:
    assert sandbox.ask("POST", "pay/cs_test_nothing", {})[0] == 404
    assert sandbox.ask("POST", "pay/cs_test_nothing", {"payment_method": "pm_card_nonsense"})[0] == 400
    assert sandbox.ask("POST", "authenticate/pi_nothing", {})[0] == 404


def test_resending_goes_to_every_endpoint(client: Client, sandbox: SandboxProcess, mailbox: Mailbox) -> None:
    client.v1.customers.create()
    for number in range(2):
        url = f"{mailbox.url}&n={number}"
        sandbox.control("PUT", "/_control/webhook_endpoint", {"url": url, "secret": SECRET})
    event = client.v1.events.list().data[0].id
    assert sandbox.control("POST", f"deliver/{event}")["endpoints"] == 2
    until(lambda: deliveries(sandbox)["delivered"] == 2, "both delivered")
