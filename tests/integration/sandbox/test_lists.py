"""Pages, cursors, time bounds and expansion, through the SDK and bare."""

from typing import Any

import pytest
import stripe

from tests.integration.sandbox.conftest import Client, Course, charged
from tests.sandboxed import SandboxProcess


@pytest.fixture
def people(client: Client, sandbox: SandboxProcess) -> list[str]:
    """Seven customers, one each ten seconds, the oldest first."""
    made = []
    for number in range(7):
        sandbox.control("POST", "clock", {"at": 1_900_000_000 + 10 * number})
        made.append(client.v1.customers.create({"name": f"Person {number}"}).id)
    return made


def test_the_newest_comes_first_and_pages_join(client: Client, people: list[str]) -> None:
    page = client.v1.customers.list({"limit": 3})
    assert ([one.id for one in page.data], page.has_more) == (people[:-4:-1], True)
    assert [one.id for one in page.auto_paging_iter()] == people[::-1]
    last = client.v1.customers.list({"limit": 3, "starting_after": people[2]})
    assert ([one.id for one in last.data], last.has_more) == ([people[1], people[0]], False)


def test_a_cursor_goes_backwards_too(client: Client, people: list[str]) -> None:
    page = client.v1.customers.list({"limit": 2, "ending_before": people[0]})
    assert ([one.id for one in page.data], page.has_more) == ([people[2], people[1]], True)
    assert [one.id for one in page.auto_paging_iter()] == [people[n] for n in (1, 2, 3, 4, 5, 6)]


@pytest.mark.parametrize(
    ("bounds", "places"),
    [
        ({"gte": 1_900_000_050}, [6, 5]),
        ({"gt": 1_900_000_050}, [6]),
        ({"lte": 1_900_000_010}, [1, 0]),
        ({"lt": 1_900_000_010}, [0]),
        ({"gt": 1_900_000_010, "lt": 1_900_000_030}, [2]),
        (1_900_000_020, [2]),
    ],
)
def test_lists_are_bounded_by_time(client: Client, people: list[str], bounds: Any, places: list[int]) -> None:  # noqa: ANN401 - a second or bounds
    found = client.v1.customers.list({"created": bounds}).data
    assert [one.id for one in found] == [people[place] for place in places]


def test_objects_of_one_second_keep_their_order(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "clock", {"at": 1_900_000_000})
    made = [client.v1.customers.create().id for _ in range(5)]
    page = client.v1.customers.list({"limit": 2})
    assert [one.id for one in page.auto_paging_iter()] == made[::-1]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("starting_after=cus_nothing", "starting_after"),
        ("starting_after=a&ending_before=b", "ending_before"),
        ("created[after]=5", "created[after]"),
        ("colour=red", "colour"),
    ],
)
def test_a_wrong_page_is_refused(sandbox: SandboxProcess, query: str, param: str) -> None:
    answer = sandbox.call("GET", f"/v1/customers?{query}")
    assert (answer.status, answer.body["error"]["param"]) == (400, param)


def test_four_levels_are_expanded(client: Client, sandbox: SandboxProcess, course: Course) -> None:
    asked: Any = course
    session = client.v1.checkout.sessions.create(asked)
    sandbox.control("POST", f"pay/{session.id}")
    deep = "data.payment_intent.latest_charge.balance_transaction.source"
    found = client.v1.checkout.sessions.list(
        {"expand": [deep, "data.line_items.data.price.product"]}
    ).to_dict()
    shown = found["data"][0]
    transaction = shown["payment_intent"]["latest_charge"]["balance_transaction"]
    assert transaction["source"]["object"] == "charge"
    assert shown["line_items"]["data"][0]["price"]["product"]["name"] == "Bookkeeping <for> everyone"


def test_one_path_builds_on_another(client: Client) -> None:
    charged(client)
    found = client.v1.charges.list({"expand": ["data.payment_intent", "data.payment_intent.payment_method"]})
    intent = found.data[0].payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert isinstance(intent.payment_method, stripe.PaymentMethod)


def test_a_deleted_customer_expands_to_its_stub(client: Client) -> None:
    customer = client.v1.customers.create().id
    asked: Any = {"amount": 500, "currency": "usd", "customer": customer}
    intent = client.v1.payment_intents.create(asked).id
    client.v1.customers.delete(customer)
    found = client.v1.payment_intents.retrieve(intent, {"expand": ["customer.default_source"]})
    assert found.to_dict()["customer"] == {"id": customer, "object": "customer", "deleted": True}


@pytest.mark.parametrize("path", ["colour", "latest_charge.colour", "metadata", "data.customer", "a.b.c.d.e"])
def test_what_cannot_be_expanded_is_refused_and_changes_nothing(
    client: Client, sandbox: SandboxProcess, path: str
) -> None:
    form = f"amount=500&currency=usd&payment_method=pm_card_visa&confirm=true&expand[]={path}"
    answer = sandbox.call("POST", "/v1/payment_intents", form)
    assert (answer.status, answer.body["error"]["param"]) == (400, "expand")
    assert client.v1.payment_intents.list().data == []
    assert client.v1.events.list().data == []
