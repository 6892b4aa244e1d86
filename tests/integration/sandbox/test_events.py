"""Events and their delivery: snapshots, signatures, retries, filters, thirty days."""

import json
from typing import Any

import pytest
import stripe

from sandbox.version import API_VERSION
from tests.integration.sandbox.conftest import SECRET, Client, Mailbox, charged, event_types
from tests.sandboxed import SandboxProcess
from tests.waiting import until


def settled(sandbox: SandboxProcess) -> bool:
    return bool(sandbox.control("GET", "deliveries")["pending"] == 0)


def test_every_event_arrives_signed(client: Client, sandbox: SandboxProcess, listening: Mailbox) -> None:
    charged(client)
    until(lambda: settled(sandbox), "all events delivered")
    assert sorted(listening.types()) == sorted(event_types(client))
    body, signature = listening.taken[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", signature, SECRET)


def test_an_event_is_a_full_snapshot_of_its_moment(client: Client) -> None:
    made = client.v1.customers.create({"name": "Sam"}, {"idempotency_key": "make-sam"})
    client.v1.customers.update(made.id, {"name": "Samuel", "metadata": {"k": "v"}})
    updated, created = client.v1.events.list().data
    assert created.data.object.to_dict() == made.to_dict()
    assert (created.api_version, created.livemode, created.pending_webhooks) == (API_VERSION, False, 0)
    assert created.request is not None
    assert created.request.idempotency_key == "make-sam"
    assert made.last_response is not None
    assert created.request.id == made.last_response.request_id
    shown = updated.data.to_dict()
    assert shown["object"]["name"] == "Samuel"
    assert shown["previous_attributes"] == {"name": "Sam", "metadata": {"k": None}}
    assert "previous_attributes" not in created.data.to_dict()


def test_a_snapshot_does_not_age(client: Client) -> None:
    intent = charged(client)
    client.v1.refunds.create({"payment_intent": intent.id})
    event = client.v1.events.list({"type": "charge.succeeded"}).data[0]
    assert event.data.object["refunded"] is False


def test_what_is_not_taken_is_tried_again(
    client: Client, sandbox: SandboxProcess, listening: Mailbox
) -> None:
    listening.status = 500
    client.v1.customers.create()
    until(lambda: len(listening.taken) >= 2, "two failed attempts")
    assert client.v1.events.list().data[0].pending_webhooks == 1
    assert client.v1.events.list({"delivery_success": False}).data != []
    listening.status = 200
    until(lambda: settled(sandbox), "the event delivered")
    assert len({event.id for event in listening.events()}) == 1
    assert client.v1.events.list().data[0].pending_webhooks == 0
    assert client.v1.events.list({"delivery_success": False}).data == []
    assert sandbox.control("GET", "deliveries")["attempts"] >= 3


def test_an_endpoint_that_is_not_there_is_waited_for(
    client: Client, sandbox: SandboxProcess, mailbox: Mailbox
) -> None:
    nowhere = "http://127.0.0.1:9/hook"
    made = sandbox.control("PUT", "/_control/webhook_endpoint", {"url": nowhere, "secret": SECRET})
    client.v1.customers.create()
    until(lambda: sandbox.control("GET", "deliveries")["attempts"] >= 1, "a refused connection")
    client.v1.webhook_endpoints.update(made["id"], {"url": mailbox.url})
    until(lambda: mailbox.types() == ["customer.created"], "the event at its new address")


def test_an_endpoint_hears_only_what_it_asked_for(
    client: Client, sandbox: SandboxProcess, mailbox: Mailbox
) -> None:
    wanted = {"url": mailbox.url, "secret": SECRET, "enabled_events": ["customer.deleted"]}
    sandbox.control("PUT", "/_control/webhook_endpoint", wanted)
    customer = client.v1.customers.create()
    client.v1.customers.delete(customer.id)
    until(lambda: settled(sandbox), "all events delivered")
    assert mailbox.types() == ["customer.deleted"]


def test_endpoints_of_connected_accounts_hear_nothing_of_the_platform(
    client: Client, sandbox: SandboxProcess, mailbox: Mailbox
) -> None:
    sandbox.control(
        "PUT", "/_control/webhook_endpoint", {"url": mailbox.url, "secret": SECRET, "connect": True}
    )
    client.v1.customers.create()
    assert sandbox.control("GET", "deliveries")["total"] == 0


def test_endpoints_are_made_changed_switched_off_and_removed(
    client: Client, sandbox: SandboxProcess, mailbox: Mailbox
) -> None:
    asked: Any = {"url": mailbox.url, "enabled_events": ["*"], "api_version": API_VERSION}
    made = client.v1.webhook_endpoints.create(asked | {"metadata": {"k": "v"}})
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    assert "secret" not in client.v1.webhook_endpoints.retrieve(made.id).to_dict()
    client.v1.customers.create()
    until(lambda: settled(sandbox), "the event delivered")
    body, signature = mailbox.taken[0]
    event: Any = stripe.Webhook.construct_event(body, signature, made.secret)
    assert event.type == "customer.created"

    off = client.v1.webhook_endpoints.update(made.id, {"disabled": True, "description": "Off"})
    assert (off.status, off.description) == ("disabled", "Off")
    client.v1.customers.create()
    assert sandbox.control("GET", "deliveries")["total"] == 1
    assert [one.id for one in client.v1.webhook_endpoints.list().data] == [made.id]
    assert client.v1.webhook_endpoints.delete(made.id).deleted is True
    assert client.v1.webhook_endpoints.list().data == []


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"url": "nowhere", "enabled_events": ["*"]}, "url"),
        ({"url": "http://127.0.0.1:1/"}, "enabled_events"),
        ({"url": "http://127.0.0.1:1/", "enabled_events": ["Anything!"]}, "enabled_events[0]"),
        ({"url": "http://127.0.0.1:1/", "enabled_events": ["*"], "api_version": "2020-08-27"}, "api_version"),
    ],
)
def test_a_wrong_endpoint_is_refused(client: Client, given: Any, param: str) -> None:  # noqa: ANN401 - wrong on purpose
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.webhook_endpoints.create(given)
    assert refusal.value.param == param


def test_events_are_found_by_type_and_group(client: Client) -> None:
    charged(client)
    client.v1.customers.create()
    listed = client.v1.events.list
    assert [event.type for event in listed({"type": "charge.succeeded"}).data] == ["charge.succeeded"]
    assert len(listed({"type": "payment_intent.*"}).data) == 2
    assert len(listed({"types": ["customer.created", "charge.succeeded"]}).data) == 2
    with pytest.raises(stripe.InvalidRequestError):
        listed({"type": "a.b", "types": ["a.b"]})
    one = listed().data[0]
    assert client.v1.events.retrieve(one.id).to_dict() == one.to_dict()


def test_events_are_kept_for_thirty_days(client: Client, sandbox: SandboxProcess) -> None:
    client.v1.customers.create()
    old = client.v1.events.list().data[0].id
    sandbox.control("POST", "clock", {"advance": 30 * 24 * 3_600 - 60})
    assert client.v1.events.retrieve(old).id == old
    sandbox.control("POST", "clock", {"advance": 120})
    assert client.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.events.retrieve(old)
    assert refusal.value.http_status == 404


def test_an_event_is_sent_again_on_order(client: Client, sandbox: SandboxProcess, listening: Mailbox) -> None:
    client.v1.customers.create()
    until(lambda: settled(sandbox), "the event delivered")
    event = client.v1.events.list().data[0].id
    assert sandbox.control("POST", f"deliver/{event}")["endpoints"] == 1
    until(lambda: len(listening.taken) == 2, "the event a second time")
    assert [json.loads(body)["id"] for body, _ in listening.taken] == [event, event]
