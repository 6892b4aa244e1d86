"""What the demo business asks of the sandbox beyond Stripe's own protocol: time, and buyers who pay."""

import http.client
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from services.kernel.errors import Unavailable

_SECONDS = 20


class SandboxControl:
    """The sandbox's control API."""

    def __init__(self, url: str, secret_key: str) -> None:
        self._place = urlsplit(url).netloc
        self._headers = {"Authorization": f"Bearer {secret_key}"}

    def reset(self) -> None:
        """Let the sandbox forget everything."""
        self._ask("POST", "reset", {})

    def stopped_at(self) -> datetime | None:
        """The instant at which the sandbox's clock stands, if it was stopped."""
        told = self._ask("GET", "health")
        return datetime.fromtimestamp(told["now"], UTC) if told["frozen"] else None

    def set_clock(self, at: datetime | None) -> None:
        """Stop the sandbox's clock at an instant, or let it run with the real time again."""
        self._ask("POST", "clock", {"at": None if at is None else int(at.timestamp())})

    def pay(self, session_id: str, card: str) -> bool:
        """Press Pay in a Checkout Session with a test card; false when the bank declines it."""
        status, _ = self._answer("POST", f"pay/{session_id}", {"payment_method": card})
        if status not in {http.client.OK, http.client.PAYMENT_REQUIRED}:
            raise _unexpected(status)
        return status == http.client.OK

    def _ask(self, method: str, path: str, given: Mapping[str, object] | None = None) -> dict[str, Any]:
        status, answer = self._answer(method, path, given)
        if status != http.client.OK:
            raise _unexpected(status)
        return answer

    def _answer(
        self, method: str, path: str, given: Mapping[str, object] | None
    ) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self._place, timeout=_SECONDS)
        body = json.dumps(given) if given is not None else None
        try:
            connection.request(method, f"/_control/{path}", body, self._headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable("sandbox", "The sandbox does not answer: start Bursar again.") from error
        finally:
            connection.close()


def _unexpected(status: int) -> Unavailable:
    return Unavailable("sandbox", f"The sandbox refuses to make a demo business (status {status}).")
