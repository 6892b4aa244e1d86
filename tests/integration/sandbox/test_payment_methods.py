"""Payment methods: made from tokens, attached once, spent when detached."""

from typing import Any

import pytest
import stripe

from tests.integration.sandbox.conftest import Client, charged


def test_a_card_is_made_attached_listed_changed_and_detached(client: Client) -> None:
    customer = client.v1.customers.create().id
    made = client.v1.payment_methods.create(
        {"type": "card", "card": {"token": "tok_mastercard"}, "billing_details": {"name": "Sam Invented"}}
    )
    assert made.card is not None
    assert (made.card.brand, made.card.last4, made.customer) == ("mastercard", "4444", None)
    attached = client.v1.payment_methods.attach(made.id, {"customer": customer})
    assert attached.customer == customer
    for listed in (
        client.v1.payment_methods.list({"customer": customer, "type": "card"}).data,
        client.v1.customers.payment_methods.list(customer).data,
    ):
        assert [one.id for one in listed] == [made.id]
    assert client.v1.customers.payment_methods.retrieve(customer, made.id).id == made.id
    change: Any = {
        "metadata": {"k": "v"},
        "card": {"exp_year": 2040},
        "billing_details": {"email": "s@example.com"},
    }
    changed = client.v1.payment_methods.update(made.id, change)
    assert changed.card is not None
    assert (changed.card.exp_year, changed.billing_details.name) == (2040, "Sam Invented")
    assert client.v1.payment_methods.detach(made.id).customer is None
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_methods.attach(made.id, {"customer": customer})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_methods.detach(made.id)


@pytest.mark.parametrize(
    ("token", "code", "decline"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
    ],
)
def test_cards_that_decline_are_declined_when_attached(
    client: Client, token: str, code: str, decline: str
) -> None:
    customer = client.v1.customers.create().id
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_methods.attach(token, {"customer": customer})
    error = refusal.value
    assert (error.http_status, error.code) == (402, code)
    assert error.error is not None
    assert error.error.decline_code == decline
    assert client.v1.customers.payment_methods.list(customer).data == []


def test_the_card_that_fails_later_attaches(client: Client) -> None:
    customer = client.v1.customers.create().id
    card = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "customer": customer,
                "payment_method": card.id,
                "confirm": True,
            }
        )


def test_a_card_that_paid_unattached_is_spent(client: Client) -> None:
    used = charged(client).payment_method
    assert isinstance(used, str)
    with pytest.raises(stripe.InvalidRequestError, match="previously used"):
        charged(client, card=used)


def test_a_card_of_another_customer_is_refused(client: Client) -> None:
    owner = client.v1.customers.create({"payment_method": "pm_card_visa"}).id
    card = client.v1.customers.payment_methods.list(owner).data[0].id
    stranger = client.v1.customers.create().id
    asked: Any = {"amount": 500, "currency": "usd", "payment_method": card}
    for customer in ({}, {"customer": stranger}):
        with pytest.raises(stripe.InvalidRequestError, match="belongs to a Customer"):
            client.v1.payment_intents.create(asked | customer)
    assert client.v1.payment_intents.create(asked | {"customer": owner}).status == "requires_confirmation"


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"type": "card"}, "card"),
        ({"type": "card", "card": {}}, "card"),
        ({"type": "card", "card": {"number": "4242424242424242"}}, "card[number]"),
        ({"type": "card", "card": {"token": "tok_nonsense"}}, "card[token]"),
        ({"type": "sepa_debit"}, "type"),
        ({"card": {"token": "tok_visa"}}, "type"),
    ],
)
def test_what_is_no_card_is_refused(client: Client, given: Any, param: str) -> None:  # noqa: ANN401 - wrong on purpose
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_methods.create(given)
    assert refusal.value.param == param


def test_listing_needs_a_customer_that_exists(client: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as absent:
        client.v1.payment_methods.list()
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.payment_methods.list({"customer": "cus_nobody"})
    assert (absent.value.code, unknown.value.code) == ("parameter_missing", "resource_missing")
