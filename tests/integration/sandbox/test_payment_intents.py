"""PaymentIntents: every transition, every kind of test card, every refused move."""

from typing import Any

import pytest
import stripe

from tests.integration.sandbox.conftest import Client, charged, event_types
from tests.sandboxed import SandboxProcess

GONE = "payment_method_types"
VISA: Any = {"payment_method": "pm_card_visa"}


def intent(client: Client, **facts: Any) -> stripe.PaymentIntent:  # noqa: ANN401 - whatever Stripe takes
    asked: Any = {"amount": 2_000, "currency": "usd", **facts}
    return client.v1.payment_intents.create(asked)


def test_a_payment_goes_through_all_its_states(client: Client) -> None:
    made = intent(client, metadata={"purchase": "1"}, description="A course")
    assert (made.status, made.capture_method) == ("requires_payment_method", "automatic_async")
    chosen = client.v1.payment_intents.update(made.id, {"payment_method": "pm_card_visa", "amount": 2_500})
    assert (chosen.status, chosen.amount) == ("requires_confirmation", 2_500)
    paid = client.v1.payment_intents.confirm(made.id)
    assert (paid.status, paid.amount_received, paid.last_payment_error) == ("succeeded", 2_500, None)
    assert isinstance(paid.latest_charge, str)
    charge = client.v1.charges.retrieve(paid.latest_charge, {"expand": ["balance_transaction"]})
    assert (charge.status, charge.captured, charge.description) == ("succeeded", True, "A course")
    assert charge.metadata.to_dict() == {"purchase": "1"}
    transaction = charge.balance_transaction
    assert isinstance(transaction, stripe.BalanceTransaction)
    assert (transaction.amount, transaction.fee, transaction.net) == (2_500, 103, 2_397)
    assert event_types(client) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


@pytest.mark.parametrize(
    ("token", "code", "decline"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ("pm_card_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded"),
        ("pm_card_chargeDeclinedFraudulent", "card_declined", "fraudulent"),
        ("pm_card_radarBlock", "card_declined", "fraudulent"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
    ],
)
def test_a_decline_leads_back_and_another_card_pays(
    client: Client, token: str, code: str, decline: str
) -> None:
    made = intent(client)
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_intents.confirm(made.id, {"payment_method": token})
    error = refusal.value.error
    assert error is not None
    assert (refusal.value.http_status, error.code, error.decline_code) == (402, code, decline)
    assert error.payment_intent is not None
    assert error.payment_intent.id == made.id

    after = client.v1.payment_intents.retrieve(made.id, {"expand": ["latest_charge"]})
    assert (after.status, after.payment_method) == ("requires_payment_method", None)
    assert after.last_payment_error is not None
    assert after.last_payment_error.decline_code == decline
    assert after.last_payment_error.payment_method is not None
    charge = after.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.status, charge.paid, charge.failure_code, charge.balance_transaction) == (
        "failed",
        False,
        code,
        None,
    )
    assert error.charge == charge.id
    assert event_types(client)[-2:] == ["charge.failed", "payment_intent.payment_failed"]
    assert client.v1.balance_transactions.list().data == []
    assert client.v1.payment_intents.confirm(made.id, VISA).status == "succeeded"


@pytest.mark.parametrize(
    "card",
    ["visa", "mastercard", "amex", "visa_debit", "mastercard_debit", "discover", "threeDSecureOptional"],
)
def test_cards_that_pay(client: Client, card: str) -> None:
    assert charged(client, card=card).status == "succeeded"


def test_bypassing_pending_is_available_at_once(client: Client) -> None:
    charged(client, card="bypassPending")
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (9_680, 0)


@pytest.mark.parametrize(
    "token",
    [
        "pm_card_authenticationRequired",
        "pm_card_authenticationRequiredOnSetup",
        "pm_card_authenticationRequiredSetupForOffSession",
        "pm_card_threeDSecure2Required",
    ],
)
def test_a_bank_asks_and_the_buyer_passes(client: Client, sandbox: SandboxProcess, token: str) -> None:
    asked = intent(client, payment_method=token, confirm=True, return_url="https://shop.example.com/back")
    assert asked.status == "requires_action"
    assert asked.next_action is not None
    assert asked.next_action.type == "redirect_to_url"
    assert asked.next_action.redirect_to_url is not None
    assert asked.next_action.redirect_to_url.url == f"{sandbox.base_url}/authenticate/{asked.id}"
    assert client.v1.charges.list().data == []
    sandbox.control("POST", f"authenticate/{asked.id}", {"passed": True})
    paid = client.v1.payment_intents.retrieve(asked.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.next_action) == ("succeeded", None)
    assert event_types(client)[:2] == ["payment_intent.created", "payment_intent.requires_action"]


def test_a_failed_authentication_leads_back(client: Client, sandbox: SandboxProcess) -> None:
    asked = intent(client, payment_method="pm_card_authenticationRequired", confirm=True)
    assert asked.next_action is not None
    assert asked.next_action.type == "use_stripe_sdk"
    sandbox.control("POST", f"authenticate/{asked.id}", {"passed": False})
    after = client.v1.payment_intents.retrieve(asked.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error is not None
    assert after.last_payment_error.code == "payment_intent_authentication_failure"


def test_a_passed_authentication_may_still_be_declined(client: Client, sandbox: SandboxProcess) -> None:
    token = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
    asked = intent(client, payment_method=token, confirm=True)
    sandbox.control("POST", f"authenticate/{asked.id}")
    error = client.v1.payment_intents.retrieve(asked.id).last_payment_error
    assert error is not None
    assert error.decline_code == "insufficient_funds"


@pytest.mark.parametrize("facts", [{"off_session": True}, {"error_on_requires_action": True}])
def test_nobody_there_to_authenticate(client: Client, facts: dict[str, bool]) -> None:
    customer = client.v1.customers.create({"payment_method": "pm_card_authenticationRequired"}).id
    card = client.v1.customers.payment_methods.list(customer).data[0].id
    with pytest.raises(stripe.CardError) as refusal:
        intent(client, customer=customer, payment_method=card, confirm=True, **facts)
    assert refusal.value.code == "authentication_required"
    assert refusal.value.error is not None
    assert refusal.value.error.payment_intent is not None
    assert refusal.value.error.payment_intent.status == "requires_payment_method"


def test_a_card_set_up_once_pays_off_session(client: Client, sandbox: SandboxProcess) -> None:
    customer = client.v1.customers.create().id
    first = intent(
        client,
        customer=customer,
        payment_method="pm_card_authenticationRequiredOnSetup",
        setup_future_usage="off_session",
        confirm=True,
    )
    sandbox.control("POST", f"authenticate/{first.id}")
    card = client.v1.customers.payment_methods.list(customer).data[0].id
    again = intent(client, customer=customer, payment_method=card, off_session=True, confirm=True)
    assert again.status == "succeeded"


def test_the_shop_may_ask_for_authentication(client: Client) -> None:
    options = {"card": {"request_three_d_secure": "any"}}
    asked = intent(client, payment_method="pm_card_visa", payment_method_options=options, confirm=True)
    assert asked.status == "requires_action"


def test_confirming_by_hand_waits_for_a_second_confirmation(client: Client, sandbox: SandboxProcess) -> None:
    asked = intent(
        client, payment_method="pm_card_threeDSecure2Required", confirmation_method="manual", confirm=True
    )
    sandbox.control("POST", f"authenticate/{asked.id}")
    assert client.v1.payment_intents.retrieve(asked.id).status == "requires_confirmation"
    assert client.v1.payment_intents.confirm(asked.id).status == "succeeded"


def test_authorise_then_capture_in_part(client: Client) -> None:
    held = intent(client, payment_method="pm_card_visa", capture_method="manual", confirm=True)
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 2_000, 0)
    assert client.v1.balance_transactions.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 2_001})
    taken = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 1_500})
    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 1_500)
    charge = client.v1.charges.list({"payment_intent": held.id}).data[0]
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (1_500, 500, False)
    assert [one.amount for one in client.v1.balance_transactions.list().data] == [1_500]
    assert event_types(client)[-2:] == ["charge.captured", "payment_intent.succeeded"]


def test_an_authorisation_is_given_up(client: Client) -> None:
    held = intent(client, payment_method="pm_card_visa", capture_method="manual", confirm=True)
    gone = client.v1.payment_intents.cancel(held.id, {"cancellation_reason": "duplicate"})
    assert (gone.status, gone.cancellation_reason, gone.amount_capturable) == ("canceled", "duplicate", 0)
    assert client.v1.charges.list().data[0].refunded is True
    assert client.v1.balance_transactions.list().data == []


def test_an_authorisation_lapses_after_seven_days(client: Client, sandbox: SandboxProcess) -> None:
    held = intent(client, payment_method="pm_card_visa", capture_method="manual", confirm=True)
    sandbox.control("POST", "clock", {"advance": 7 * 24 * 3_600 + 1})
    lapsed = client.v1.payment_intents.retrieve(held.id)
    assert (lapsed.status, lapsed.cancellation_reason) == ("canceled", "automatic")
    assert lapsed.canceled_at is not None
    assert abs(lapsed.canceled_at - held.created - 7 * 24 * 3_600) <= 1


@pytest.mark.parametrize("verb", ["confirm", "capture", "cancel", "update"])
def test_a_paid_intent_moves_no_more(client: Client, verb: str) -> None:
    paid = charged(client)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        getattr(client.v1.payment_intents, verb)(paid.id)
    assert (refusal.value.http_status, refusal.value.code) == (400, "payment_intent_unexpected_state")
    assert refusal.value.error is not None
    assert refusal.value.error.payment_intent is not None


def test_a_cancelled_intent_moves_no_more(client: Client) -> None:
    made = intent(client)
    client.v1.payment_intents.cancel(made.id)
    for verb in ("confirm", "capture", "cancel"):
        with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
            getattr(client.v1.payment_intents, verb)(made.id)


def test_confirming_needs_a_payment_method(client: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        client.v1.payment_intents.confirm(intent(client).id)


@pytest.mark.parametrize(
    ("facts", "code", "param"),
    [
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"amount": -5}, "parameter_invalid_integer", "amount"),
        ({"currency": "xyz"}, None, "currency"),
        (
            {"payment_method_types": ["card"]},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        ({"allowed_payment_method_types": ["klarna"]}, None, "allowed_payment_method_types"),
        ({"customer": "cus_nobody"}, "resource_missing", "customer"),
        ({"payment_method": "pm_nothing"}, "resource_missing", "payment_method"),
        ({"off_session": True}, None, "off_session"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
    ],
)
def test_what_real_stripe_refuses_is_refused(
    client: Client, facts: dict[str, Any], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        intent(client, **facts)
    error = refusal.value
    assert (error.http_status, error.code, error.param) == (400, code, param)


def test_intents_are_listed_by_customer(client: Client) -> None:
    customer = client.v1.customers.create().id
    ours = intent(client, customer=customer)
    intent(client)
    assert [one.id for one in client.v1.payment_intents.list({"customer": customer}).data] == [ours.id]
