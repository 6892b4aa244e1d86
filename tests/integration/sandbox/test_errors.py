"""Refusals in Stripe's shapes, and who may ask at all."""

import base64

import pytest
import stripe

from sandbox.version import API_VERSION
from tests.integration.sandbox.conftest import Client
from tests.sandboxed import SandboxProcess


def test_without_the_key_nothing_is_told(sandbox: SandboxProcess) -> None:
    for given in ("", "Bearer ", "Bearer sk_test_wrong", "Basic %%%", "Digest x"):
        answer = sandbox.call("GET", "/v1/balance", "", {"Authorization": given})
        assert (answer.status, answer.body["error"]["type"]) == (401, "invalid_request_error")
        assert "wrong" not in answer.body["error"]["message"].replace("rong", "", 1)
        control = sandbox.call("POST", "/_control/reset", "", {"Authorization": given})
        assert control.status == 401


def test_the_sdk_knows_a_wrong_key(sandbox: SandboxProcess) -> None:
    client = stripe.StripeClient("sk_test_wrong", base_addresses={"api": sandbox.base_url})
    with pytest.raises(stripe.AuthenticationError, match=r"Invalid API Key provided: sk_test_\*+rong"):
        client.v1.balance.retrieve()


def test_the_key_is_taken_by_basic_authentication_too(sandbox: SandboxProcess) -> None:
    given = base64.b64encode(f"{sandbox.secret_key}:".encode()).decode()
    assert sandbox.call("GET", "/v1/balance", "", {"Authorization": f"Basic {given}"}).status == 200


def test_an_error_says_what_and_where(sandbox: SandboxProcess) -> None:
    answer = sandbox.call("GET", "/v1/customers/cus_nobody")
    error = answer.body["error"]
    request = answer.headers["Request-Id"]
    assert answer.status == 404
    assert error == {
        "code": "resource_missing",
        "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
        "message": "No such customer: 'cus_nobody'",
        "param": "id",
        "request_log_url": f"https://dashboard.stripe.com/test/logs/{request}",
        "type": "invalid_request_error",
    }
    assert answer.headers["Stripe-Version"] == API_VERSION


@pytest.mark.parametrize(
    "path",
    [
        "/v1/customers/x",
        "/v1/payment_methods/x",
        "/v1/payment_intents/x",
        "/v1/charges/x",
        "/v1/refunds/x",
        "/v1/balance_transactions/x",
        "/v1/checkout/sessions/x",
        "/v1/checkout/sessions/x/line_items",
        "/v1/events/x",
        "/v1/webhook_endpoints/x",
        "/v1/prices/x",
        "/v1/products/x",
        "/v1/charges/x/refunds",
    ],
)
def test_what_is_not_there_is_missing(sandbox: SandboxProcess, path: str) -> None:
    answer = sandbox.call("GET", path)
    assert (answer.status, answer.body["error"]["code"]) == (404, "resource_missing")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("DELETE", "/v1/charges/x"), ("PUT", "/v1/customers"), ("GET", "/v1/")],
)
def test_what_is_no_operation_is_not_recognised(sandbox: SandboxProcess, method: str, path: str) -> None:
    answer = sandbox.call(method, path)
    assert answer.status == 404
    assert answer.body["error"]["message"].startswith(f"Unrecognized request URL ({method}: {path})")


@pytest.mark.parametrize("form", ["name[=x", "%ff=1", "metadata=x", "name[a]=x", "name=x&name[a]=y"])
def test_a_broken_form_is_refused(sandbox: SandboxProcess, form: str) -> None:
    answer = sandbox.call("POST", "/v1/customers", form)
    assert (answer.status, answer.body["error"]["type"]) == (400, "invalid_request_error")


def test_another_version_is_refused(sandbox: SandboxProcess) -> None:
    answer = sandbox.call("GET", "/v1/balance", "", {"Stripe-Version": "2020-08-27"})
    assert answer.status == 400
    assert API_VERSION in answer.body["error"]["message"]


def test_another_account_is_refused(client: Client) -> None:
    with pytest.raises(stripe.PermissionError):
        client.v1.balance.retrieve(options={"stripe_account": "acct_stranger"})


def test_the_account_is_told(client: Client) -> None:
    own = client.v1.accounts.retrieve_current()
    assert own.id.startswith("acct_")
    assert client.v1.accounts.retrieve(own.id).to_dict() == own.to_dict()
    with pytest.raises(stripe.PermissionError):
        client.v1.accounts.retrieve("acct_stranger")
