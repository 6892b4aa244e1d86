"""Charges, refunds, balance transactions and the balance, which is always their sum."""

from typing import Any

import pytest
import stripe

from tests.integration.sandbox.conftest import Client, charged, event_types
from tests.sandboxed import SandboxProcess

TWO_DAYS = 2 * 24 * 3_600


def refund(client: Client, intent: stripe.PaymentIntent, **facts: object) -> stripe.Refund:
    asked: Any = {"payment_intent": intent.id, **facts}
    return client.v1.refunds.create(asked)


def test_money_is_pending_then_available(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "clock", {"at": 1_900_000_000})
    charged(client)
    transaction = client.v1.balance_transactions.list().data[0]
    assert (transaction.status, transaction.available_on) == ("pending", 1_900_000_000 + TWO_DAYS)
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 9_680)
    sandbox.control("POST", "clock", {"advance": TWO_DAYS})
    assert client.v1.balance_transactions.retrieve(transaction.id).status == "available"
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (9_680, 0)


def test_a_full_refund_returns_the_price_and_not_the_fee(client: Client) -> None:
    intent = charged(client)
    made = refund(client, intent, reason="requested_by_customer", metadata={"refund": "1"})
    assert (made.status, made.amount, made.reason) == ("succeeded", 10_000, "requested_by_customer")
    assert isinstance(made.balance_transaction, str)
    moved = client.v1.balance_transactions.retrieve(made.balance_transaction)
    assert (moved.amount, moved.fee, moved.net, moved.type, moved.source) == (
        -10_000,
        0,
        -10_000,
        "refund",
        made.id,
    )
    charge = client.v1.charges.list().data[0]
    assert (charge.amount_refunded, charge.refunded, charge.status) == (10_000, True, "succeeded")
    assert client.v1.balance.retrieve().pending[0].amount == -320
    assert event_types(client)[-2:] == ["charge.refunded", "refund.created"]
    event = client.v1.events.list({"type": "charge.refunded"}).data[0]
    assert event.data.to_dict()["previous_attributes"] == {"amount_refunded": 0, "refunded": False}
    changed = client.v1.refunds.update(made.id, {"metadata": {"refund": "2"}})
    assert changed.to_dict()["metadata"] == {"refund": "2"}


def test_parts_are_refunded_until_nothing_is_left(client: Client) -> None:
    intent = charged(client)
    refund(client, intent, amount=4_000)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        refund(client, intent, amount=6_001)
    refund(client, intent, amount=6_000)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        refund(client, intent)
    assert refusal.value.code == "charge_already_refunded"
    charge = client.v1.charges.list({"expand": ["data.refunds"]}).data[0]
    assert charge.refunds is not None
    assert [one.amount for one in charge.refunds.data] == [6_000, 4_000]
    assert [one.amount for one in client.v1.refunds.list({"charge": charge.id}).data] == [6_000, 4_000]


def test_a_refund_comes_back_failed(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "clock", {"at": 1_900_000_000})
    intent = charged(client, card="refundFail")
    made = refund(client, intent)
    assert made.status == "succeeded"
    sandbox.control("POST", "clock", {"advance": 60})
    failed = client.v1.refunds.retrieve(made.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    returned = failed.failure_balance_transaction
    assert isinstance(returned, stripe.BalanceTransaction)
    assert (returned.amount, returned.type) == (10_000, "refund_failure")
    assert client.v1.balance.retrieve().pending[0].amount == 9_680
    charge = client.v1.charges.list().data[0]
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert "refund.failed" in event_types(client)


def test_a_refund_may_pend(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "clock", {"at": 1_900_000_000})
    made = refund(client, charged(client, card="pendingRefund"))
    assert (made.status, made.pending_reason) == ("pending", "processing")
    sandbox.control("POST", "clock", {"advance": 60})
    assert client.v1.refunds.retrieve(made.id).status == "succeeded"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "parameter_missing"),
        ({"charge": "ch_nothing"}, "resource_missing"),
        ({"payment_intent": "pi_nothing"}, "resource_missing"),
        ({"charge": "ch_nothing", "reason": "whim"}, None),
        ({"charge": "ch_nothing", "amount": 0}, "parameter_invalid_integer"),
    ],
)
def test_what_cannot_be_refunded_is_refused(client: Client, given: Any, code: str | None) -> None:  # noqa: ANN401 - wrong on purpose
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create(given)
    assert (refusal.value.http_status, refusal.value.code) == (400, code)


def test_unpaid_and_uncaptured_payments_are_not_refunded(client: Client) -> None:
    asked: Any = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "capture_method": "manual",
    }
    for intent in (
        client.v1.payment_intents.create(asked),
        client.v1.payment_intents.create(asked | {"confirm": True}),
    ):
        with pytest.raises(stripe.InvalidRequestError):
            refund(client, intent)


def test_a_card_refund_cannot_be_cancelled(client: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="cannot be canceled"):
        client.v1.refunds.cancel(refund(client, charged(client)).id)


def test_charges_are_annotated_and_listed(client: Client) -> None:
    customer = client.v1.customers.create({"payment_method": "pm_card_visa"}).id
    card = client.v1.customers.payment_methods.list(customer).data[0].id
    asked: Any = {
        "amount": 500,
        "currency": "usd",
        "customer": customer,
        "payment_method": card,
        "confirm": True,
    }
    ours = client.v1.payment_intents.create(asked)
    charged(client)
    found = client.v1.charges.list({"customer": customer}).data
    assert [one.payment_intent for one in found] == [ours.id]
    changed = client.v1.charges.update(found[0].id, {"description": "Noted", "metadata": {"k": "v"}})
    assert (changed.description, changed.metadata.to_dict()) == ("Noted", {"k": "v"})
    assert "charge.updated" in event_types(client)


def test_each_currency_has_its_own_balance(client: Client) -> None:
    for currency in ("usd", "eur", "jpy"):
        asked: Any = {
            "amount": 1_000,
            "currency": currency,
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
        client.v1.payment_intents.create(asked)
    pending = {part.currency: part.amount for part in client.v1.balance.retrieve().pending}
    assert pending == {"usd": 941, "eur": 941, "jpy": 941}


def test_balance_transactions_are_filtered(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "clock", {"at": 1_900_000_000})
    first = charged(client)
    sandbox.control("POST", "clock", {"advance": 100})
    made = refund(client, first)
    listed = client.v1.balance_transactions.list
    assert [one.source for one in listed({"source": made.id}).data] == [made.id]
    assert [one.type for one in listed({"type": "charge"}).data] == ["charge"]
    assert [one.type for one in listed({"created": {"gt": 1_900_000_000}}).data] == ["refund"]
    assert [one.type for one in listed({"created": 1_900_000_000}).data] == ["charge"]
    assert len(listed({"currency": "usd"}).data) == 2
    with pytest.raises(stripe.InvalidRequestError):
        listed({"payout": "po_nothing"})


def test_one_cent_is_planted(client: Client, sandbox: SandboxProcess) -> None:
    charged(client)
    before = client.v1.balance_transactions.list().data[0]
    sandbox.control("POST", "plant", {"balance_transaction": before.id, "cents": 1})
    after = client.v1.balance_transactions.retrieve(before.id)
    assert (after.amount, after.net) == (before.amount + 1, before.net + 1)
    assert sandbox.ask("POST", "plant", {"balance_transaction": "txn_nothing"})[0] == 400
