"""A sandbox for each test file, clients of the real SDK, and a place that takes webhooks."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import stripe

from tests.sandboxed import SandboxProcess, start_sandbox

SECRET = "whsec_invented_for_tests"

Client = stripe.StripeClient


def client_of(sandbox: SandboxProcess) -> Client:
    """The real SDK, without retries of its own."""
    return stripe.StripeClient(
        sandbox.secret_key, base_addresses={"api": sandbox.base_url}, max_network_retries=0
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One process for the tests of a file."""
    stripe.enable_telemetry = False
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as process:
        yield process


@pytest.fixture
def sandbox(running: SandboxProcess) -> SandboxProcess:
    """The same, empty again."""
    running.control("POST", "/_control/reset")
    return running


@pytest.fixture
def client(sandbox: SandboxProcess) -> Client:
    """The real SDK, speaking to the sandbox."""
    return client_of(sandbox)


@dataclass
class Mailbox:
    """Where webhooks arrive; it answers `status` to each."""

    url: str = ""
    status: int = 200
    taken: list[tuple[bytes, str]] = field(default_factory=list)

    def events(self) -> list[stripe.Event]:
        """What arrived, each proven by the SDK to be signed with our secret."""
        return [stripe.Webhook.construct_event(body, sign, SECRET) for body, sign in list(self.taken)]

    def types(self) -> list[str]:
        """The types of what arrived."""
        return [event.type for event in self.events()]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A server on loopback that keeps every webhook it gets."""
    box = Mailbox()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.taken.append((body, self.headers["Stripe-Signature"]))
            self.send_response(box.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    box.url = f"http://127.0.0.1:{server.server_address[1]}/hook?from=sandbox"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield box
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def listening(sandbox: SandboxProcess, mailbox: Mailbox) -> Mailbox:
    """The mailbox, registered for every event."""
    sandbox.control("PUT", "/_control/webhook_endpoint", {"url": mailbox.url, "secret": SECRET})
    return mailbox


Course = dict[str, Any]
COURSE: Course = {
    "mode": "payment",
    "success_url": "https://shop.example.com/done?session={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://shop.example.com/cancelled",
    "line_items": [
        {
            "price_data": {
                "currency": "usd",
                "unit_amount": 10_000,
                "product_data": {"name": "Bookkeeping <for> everyone"},
            },
            "quantity": 1,
        }
    ],
}


@pytest.fixture
def course() -> Course:
    """What opens a session for one invented course at 100.00."""
    return dict(COURSE)


def charged(client: Client, amount: int = 10_000, card: str = "visa") -> stripe.PaymentIntent:
    """A paid intent with its charge and balance transaction in it."""
    asked: Any = {
        "amount": amount,
        "currency": "usd",
        "payment_method": card if card.startswith("pm_") else f"pm_card_{card}",
        "confirm": True,
        "expand": ["latest_charge.balance_transaction"],
    }
    return client.v1.payment_intents.create(asked)


def event_types(client: Client) -> list[str]:
    """What happened since the sandbox was emptied, oldest first."""
    return [str(event.type) for event in client.v1.events.list({"limit": 100}).data][::-1]
