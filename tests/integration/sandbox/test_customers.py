"""Customers: made, changed, searched and deleted through the real SDK."""

import pytest
import stripe

from tests.integration.sandbox.conftest import Client
from tests.sandboxed import SandboxProcess


def test_a_customer_is_made_read_changed_and_deleted(client: Client) -> None:
    made = client.v1.customers.create(
        {
            "email": "sam@example.com",
            "name": "Sam Invented",
            "address": {"line1": "1 Test Street", "country": "US"},
            "shipping": {"name": "Sam", "address": {"line1": "2 Test Street"}},
            "metadata": {"user": "7", "2026": "year"},
            "preferred_locales": ["en"],
        }
    )
    read = client.v1.customers.retrieve(made.id)
    assert read.to_dict() == made.to_dict()
    assert read.metadata is not None
    assert read.metadata.to_dict() == {"user": "7", "2026": "year"}
    assert read.address is not None
    assert (read.address.line1, read.address.city) == ("1 Test Street", None)

    changed = client.v1.customers.update(made.id, {"name": "", "metadata": {"user": "", "plan": "gold"}})
    assert changed.name is None
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"2026": "year", "plan": "gold"}
    assert client.v1.customers.update(made.id, {"metadata": ""}).to_dict()["metadata"] == {}

    gone = client.v1.customers.delete(made.id)
    assert gone.deleted is True
    assert client.v1.customers.retrieve(made.id).deleted is True
    assert client.v1.customers.list().data == []
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.customers.update(made.id, {"name": "Again"})
    assert refusal.value.http_status == 404


def test_deleting_a_customer_detaches_its_cards(client: Client) -> None:
    customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
    card = client.v1.customers.payment_methods.list(customer.id).data[0]
    client.v1.customers.delete(customer.id)
    assert client.v1.payment_methods.retrieve(card.id).customer is None


def test_a_customer_keeps_a_default_card_of_its_own_only(client: Client) -> None:
    owner = client.v1.customers.create({"payment_method": "pm_card_visa"})
    other = client.v1.customers.create()
    card = client.v1.customers.payment_methods.list(owner.id).data[0].id
    changed = client.v1.customers.update(
        owner.id,
        {
            "invoice_settings": {"default_payment_method": card},
            "expand": ["invoice_settings.default_payment_method"],
        },
    )
    assert changed.to_dict()["invoice_settings"]["default_payment_method"]["id"] == card
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.update(other.id, {"invoice_settings": {"default_payment_method": card}})


def test_customers_are_found_by_address_and_by_search(client: Client) -> None:
    ann = client.v1.customers.create({"email": "ann@example.com", "metadata": {"user": "1"}})
    client.v1.customers.create({"email": "bob@example.com"})
    assert [one.id for one in client.v1.customers.list({"email": "ann@example.com"}).data] == [ann.id]
    found = client.v1.customers.search({"query": 'metadata["user"]:"1"'})
    assert [one.id for one in found.data] == [ann.id]
    pages = client.v1.customers.search({"query": 'email~"example.com"', "limit": 1})
    assert len(list(pages.auto_paging_iter())) == 2


def test_a_declined_card_makes_no_customer(client: Client, sandbox: SandboxProcess) -> None:
    with pytest.raises(stripe.CardError):
        client.v1.customers.create({"payment_method": "pm_card_chargeDeclined"})
    assert sandbox.get("/v1/customers")["data"] == []
    assert sandbox.get("/v1/events")["data"] == []
