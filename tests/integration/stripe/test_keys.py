"""Every change that Bursar asks for goes out under a key of its own making."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import pytest
import stripe

from services.kernel.money import Money
from services.stripe.gateway import Gateway
from tests.integration.stripe.wire import Wire

PRICE = Money(10_000, "USD")
VERBS = ("customer", "open", "expire", "charge", "refund")


@pytest.fixture
def changed(gateway: Gateway, customer: str, saved_card: str, wire: Wire) -> UUID:
    """Every verb that changes something, asked for one subject."""
    subject = uuid4()
    wire.passed.clear()
    gateway.make_customer(
        user=subject, email="lee@example.com", name="Lee Invented", key=f"customer:{subject}"
    )
    page = gateway.open_checkout(
        subject=subject,
        payer_email="lee@example.com",
        customer=customer,
        title="Knots for Landlubbers",
        amount=PRICE,
        success_url="https://bursar.test/back",
        cancel_url="https://bursar.test/course",
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        key=f"open:{subject}",
    )
    gateway.expire_checkout(page.session_id, f"expire:{subject}")
    paid = gateway.charge_card(
        subject=subject, customer=customer, card=saved_card, amount=PRICE, key=f"charge:{subject}"
    )
    gateway.refund(
        payment_intent_id=paid.payment_intent_id, amount=PRICE, subject=subject, key=f"refund:{subject}"
    )
    return subject


def test_each_request_carries_the_key_it_was_given(changed: UUID, wire: Wire) -> None:
    assert [passed.headers["idempotency-key"] for passed in wire.posts()] == [
        f"{verb}:{changed}" for verb in VERBS
    ]


def test_the_processor_says_under_which_key_its_news_came_about(
    changed: UUID, outsider: stripe.StripeClient
) -> None:
    news = outsider.v1.events.list({"limit": 30})
    assert {event.request.idempotency_key for event in news if event.request} >= {
        f"{verb}:{changed}" for verb in VERBS if verb != "open"
    }


def test_what_is_made_names_our_row(changed: UUID, wire: Wire) -> None:
    told = {post.headers["idempotency-key"].split(":")[0]: parse_qs(post.body) for post in wire.posts()}
    ours = [str(changed)]
    assert told["customer"]["metadata[user]"] == ours
    assert told["open"]["metadata[purchase]"] == ours
    assert told["open"]["payment_intent_data[metadata][purchase]"] == ours
    assert told["charge"]["metadata[purchase]"] == ours
    assert told["refund"]["metadata[refund]"] == ours
