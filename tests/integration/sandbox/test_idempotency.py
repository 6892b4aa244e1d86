"""Idempotency keys: one change per key, whatever is repeated, raced or lost."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.integration.sandbox.conftest import Client
from tests.sandboxed import Answer, SandboxProcess

PAY = "amount=500&currency=usd&payment_method=pm_card_visa&confirm=true"


def post(sandbox: SandboxProcess, key: str, form: str = PAY, path: str = "/v1/payment_intents") -> Answer:
    return sandbox.call("POST", path, form, {"Idempotency-Key": key})


def test_the_same_request_gets_the_same_answer(client: Client, sandbox: SandboxProcess) -> None:
    first, again = post(sandbox, "k1"), post(sandbox, "k1")
    assert again.body == first.body
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"] != again.headers["Request-Id"]
    assert (first.headers["Idempotency-Key"], len(client.v1.charges.list().data)) == ("k1", 1)


def test_other_parameters_are_refused(sandbox: SandboxProcess) -> None:
    post(sandbox, "k1")
    for answer in (post(sandbox, "k1", PAY + "&description=x"), post(sandbox, "k1", "", "/v1/customers")):
        assert (answer.status, answer.body["error"]["type"]) == (400, "idempotency_error")


def test_a_decline_is_replayed_too(client: Client) -> None:
    asked: Any = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_chargeDeclined",
        "confirm": True,
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.create(asked, {"idempotency_key": "declined"})
    assert len(client.v1.charges.list().data) == 1


def test_a_request_that_never_ran_leaves_its_key_free(sandbox: SandboxProcess) -> None:
    assert post(sandbox, "k1", "amount=abc&currency=usd").status == 400
    assert post(sandbox, "k1").status == 200


def test_a_refusal_while_running_is_kept(client: Client, sandbox: SandboxProcess) -> None:
    first = post(sandbox, "k1", "payment_intent=pi_nothing", "/v1/refunds")
    again = post(sandbox, "k1", "payment_intent=pi_nothing", "/v1/refunds")
    assert (first.status, again.headers["Idempotent-Replayed"]) == (400, "true")
    assert client.v1.refunds.list().data == []


def test_a_key_in_use_is_refused(client: Client, sandbox: SandboxProcess) -> None:
    slow = {"fault": "slow", "seconds": 0.5, "method": "POST", "path": "/v1/payment_intents"}
    sandbox.control("POST", "faults", {"calls": [slow]})
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: post(sandbox, "k1"), range(2)))
    assert sorted(answer.status for answer in answers) == [200, 409]
    refused = next(answer for answer in answers if answer.status == 409)
    assert refused.body["error"]["code"] == "idempotency_key_in_use"
    assert post(sandbox, "k1").headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.charges.list().data) == 1


def test_many_at_once_pay_once(client: Client, sandbox: SandboxProcess) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: post(sandbox, f"key-{number % 4}"), range(40)))
    bodies = [answer.body["id"] for answer in answers if answer.status == 200]
    assert {answer.status for answer in answers} <= {200, 409}
    assert len(set(bodies)) == len(client.v1.charges.list().data) == 4


def test_a_lost_answer_is_found_again(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "faults", {"calls": [{"fault": "lost_answer", "path": "/v1/payment_intents"}]})
    asked: Any = {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    with pytest.raises(stripe.APIConnectionError):
        client.v1.payment_intents.create(asked, {"idempotency_key": "lost"})
    assert len(client.v1.charges.list().data) == 1
    found = client.v1.payment_intents.create(asked, {"idempotency_key": "lost"})
    assert found.status == "succeeded"
    assert len(client.v1.charges.list().data) == 1


def test_a_key_is_forgotten_after_a_day(client: Client, sandbox: SandboxProcess) -> None:
    first = post(sandbox, "k1")
    sandbox.control("POST", "clock", {"advance": 24 * 3_600 + 60})
    second = post(sandbox, "k1")
    assert second.body["id"] != first.body["id"]
    assert len(client.v1.charges.list().data) == 2


def test_reads_need_no_key_and_keep_none(sandbox: SandboxProcess) -> None:
    for path in ("/v1/customers", "/v1/charges"):
        answer = sandbox.call("GET", path, "", {"Idempotency-Key": "k1"})
        assert (answer.status, "Idempotency-Key" in answer.headers) == (200, False)


def test_a_key_has_a_length(sandbox: SandboxProcess) -> None:
    assert post(sandbox, "k" * 255).status == 200
    assert post(sandbox, "k" * 256).status == 400
