"""The small meanings: fees, written amounts, card numbers, what changed, signatures, searches, the clock."""

import time
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from sandbox import cards, money
from sandbox.announce import changes
from sandbox.cards import CARDS
from sandbox.clock import Clock
from sandbox.errors import StripeError
from sandbox.ids import fresh
from sandbox.search import matching
from sandbox.shapes import merged_metadata
from sandbox.signature import header


@pytest.mark.parametrize(
    ("amount", "fee"), [(10_000, 320), (50, 31), (500, 45), (1_500, 74), (17, 30), (18, 31)]
)
def test_the_fee_is_rounded_half_up(amount: int, fee: int) -> None:
    assert money.fee(amount) == fee


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (123_456, "usd", "$1,234.56"),
        (5, "eur", "€0.05"),
        (1_200, "jpy", "1,200 JPY"),
        (990, "chf", "9.90 CHF"),
    ],
)
def test_amounts_are_written_for_people(amount: int, currency: str, written: str) -> None:
    assert money.written(amount, currency) == written


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_test_card_is_found_by_token_and_number(card: cards.Card) -> None:
    assert cards.by_token(f"pm_card_{card.name}", "pm_card_") == card
    assert cards.by_token(f"tok_{card.name}", "tok_") == card
    assert cards.by_number(card.number) == card
    assert cards.is_plausible(card.number)


@pytest.mark.parametrize("number", ["", "4242", "4242424242424241", "4242-4242", "4" * 20])
def test_a_mistyped_number_is_seen(number: str) -> None:
    assert not cards.is_plausible(number)


def test_brand_prefixed_tokens_name_the_same_card() -> None:
    assert cards.by_token("pm_card_visa_chargeDeclined", "pm_card_") == cards.by_number("4000000000000002")
    assert cards.by_token("pm_card_nonsense", "pm_card_") is None


@pytest.mark.parametrize(
    ("before", "after", "former"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 2}),
        ({"m": {"x": "1", "y": "2"}}, {"m": {"x": "1", "y": "3"}}, {"m": {"y": "2"}}),
        ({"m": {}}, {"m": {"x": "1"}}, {"m": {"x": None}}),
        ({"list": [1, 2]}, {"list": [1]}, {"list": [1, 2]}),
        ({"a": {"x": 1}}, {"a": None}, {"a": {"x": 1}}),
        ({"a": 1}, {"a": 1}, {}),
    ],
)
def test_previous_attributes_hold_only_what_changed(
    before: dict[str, Any], after: dict[str, Any], former: dict[str, Any]
) -> None:
    assert changes(before, after) == former


def test_metadata_is_added_replaced_and_removed() -> None:
    assert merged_metadata({"a": "1", "b": "2"}, {"b": "", "c": "3"}) == {"a": "1", "c": "3"}
    assert merged_metadata({"a": "1"}, None) == {}


@given(st.text(max_size=50))
def test_the_sdk_accepts_our_signature(text: str) -> None:
    signed = header(text.encode(), "whsec_invented", int(time.time()))
    assert stripe.WebhookSignature.verify_header(text, signed, "whsec_invented", tolerance=300)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('email:"A@example.com"', ["a"]),
        ('name~"sam"', ["a", "b"]),
        ('metadata["plan"]:"gold"', ["b"]),
        ('-metadata["plan"]:"gold" AND name~"sam"', ["a"]),
        ('email:"a@example.com" OR email:"b@example.com"', ["a", "b"]),
        ("created>10", ["b"]),
        ("created<=10", ["a"]),
        ("name:null", []),
    ],
)
def test_a_search_finds_what_fits(query: str, names: list[str]) -> None:
    people = [
        {"id": "a", "email": "a@example.com", "name": "Sam One", "created": 10, "metadata": {}},
        {"id": "b", "email": "b@example.com", "name": "Sam Two", "created": 20, "metadata": {"plan": "gold"}},
    ]
    assert [person["id"] for person in matching(people, query)] == names


@pytest.mark.parametrize("query", ["email", 'email:"a" AND name:"b" OR name:"c"', "email:"])
def test_a_search_that_means_nothing_is_refused(query: str) -> None:
    with pytest.raises(StripeError):
        matching([], query)


def test_the_clock_freezes_advances_and_runs_again() -> None:
    clock = Clock()
    clock.freeze(1_000)
    assert clock.now() == 1_000
    clock.advance(60)
    assert clock.now() == 1_060
    clock.freeze(None)
    assert abs(clock.now() - time.time()) < 5


def test_identifiers_look_like_the_processors() -> None:
    assert fresh("cus").startswith("cus_")
    assert len(fresh("cus")) == len("cus_") + 14
    assert len({fresh("pi") for _ in range(1_000)}) == 1_000
