"""What survives: a stop, a kill in the middle of work, and the ways not to start at all."""

import itertools
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import stripe

from tests.integration.sandbox.conftest import SECRET, Client, Mailbox, charged, client_of
from tests.sandboxed import ROOT, SandboxProcess, start_sandbox
from tests.waiting import until

PAY: Any = {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}


def test_a_stop_is_quick_and_state_remains(tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as first:
        client = client_of(first)
        intent = charged(client)
        first.control("POST", "clock", {"at": 1_900_000_000})
        before = client.v1.balance_transactions.list().to_dict()
        began = time.monotonic()
        assert first.stop() == 0
        assert time.monotonic() - began < 2
    with start_sandbox(tmp_path, secret_key=first.secret_key) as second:
        client = client_of(second)
        assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
        assert client.v1.balance_transactions.list().to_dict() == before
        assert second.control("GET", "health") == {"ok": True, "now": 1_900_000_000, "frozen": True}


def test_an_open_page_moves_with_the_process(tmp_path: Path, course: Any) -> None:  # noqa: ANN401 - as the SDK takes it
    with start_sandbox(tmp_path) as first:
        session = client_of(first).v1.checkout.sessions.create(course).id
        first.kill()
    with start_sandbox(tmp_path, secret_key=first.secret_key) as second:
        found = client_of(second).v1.checkout.sessions.retrieve(session)
        assert found.url == f"{second.base_url}/c/pay/{session}"


def test_what_was_to_be_delivered_still_is(tmp_path: Path, mailbox: Mailbox) -> None:
    with start_sandbox(tmp_path) as first:
        first.control("PUT", "/_control/webhook_endpoint", {"url": mailbox.url, "secret": SECRET})
        first.control("POST", "faults", {"hold": True})
        client_of(first).v1.customers.create()
        first.kill()
    assert mailbox.taken == []
    with start_sandbox(tmp_path, secret_key=first.secret_key) as second:
        assert second.control("GET", "deliveries")["pending"] == 1
        second.control("DELETE", "faults")
        until(lambda: mailbox.types() == ["customer.created"], "the event after the restart")


def _pay_until_it_dies(client: Client, prefix: str, tried: list[str]) -> None:
    for number in itertools.count():
        key = f"{prefix}-{number}"
        tried.append(key)
        try:
            client.v1.payment_intents.create(PAY, {"idempotency_key": key})
        except stripe.APIConnectionError:
            return


def _killed_at_work(running: SandboxProcess, prefix: str, seconds: float) -> list[str]:
    """Keys in flight when the process was killed, by three clients."""
    tried: list[str] = []
    threads = [
        threading.Thread(target=_pay_until_it_dies, args=(client_of(running), f"{prefix}-{name}", tried))
        for name in "abc"
    ]
    for thread in threads:
        thread.start()
    until(lambda: len(tried) > 5, "work under way")
    threading.Event().wait(seconds)
    running.kill()
    for thread in threads:
        thread.join()
    return tried


def test_a_kill_leaves_no_payment_without_its_key(tmp_path: Path) -> None:
    chance = random.Random(20261124)
    key, tried = "sk_test_invented_key", []
    for round_number in range(5):
        running = start_sandbox(tmp_path, secret_key=key)
        tried += _killed_at_work(running, f"round-{round_number}", chance.uniform(0.01, 0.15))
    with start_sandbox(tmp_path, secret_key=key) as last:
        client = client_of(last)
        for name in tried:
            assert client.v1.payment_intents.create(PAY, {"idempotency_key": name}).status == "succeeded"
        keys = [
            event.request.idempotency_key if event.request else None
            for event in client.v1.events.list(
                {"type": "payment_intent.succeeded", "limit": 100}
            ).auto_paging_iter()
        ]
        assert sorted(str(one) for one in keys) == sorted(tried)
        charges = list(client.v1.charges.list({"limit": 100}).auto_paging_iter())
        assert len(charges) == len(tried)
        balance = client.v1.balance.retrieve()
        assert balance.pending[0].amount == len(tried) * (500 - 45)


def _refused(data: Path, *words: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--data", str(data), *words],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr


def test_beside_a_live_key_it_does_not_start(tmp_path: Path) -> None:
    said = _refused(tmp_path, BURSAR_STRIPE_SECRET_KEY="sk_live_invented")
    assert "live key" in said
    assert "sk_live_invented" not in said


def test_a_wrong_key_or_port_is_named(tmp_path: Path, sandbox: SandboxProcess) -> None:
    assert "sk_test_" in _refused(tmp_path, BURSAR_SANDBOX_SECRET_KEY="secret")
    assert "Choose another" in _refused(tmp_path, "--port", str(sandbox.port))


def test_without_a_key_it_makes_one_of_its_own(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    words = [sys.executable, "-m", "sandbox", "--data", str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT, env=clean, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(10) == 0
    file = tmp_path / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("sk_test_")
    assert file.read_text() not in line + rest
    assert rest == ""
