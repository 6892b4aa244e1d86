"""The Stripe sandbox as a process of its own, for any test that needs one."""

import http.client
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Answer:
    """What the sandbox answered to a bare request."""

    status: int
    headers: http.client.HTTPMessage
    body: dict[str, Any]


@dataclass
class SandboxProcess:
    """A running sandbox; leaving its `with` block stops it."""

    base_url: str
    secret_key: str
    data: Path
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self.base_url.rpartition(":")[2])

    def control(self, method: str, path: str, given: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Ask the control API, e.g. `control("POST", "/_control/reset")`; a refusal fails the test."""
        status, answer = self.ask(method, path, given)
        assert status == http.client.OK, f"{method} {path} answered {status}: {answer}"
        return answer

    def ask(
        self, method: str, path: str, given: Mapping[str, object] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Ask the control API for an answer that may be a refusal."""
        address = path if path.startswith("/") else f"/_control/{path}"
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=20)
        try:
            body = None if given is None else json.dumps(given)
            connection.request(method, address, body, {"Authorization": f"Bearer {self.secret_key}"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def get(self, path: str, asked: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read from the API itself, e.g. `get("/v1/charges", {"payment_intent": intent})`."""
        query = f"?{urlencode(asked)}" if asked else ""
        return self.control("GET", path + query)

    def call(
        self, method: str, path: str, form: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send the API a form exactly as written, for what the SDK would not send."""
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=20)
        given = {"Authorization": f"Bearer {self.secret_key}", **(headers or {})}
        try:
            connection.request(method, path, form or None, given)
            response = connection.getresponse()
            return Answer(response.status, response.headers, json.loads(response.read()))
        finally:
            connection.close()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self._ended()

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        code = self.process.wait(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()


def start_sandbox(data: Path, *, secret_key: str | None = None, port: int | None = None) -> SandboxProcess:
    """Start a sandbox on a data folder, old or new, and wait until it listens."""
    key = secret_key or f"sk_test_{secrets.token_hex(12)}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", str(port or 0), "--data", str(data)],
        cwd=ROOT,
        env=environment | {"BURSAR_SANDBOX_SECRET_KEY": key},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the sandbox ended instead of starting"
    return SandboxProcess(json.loads(line)["url"], key, data, process)
