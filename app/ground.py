"""What Bursar stands on in one machine: its own Postgres and sandbox, unless settings name others."""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from app import own_secrets
from app.child import Child
from app.own_secrets import OwnSecrets
from services.kernel.errors import Unavailable
from services.runtime import ports, postgres
from services.runtime.settings import Settings, StripeMode

Report = Callable[[str], None]

_MOST_DEATHS = 3
_TICK = 0.05  # seconds


class Sandbox:
    """The stand-in for Stripe on a remembered port: ours if we started it, else joined."""

    def __init__(self, folder: Path, known: OwnSecrets, report: Report) -> None:
        self._folder = folder
        self._known = known
        self._report = report
        self._child: Child | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it speaks Stripe's protocol."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Join the sandbox that answers on the remembered port, or start one; returns once it answers."""
        memory = self._folder / "sandbox.port"
        self.port = int(memory.read_text()) if memory.exists() else 0
        if self.port and self.is_healthy():
            return
        self.port = next(ports.free(memory))
        memory.write_text(str(self.port))
        words = ["sandbox", "--port", str(self.port), "--data", str(self._folder / "sandbox")]
        self._child = Child("sandbox", words, self._folder, self._report)
        self._child.start({"BURSAR_SANDBOX_SECRET_KEY": self._known.stripe_secret_key})
        until_healthy(self._child, self.is_healthy, self._report)

    def heal(self) -> bool:
        """Start it again if it is gone; true if it was."""
        if self._child.is_running if self._child else self.is_healthy():
            return False
        self._report("The sandbox is gone: starting it again")
        self.start()
        return True

    def end(self) -> None:
        """End the process if it is ours."""
        if self._child:
            self._child.end()
            self._child = None

    def kill(self) -> None:
        """End the process at once if it is ours."""
        if self._child:
            self._child.kill()

    def is_healthy(self) -> bool:
        """Whether a sandbox with our key answers."""
        try:
            return self._call("GET", "/_control/health") == http.client.OK
        except (OSError, http.client.HTTPException):
            return False

    def send_webhooks_to(self, url: str) -> None:
        """Register Bursar's own endpoint for news of the platform and of connected accounts."""
        for path, secret, connect in (
            ("/api/v1/stripe/webhook", self._known.stripe_webhook_secret, False),
            ("/api/v1/stripe/connect/webhook", self._known.stripe_connect_webhook_secret, True),
        ):
            endpoint = {"url": f"{url}{path}", "secret": secret, "connect": connect}
            status = self._call("PUT", "/_control/webhook_endpoint", endpoint)
            if status >= http.client.BAD_REQUEST:
                raise Unavailable("sandbox", f"The sandbox refuses our webhook endpoint (status {status}).")

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        headers = {
            "Authorization": f"Bearer {self._known.stripe_secret_key}",
            "Content-Type": "application/json",
        }
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


@dataclass
class Ground:
    """The servers below the roles, and the settings that lead to them."""

    settings: Settings
    report: Report
    database: postgres.Running | None = None
    sandbox: Sandbox | None = None

    def open(self, *, sandbox: bool = True) -> None:
        """Start or join what the settings do not name; the sandbox only if it is of use."""
        folder = self.settings.data_folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        if self.settings.database_url is None:
            self.report("Starting the database")
            self.database = postgres.start(folder / "postgres", report=self.report)
        if sandbox and self.settings.stripe_mode() is StripeMode.SANDBOX:
            self.report("Starting the sandbox for payments")
            self.sandbox = Sandbox(folder, own_secrets.keep(folder), self.report)
            self.sandbox.start()

    def heal(self) -> bool:
        """Start again what died; true if its address changed, so that those who use it must know."""
        before = self._addresses()
        if self.database is not None and not self.database.is_alive:
            self.report("The database is gone: starting it again")
            self.database.stop()
            self.database = postgres.start(self.settings.data_folder / "postgres", report=self.report)
        if self.sandbox is not None:
            self.sandbox.heal()
        return self._addresses() != before

    def close(self) -> None:
        """End what was started here, the database last."""
        if self.sandbox is not None:
            self.sandbox.end()
        if self.database is not None:
            self.database.stop()

    def _addresses(self) -> tuple[str | None, str | None]:
        return (
            self.database.url if self.database is not None else None,
            self.sandbox.url if self.sandbox is not None else None,
        )

    def environment(self) -> dict[str, str]:
        """The variables that lead another process of ours to the same servers."""
        led = self.settled().model_dump(include=_LEADING, exclude_none=True)
        return {
            f"BURSAR_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in led.items()
        }

    def settled(self) -> Settings:
        """The settings with every address filled in."""
        found: dict[str, object] = {"data_folder": self.settings.data_folder.resolve()}
        if self.database is not None:
            found["database_url"] = SecretStr(self.database.url)
        if self.sandbox is not None:
            known = own_secrets.keep(self.settings.data_folder)
            found["stripe_base_url"] = self.sandbox.url
            found |= {name: SecretStr(getattr(known, name)) for name in known.__slots__}
        return self.settings.model_copy(update=found)


_LEADING = {
    "database_url",
    "data_folder",
    "host",
    "port",
    "stripe_secret_key",
    "stripe_webhook_secret",
    "stripe_connect_webhook_secret",
    "stripe_base_url",
}


@contextmanager
def standing(settings: Settings, *, report: Report, sandbox: bool = True) -> Iterator[Settings]:
    """Settings with every address filled in, for one command: those of a running Bursar, or started."""
    ground = Ground(settings, report)
    try:
        ground.open(sandbox=sandbox)
        yield ground.settled()
    finally:
        ground.close()


def until_healthy(child: Child, is_healthy: Callable[[], bool], report: Report) -> None:
    """Wait without limit for a process to answer, saying so every second.

    Raises Unavailable with its last words when it keeps dying instead.
    """
    begun = told = time.monotonic()
    while not is_healthy():
        child.tend()
        if child.deaths > _MOST_DEATHS:
            raise Unavailable(
                "not_starting",
                f"The {child.name} does not start. Its log, {child.log}, ends with:\n{child.last_words()}",
            )
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            report(f"Waiting for the {child.name} ({told - begun:.0f} s)")
        time.sleep(_TICK)
