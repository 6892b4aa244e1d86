"""The hosted page as a browser sees it: pays, declines and retries, authenticates, says when it is over."""

import http.client
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.integration.sandbox.conftest import Client, Course
from tests.sandboxed import SandboxProcess

CARD = {"email": "sam@example.com", "card_number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}


@dataclass(frozen=True)
class Page:
    """What came back."""

    status: int
    html: str
    location: str | None


def browse(method: str, url: str, **fields: str) -> Page:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        connection.request(method, parts.path, urlencode(fields) if fields else None)
        response = connection.getresponse()
        return Page(response.status, response.read().decode(), response.headers["Location"])
    finally:
        connection.close()


@pytest.fixture
def address(client: Client, course: Course) -> str:
    """The page of a session for one course."""
    asked: Any = course
    url = client.v1.checkout.sessions.create(asked).url
    assert url is not None
    return url


def test_the_page_names_the_course_and_the_price(address: str) -> None:
    page = browse("GET", address)
    assert page.status == 200
    for words in ("Bookkeeping &lt;for&gt; everyone", "Pay $100.00", "TEST MODE", "Card number", "Cancel"):
        assert words in page.html
    assert "<for>" not in page.html
    assert 'href="https://shop.example.com/cancelled"' in page.html


def test_a_good_card_leads_back_to_the_shop(client: Client, address: str) -> None:
    page = browse("POST", address, **CARD)
    session = client.v1.checkout.sessions.list().data[0]
    assert (page.status, page.location) == (303, f"https://shop.example.com/done?session={session.id}")
    assert (session.status, session.payment_status) == ("complete", "paid")
    assert session.customer_details is not None
    assert session.customer_details.email == "sam@example.com"


def test_pressing_twice_pays_once(client: Client, address: str) -> None:
    assert browse("POST", address, **CARD) == browse("POST", address, **CARD)
    assert len(client.v1.charges.list().data) == 1
    assert "already paid" in browse("GET", address).html


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("4000 0000 0000 0002", "Your card was declined. Try another card."),
        ("4000 0000 0000 9995", "Your card has insufficient funds."),
        ("4000 0000 0000 0069", "Your card has expired."),
        ("4000-0000-0000-0127", "security code is incorrect"),
    ],
)
def test_a_declined_card_says_why_and_may_be_replaced(
    client: Client, address: str, number: str, words: str
) -> None:
    page = browse("POST", address, **{**CARD, "card_number": number})
    assert page.status == 402
    assert words in page.html.replace("&#x27;", "'")
    assert 'role="alert"' in page.html
    assert browse("POST", address, **CARD).status == 303
    assert [charge.status for charge in client.v1.charges.list().data] == ["succeeded", "failed"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"card_number": "4242 4242 4242 4241"}, "number is invalid"),
        ({"card_number": ""}, "number is invalid"),
        ({"card_number": "4111 1111 1111 1111"}, "used a non test card"),
        ({"expiry": "13 / 34"}, "expiration date"),
        ({"expiry": "soon"}, "expiration date"),
        ({"cvc": "1"}, "security code is incomplete"),
        ({"email": "nobody"}, "Enter your email"),
    ],
)
def test_a_slip_is_named_and_charges_nothing(
    client: Client, address: str, wrong: dict[str, str], words: str
) -> None:
    page = browse("POST", address, **{**CARD, **wrong})
    assert words in page.html
    assert client.v1.charges.list().data == []
    assert client.v1.payment_intents.list().data == []


@pytest.mark.parametrize(("answer", "paid"), [("complete", True), ("fail", False)])
def test_a_bank_asks_on_a_page_of_its_own(client: Client, address: str, answer: str, *, paid: bool) -> None:
    asked = browse("POST", address, **{**CARD, "card_number": "4000 0025 0000 3155"})
    assert asked.status == 303
    assert asked.location is not None
    assert "Complete authentication" in browse("GET", asked.location).html
    page = browse("POST", asked.location, answer=answer)
    assert page.status == (303 if paid else 402)
    assert len(client.v1.charges.list().data) == int(paid)
    assert browse("GET", asked.location).status == 404
    if not paid:
        assert "failed authentication" in page.html
        assert browse("POST", address, **CARD).status == 303


def test_an_intent_of_the_shops_own_returns_to_the_shop(client: Client) -> None:
    asked: Any = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_authenticationRequired",
        "confirm": True,
        "return_url": "https://shop.example.com/back?x=1",
    }
    intent = client.v1.payment_intents.create(asked).to_dict()
    page = browse("POST", intent["next_action"]["redirect_to_url"]["url"], answer="complete")
    assert page.location == (
        f"https://shop.example.com/back?x=1&payment_intent={intent['id']}"
        f"&payment_intent_client_secret={intent['client_secret']}"
    )
    assert client.v1.payment_intents.retrieve(intent["id"]).status == "succeeded"


def test_an_expired_page_says_so(client: Client, address: str) -> None:
    client.v1.checkout.sessions.expire(client.v1.checkout.sessions.list().data[0].id)
    assert "expired" in browse("GET", address).html
    assert browse("POST", address, **CARD).status == 410
    assert client.v1.charges.list().data == []


def test_a_known_customer_need_not_type_an_address(client: Client, course: Course) -> None:
    customer = client.v1.customers.create({"email": "ann@example.com"}).id
    asked: Any = course | {"customer": customer}
    session = client.v1.checkout.sessions.create(asked)
    assert session.url is not None
    assert 'value="ann@example.com"' in browse("GET", session.url).html
    without = {name: value for name, value in CARD.items() if name != "email"}
    assert browse("POST", session.url, **without).status == 303


def test_pages_that_are_not_there(sandbox: SandboxProcess) -> None:
    for path in ("/c/pay/cs_test_nothing", "/authenticate/pi_nothing", "/nothing"):
        assert browse("GET", sandbox.base_url + path).status == 404


def test_the_viewer_shows_what_is_there_escaped(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control(
        "PUT", "/_control/webhook_endpoint", {"url": "http://127.0.0.1:9/<b>", "secret": "whsec_x"}
    )
    customer = client.v1.customers.create({"name": "<script>alert(1)</script>"}).id
    page = browse("GET", sandbox.base_url + "/").html
    assert customer in page
    assert "customer.created" in page
    assert "<script>" not in page
    assert "<b>" not in page
    assert "whsec_x" not in page
