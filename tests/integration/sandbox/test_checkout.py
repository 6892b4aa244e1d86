"""Checkout Sessions through the SDK: opened, paid as a buyer would, declined, expired."""

from typing import Any

import pytest
import stripe

from tests.integration.sandbox.conftest import Client, Course, event_types
from tests.sandboxed import SandboxProcess

GONE = "payment_method_types"


def opened(client: Client, course: Course, **facts: object) -> stripe.checkout.Session:
    asked: Any = {**course, **facts}
    return client.v1.checkout.sessions.create(asked)


def test_a_session_is_opened_and_paid(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    customer = client.v1.customers.create({"email": "sam@example.com"}).id
    session = opened(
        client,
        course,
        customer=customer,
        client_reference_id="purchase-1",
        metadata={"purchase": "1"},
        payment_intent_data={"metadata": {"purchase": "1"}, "description": "A course"},
    )
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 10_000)
    assert session.url == f"{sandbox.base_url}/c/pay/{session.id}"
    assert session.payment_intent is None
    outcome = sandbox.control("POST", f"pay/{session.id}", {"payment_method": "pm_card_visa"})
    assert (outcome["status"], outcome["payment_status"]) == ("complete", "paid")
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent", "line_items"]})
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert (paid.client_reference_id, paid.customer) == ("purchase-1", customer)
    intent = paid.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.customer, intent.description) == ("succeeded", customer, "A course")
    assert intent.metadata.to_dict() == {"purchase": "1"}
    assert paid.line_items is not None
    assert [item.amount_total for item in paid.line_items.data] == [10_000]
    assert event_types(client) == [
        "customer.created",
        "product.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_paying_twice_pays_once(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    session = opened(client, course)
    first = sandbox.control("POST", f"pay/{session.id}")
    assert sandbox.control("POST", f"pay/{session.id}") == first
    assert len(client.v1.charges.list().data) == 1


def test_a_decline_leaves_the_session_open_for_another_card(
    client: Client,
    sandbox: SandboxProcess,
    course: Course,
) -> None:
    session = opened(client, course)
    status, answer = sandbox.ask("POST", f"pay/{session.id}", {"payment_method": "pm_card_chargeDeclined"})
    assert (status, answer["error"]["decline_code"]) == (402, "generic_decline")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    sandbox.control("POST", f"pay/{session.id}", {"payment_method": "pm_card_visa"})
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert paid.status == "complete"
    assert isinstance(paid.payment_intent, str)
    charges = client.v1.charges.list({"payment_intent": paid.payment_intent}).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]


def test_authentication_comes_between(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    session = opened(client, course)
    card = {"payment_method": "pm_card_authenticationRequiredOnSetup"}
    outcome = sandbox.control("POST", f"pay/{session.id}", card)
    assert outcome["status"] == "open"
    assert outcome["authenticate"] == f"{sandbox.base_url}/authenticate/{outcome['payment_intent']}"
    done = sandbox.control("POST", f"authenticate/{outcome['payment_intent']}")
    assert (done["status"], done["payment_status"]) == ("complete", "paid")


def test_an_expired_session_cannot_be_paid(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    session = opened(client, course)
    sandbox.ask("POST", f"pay/{session.id}", {"payment_method": "pm_card_chargeDeclined"})
    gone = client.v1.checkout.sessions.expire(session.id)
    assert (gone.status, gone.url) == ("expired", None)
    assert client.v1.payment_intents.list().data[0].status == "canceled"
    assert sandbox.ask("POST", f"pay/{session.id}")[0] == 400
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(session.id)
    assert event_types(client)[-2:] == ["payment_intent.canceled", "checkout.session.expired"]


def test_a_session_expires_in_its_own_time(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    sandbox.control("POST", "clock", {"at": 2_000_000_000})
    session = opened(client, course, expires_at=2_000_000_000 + 3_600)
    sandbox.control("POST", "clock", {"advance": 3_599})
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    sandbox.control("POST", "clock", {"advance": 10})
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    event = client.v1.events.list({"type": "checkout.session.expired"}).data[0]
    assert event.created == 2_000_000_000 + 3_600


def test_a_paid_session_does_not_expire(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    session = opened(client, course)
    sandbox.control("POST", f"pay/{session.id}")
    sandbox.control("POST", "clock", {"advance": 25 * 3_600})
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_card_may_be_kept_for_later(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    session = opened(client, course, payment_intent_data={"setup_future_usage": "off_session"})
    sandbox.control("POST", f"pay/{session.id}", {"email": "sam@example.com"})
    customer = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]}).customer
    assert isinstance(customer, stripe.Customer)
    assert customer.email == "sam@example.com"
    assert len(client.v1.customers.payment_methods.list(customer.id).data) == 1


def test_a_customer_is_made_when_asked_for(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    plain, always = opened(client, course), opened(client, course, customer_creation="always")
    for session in (plain, always):
        sandbox.control("POST", f"pay/{session.id}")
    assert client.v1.checkout.sessions.retrieve(plain.id).customer is None
    assert client.v1.checkout.sessions.retrieve(always.id).customer is not None


def test_money_held_is_not_paid_yet(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    session = opened(client, course, payment_intent_data={"capture_method": "manual"})
    outcome = sandbox.control("POST", f"pay/{session.id}")
    assert (outcome["status"], outcome["payment_status"]) == ("complete", "unpaid")
    assert client.v1.balance_transactions.list().data == []


def test_line_items_are_read_in_order_and_by_page(client: Client, course: Course) -> None:
    price = course["line_items"][0]["price_data"]
    items = [{"price_data": price | {"unit_amount": 100 * n}, "quantity": n} for n in (1, 2, 3)]
    session = opened(client, course, line_items=items)
    assert session.amount_total == 100 + 400 + 900
    first = client.v1.checkout.sessions.line_items.list(session.id, {"limit": 2})
    assert ([item.amount_total for item in first.data], first.has_more) == ([100, 400], True)
    assert [item.amount_total for item in first.auto_paging_iter()] == [100, 400, 900]


def test_sessions_are_listed_by_what_is_known_of_them(
    client: Client,
    sandbox: SandboxProcess,
    course: Course,
) -> None:
    first = opened(client, course, customer_email="ann@example.com")
    second = opened(client, course)
    paid = sandbox.control("POST", f"pay/{first.id}")["payment_intent"]
    sessions = client.v1.checkout.sessions
    assert [one.id for one in sessions.list({"payment_intent": paid}).data] == [first.id]
    assert [one.id for one in sessions.list({"status": "open"}).data] == [second.id]
    assert [one.id for one in sessions.list({"customer_details": {"email": "ann@example.com"}}).data] == [
        first.id
    ]
    assert sessions.update(second.id, {"metadata": {"k": "v"}}).to_dict()["metadata"] == {"k": "v"}


def test_nothing_to_pay_needs_no_payment(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    price = course["line_items"][0]["price_data"] | {"unit_amount": 0}
    session = opened(client, course, line_items=[{"price_data": price, "quantity": 1}])
    assert session.payment_status == "no_payment_required"
    outcome = sandbox.control("POST", f"pay/{session.id}")
    assert (outcome["status"], outcome["payment_intent"]) == ("complete", None)


@pytest.mark.parametrize(
    "refused",
    [
        (
            {"payment_method_types": ["card"]},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({"line_items": None}, "parameter_missing", "line_items"),
        ({"mode": None}, "parameter_missing", "mode"),
        ({"success_url": "shop"}, "url_invalid", "success_url"),
        ({"ui_mode": "hosted"}, None, "ui_mode"),
        ({"customer": "cus_nobody"}, "resource_missing", "customer"),
        ({"expires_at": 5}, None, "expires_at"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
    ],
)
def test_what_real_stripe_refuses_is_refused(
    client: Client,
    course: Course,
    refused: tuple[dict[str, Any], str | None, str],
) -> None:
    facts, code, param = refused
    wanted: Any = {name: value for name, value in {**course, **facts}.items() if value is not None}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.checkout.sessions.create(wanted)
    assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (400, code, param)
    assert client.v1.checkout.sessions.list().data == []


def test_an_amount_too_small_is_refused(client: Client, course: Course) -> None:
    price = course["line_items"][0]["price_data"] | {"unit_amount": 20}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        opened(client, course, line_items=[{"price_data": price, "quantity": 1}])
    assert refusal.value.code == "amount_too_small"
