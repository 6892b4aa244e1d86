"""Lists are read to their end, page by page: movements of the balance, news, cards."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from services.kernel.money import Money
from services.stripe.gateway import API_VERSION, Gateway
from tests.integration.stripe.wire import Wire

PRICE = Money(10_000, "USD")


def test_a_charge_and_its_refund_move_the_balance(
    gateway: Gateway, customer: str, saved_card: str, started: datetime
) -> None:
    subject = uuid4()
    paid = gateway.charge_card(
        subject=subject, customer=customer, card=saved_card, amount=PRICE, key=f"a:{subject}"
    )
    back = gateway.refund(
        payment_intent_id=paid.payment_intent_id, amount=PRICE, subject=subject, key=f"b:{subject}"
    )
    rows = {row.balance_transaction_id: row for row in gateway.balance_transactions(started)}
    charged = rows[paid.balance_transaction_id or ""]
    assert (charged.kind, charged.reporting_category, charged.source_id) == (
        "charge",
        "charge",
        paid.charge_id,
    )
    assert (charged.amount_minor, charged.fee_minor, charged.net_minor) == (10_000, 320, 9_680)
    assert (charged.currency, charged.created_at) == ("USD", paid.paid_at)
    assert charged.available_on > charged.created_at.date()
    returned = rows[back.balance_transaction_id or ""]
    assert (returned.kind, returned.source_id) == ("refund", back.refund_id)
    assert (returned.amount_minor, returned.fee_minor, returned.net_minor) == (-10_000, 0, -10_000)


def test_nothing_is_listed_from_the_future(gateway: Gateway, customer: str, saved_card: str) -> None:
    subject = uuid4()
    gateway.charge_card(subject=subject, customer=customer, card=saved_card, amount=PRICE, key=f"a:{subject}")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert list(gateway.balance_transactions(tomorrow)) == []
    assert list(gateway.events(tomorrow)) == []


def test_news_of_more_than_one_page_is_read_to_its_end(
    gateway: Gateway, started: datetime, wire: Wire
) -> None:
    people = [
        gateway.make_customer(
            user=user, email=f"{user}@example.com", name="Pat Invented", key=f"customer:{user}"
        )
        for user in (uuid4() for _ in range(120))
    ]
    wire.passed.clear()
    news = [event for event in gateway.events(started) if event.kind == "customer.created"]
    assert [event.object_id for event in news][: len(people)] == people[::-1]
    assert len({event.event_id for event in news}) == len(news)
    assert len(wire.passed) > 1


def test_news_is_what_a_webhook_carries(gateway: Gateway, customer: str, started: datetime) -> None:
    event = next(event for event in gateway.events(started) if event.object_id == customer)
    body = json.loads(event.body)
    assert (body["id"], body["type"], body["object"]) == (event.event_id, event.kind, "event")
    assert body["data"]["object"]["id"] == customer
    assert body["livemode"] is False
    assert event.api_version == API_VERSION
    assert event.created_at == datetime.fromtimestamp(body["created"], UTC)


def test_a_customer_is_made_once_per_key(gateway: Gateway) -> None:
    user = uuid4()
    made = [
        gateway.make_customer(user=user, email="kim@example.com", name="Kim Invented", key=f"customer:{user}")
        for _time in range(2)
    ]
    assert made[0] == made[1]


def test_kept_cards_are_shown_by_what_may_be_shown(
    gateway: Gateway, customer: str, keep: Callable[[str], str]
) -> None:
    assert gateway.cards(customer) == []
    visa, mastercard = keep("pm_card_visa"), keep("pm_card_mastercard")
    shown = {card.card_id: card for card in gateway.cards(customer)}
    assert shown.keys() == {visa, mastercard}
    assert (shown[visa].brand, shown[visa].last4) == ("visa", "4242")
    assert (shown[mastercard].brand, shown[mastercard].last4) == ("mastercard", "4444")
    assert shown[visa].expires == date(2034, 12, 31)
