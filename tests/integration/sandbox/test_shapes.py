"""Every object carries every field that the SDK knows of it, nulls included, and none that it does not."""

import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from stripe import StripeObject

from tests.integration.sandbox.conftest import Client, Course, charged
from tests.sandboxed import SandboxProcess

# Fields that Stripe sends only when they have something to say, or only when they are expanded.
# Card is the one payment method type here, so the hashes of all the other types never appear.
SILENT = {
    "account": "company deleted individual",
    "account.business_profile": "monthly_estimated_revenue specified_commercial_transactions_act_url",
    "account.capabilities": "*",
    "account.controller": "fees is_controller losses requirement_collection stripe_dashboard",
    "account.settings": "treasury paypay_payments",
    "account.settings.card_issuing.tos_acceptance": "user_agent",
    "account.settings.payouts.schedule": (
        "monthly_anchor monthly_payout_days weekly_anchor weekly_payout_days"
    ),
    "account.settings.sepa_debit_payments": "creditor_id",
    "account.tos_acceptance": "service_agreement",
    "balance": "instant_available issuing",
    "balance.available.source_types": "*",
    "balance.connect_reserved": "source_types",
    "balance.pending.source_types": "*",
    "balance.refund_and_dispute_prefunding.available": "source_types",
    "balance.refund_and_dispute_prefunding.pending": "source_types",
    "charge": "authorization_code level3 presentment_details refunds transfer",
    "charge.fraud_details": "stripe_report user_report",
    "charge.outcome": "rule",
    "charge.payment_method_details": "*",
    "charge.payment_method_details.card": (
        "capture_before description electronic_commerce_indicator iin issuer moto "
        "setup_credential_usage stored_credential_usage"
    ),
    "charge.payment_method_details.card.three_d_secure": "exemption_indicator_applied",
    "charge.radar_options": "session",
    "checkout.session": (
        "allowed_payment_method_types excluded_payment_method_types line_items name_collection "
        "presentment_details redirect_on_completion return_url tax_id_collection"
    ),
    "checkout.session.payment_method_options": "*",
    "checkout.session.payment_method_options.card": "*",
    "checkout.session.total_details": "breakdown",
    "customer": (
        "business_name cash_balance deleted individual_name invoice_credit_balance sources "
        "subscriptions tax tax_ids"
    ),
    "event": "account context",
    "event.data": "previous_attributes",
    "item": "discounts taxes",
    "payment_intent": (
        "allowed_payment_method_types amount_details hooks payment_details presentment_details"
    ),
    "payment_intent.amount_details": "*",
    "payment_intent.amount_details.tip": "amount",
    "payment_intent.last_payment_error": "*",
    "payment_intent.next_action": "*",
    "payment_intent.next_action.use_stripe_sdk": "*",
    "payment_intent.payment_method_options": "*",
    "payment_intent.payment_method_options.card": "*",
    "payment_method": "*",
    "payment_method.card": "description iin issuer",
    "price": "currency_options deleted tiers",
    "product": "deleted",
    "refund": (
        "description failure_balance_transaction failure_reason instructions_email next_action "
        "pending_reason presentment_details"
    ),
    "refund.destination_details": "*",
    "refund.destination_details.card": "reference",
    "webhook_endpoint": "deleted secret",
}
PRESENT = {
    "charge.payment_method_details": "card type",
    "payment_intent.last_payment_error": "charge code decline_code doc_url message payment_method type",
    "payment_intent.payment_method_options": "card",
    "payment_intent.payment_method_options.card": (
        "installments mandate_options network request_three_d_secure"
    ),
    "payment_method": (
        "allow_redisplay billing_details card created customer customer_account id livemode "
        "metadata object type"
    ),
    "refund.destination_details": "card type",
}


def annotations(cls: type[StripeObject]) -> dict[str, Any]:
    """The fields that the SDK gives a class."""
    hints = vars(cls).get("__annotations__", {})
    return {name: hint for name, hint in hints.items() if typing.get_origin(hint) is not typing.ClassVar}


def parts(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - any annotation
    """A hint and everything inside it."""
    yield hint
    for inner in typing.get_args(hint):
        yield from parts(inner)


def is_optional(hint: Any) -> bool:  # noqa: ANN401 - any annotation
    return typing.get_origin(hint) in {typing.Union, types.UnionType} and type(None) in typing.get_args(hint)


def nested(hint: Any) -> type[StripeObject] | None:  # noqa: ANN401 - any annotation
    """The one class of the SDK's that a hint is about, if it is about one nested hash."""
    found = [
        part
        for part in parts(hint)
        if isinstance(part, type) and issubclass(part, StripeObject) and "__annotations__" in vars(part)
    ]
    return found[0] if len(found) == 1 else None


def faults(path: str, value: dict[str, Any], cls: type[StripeObject]) -> Iterator[str]:
    """What is missing, null where it may not be, or unknown."""
    known = annotations(cls)
    silent = SILENT.get(path, "").split()
    must = PRESENT.get(path, "").split()
    yield from (f"{path}.{name} is unknown to the SDK" for name in value.keys() - known.keys())
    for name, hint in known.items():
        may_be_absent = is_optional(hint) and (name in silent or silent == ["*"]) and name not in must
        if name not in value:
            if not may_be_absent:
                yield f"{path}.{name} is missing"
        elif value[name] is None and not is_optional(hint):
            yield f"{path}.{name} is null"
        else:
            yield from _below(f"{path}.{name}", value[name], nested(hint))


def _below(path: str, value: Any, cls: type[StripeObject] | None) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict) and cls is not None and "object" not in one:
            yield from faults(path, one, cls)


@pytest.fixture
def lived(client: Client, sandbox: SandboxProcess, course: Course) -> SandboxProcess:
    """A sandbox in which everything happened once."""
    customer = client.v1.customers.create(
        {
            "name": "Sam",
            "address": {"city": "Ghent"},
            "shipping": {"name": "Sam", "address": {"city": "Ghent"}},
        }
    ).id
    asked: Any = course | {"customer": customer}
    session = client.v1.checkout.sessions.create(asked)
    sandbox.control("POST", f"pay/{session.id}")
    client.v1.checkout.sessions.create(asked)
    client.v1.refunds.create({"payment_intent": charged(client, card="refundFail").id, "amount": 50})
    client.v1.refunds.create({"payment_intent": charged(client, card="pendingRefund").id})
    pay: Any = {"amount": 500, "currency": "usd", "confirm": True}
    client.v1.payment_intents.create(pay | {"payment_method": "pm_card_visa", "capture_method": "manual"})
    asks = "pm_card_threeDSecure2Required"
    first = client.v1.payment_intents.create(pay | {"payment_method": asks}).id
    client.v1.payment_intents.create(pay | {"payment_method": asks, "return_url": "https://shop.example.com"})
    sandbox.control("POST", f"authenticate/{first}")
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.create(pay | {"payment_method": "pm_card_chargeDeclined"})
    client.v1.customers.update(customer, {"name": "Samuel"})
    client.v1.customers.create({"payment_method": "pm_card_visa"})
    sandbox.control("PUT", "/_control/webhook_endpoint", {"url": "http://127.0.0.1:9/", "secret": "whsec_x"})
    sandbox.control("POST", "clock", {"advance": 60})
    return sandbox


LISTS: tuple[tuple[str, type[StripeObject]], ...] = (
    ("/v1/customers", stripe.Customer),
    ("/v1/payment_intents", stripe.PaymentIntent),
    ("/v1/charges", stripe.Charge),
    ("/v1/refunds", stripe.Refund),
    ("/v1/balance_transactions", stripe.BalanceTransaction),
    ("/v1/checkout/sessions", stripe.checkout.Session),
    ("/v1/events", stripe.Event),
    ("/v1/webhook_endpoints", stripe.WebhookEndpoint),
)
CLASSES: dict[str, type[StripeObject]] = {
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "customer": stripe.Customer,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "product": stripe.Product,
    "refund": stripe.Refund,
}


def test_every_listed_object_is_whole(lived: SandboxProcess) -> None:
    for path, cls in LISTS:
        listed = lived.get(path, {"limit": "100"})["data"]
        assert listed, f"nothing at {path}"
        found = {fault for one in listed for fault in faults(one["object"], one, cls)}
        assert not found, "\n".join(sorted(found))


def test_every_other_object_is_whole(lived: SandboxProcess) -> None:
    customer = lived.get("/v1/customers")["data"][0]["id"]
    session = lived.get("/v1/checkout/sessions")["data"][0]["id"]
    item = lived.get(f"/v1/checkout/sessions/{session}/line_items")["data"][0]
    price = item["price"]
    whole: list[tuple[dict[str, Any], type[StripeObject]]] = [
        (lived.get("/v1/balance"), stripe.Balance),
        (lived.get("/v1/account"), stripe.Account),
        (lived.get("/v1/payment_methods", {"customer": customer})["data"][0], stripe.PaymentMethod),
        (item, stripe.LineItem),
        (price, stripe.Price),
        (lived.get(f"/v1/products/{price['product']}"), stripe.Product),
    ]
    found = {fault for one, cls in whole for fault in faults(one["object"], one, cls)}
    assert not found, "\n".join(sorted(found))


def test_every_snapshot_is_whole(lived: SandboxProcess) -> None:
    events = lived.get("/v1/events", {"limit": "100"})["data"]
    snapshots = [event["data"]["object"] for event in events]
    assert {one["object"] for one in snapshots} == CLASSES.keys()
    found = {fault for one in snapshots for fault in faults(one["object"], one, CLASSES[one["object"]])}
    assert not found, "\n".join(sorted(found))


def test_the_comparison_sees_what_is_wrong(lived: SandboxProcess) -> None:
    charge = lived.get("/v1/charges")["data"][0]
    broken = {name: value for name, value in charge.items() if name != "review"} | {
        "paid": None,
        "colour": "red",
    }
    broken["billing_details"] = {"email": None}
    found = set(faults("charge", broken, stripe.Charge))
    assert {"charge.review is missing", "charge.paid is null", "charge.colour is unknown to the SDK"} <= found
    assert "charge.billing_details.phone is missing" in found
