"""The demo business: made once, made whole, and its books agree to the cent."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from app.demo import business
from app.demo.processor import SandboxControl
from services.identity import people, signin
from services.identity.demo_people import DEMO_PASSWORD, DEMO_PEOPLE
from services.kernel.actor import Role, system
from services.kernel.time import SetClock
from services.runtime import database
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests import books
from tests.sandboxed import SandboxProcess, start_sandbox
from tests.serving import ROOT, database_from
from tests.waiting import until

PRESENT = datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
DAYS = 24
HELD = """SELECT sum(amount_minor) FROM posting JOIN ledger_account USING (account_id)
    WHERE code = 'stripe_pending'"""
FEW = "SELECT count(*) FROM audit_log WHERE action = 'demo.act'"


class BrokenOff(BaseException):
    """The process ends here."""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    with start_sandbox(tmp_path / "sandbox") as running:
        yield running


def make(works: Works, sandbox: SandboxProcess) -> bool:
    return business.make(
        works,
        Gateway(sandbox.secret_key, sandbox.base_url),
        SandboxControl(sandbox.base_url, sandbox.secret_key),
        address="http://localhost",
        report=lambda _line: None,
        days=DAYS,
    )


def one(engine: Engine, asked: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(asked)).scalar() or 0)


def counted(engine: Engine, asked: str) -> dict[str, int]:
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text(asked))}


def story_of(engine: Engine) -> list[tuple[object, ...]]:
    """Everything that moved money, without the names that chance gave it."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                """SELECT journal.kind, date(journal.occurred_at), ledger_account.code, user_account.email,
                          posting.amount_minor
                   FROM posting JOIN journal USING (journal_id) JOIN ledger_account USING (account_id)
                   LEFT JOIN user_account ON user_account.user_id = ledger_account.owner_id
                   ORDER BY 2, 1, 3, 4, 5"""
            )
        )
        return [tuple(row) for row in rows]


def at_the_sandbox(sandbox: SandboxProcess) -> int:
    balance = sandbox.get("/v1/balance")
    return sum(part["amount"] for part in (*balance["available"], *balance["pending"]))


def assert_agreement(engine: Engine, sandbox: SandboxProcess) -> None:
    assert books.faults(engine) == []
    assert one(engine, HELD) == at_the_sandbox(sandbox) > 0
    assert one(engine, "SELECT count(*) FROM inbox_event WHERE state NOT IN ('done', 'ignored')") == 0
    assert one(engine, "SELECT count(*) FROM outbox_event WHERE state <> 'done'") == 0
    assert one(engine, "SELECT count(*) FROM purchase WHERE state IN ('pending', 'review')") == 0
    assert sandbox.control("GET", "/_control/health")["frozen"] is False


@contextmanager
def breaking_off(engine: Engine, *, after: int) -> Iterator[None]:
    """Break off before a statement, once that many were run; what is open then is rolled back."""
    left = [after]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise BrokenOff

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)


def test_the_command_killed_half_way_goes_on_and_leaves_books_that_agree(
    database: str, engine: Engine, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    world = {
        "BURSAR_DATABASE_URL": database,
        "BURSAR_DATA_FOLDER": str(tmp_path / "bursar"),
        "BURSAR_STRIPE_SECRET_KEY": sandbox.secret_key,
        "BURSAR_STRIPE_WEBHOOK_SECRET": "whsec_test",
        "BURSAR_STRIPE_BASE_URL": sandbox.base_url,
    }
    words = [sys.executable, "-m", "app.cli", "demo"]
    first = subprocess.Popen(words, cwd=ROOT, env=os.environ | world, stdout=subprocess.DEVNULL)
    until(lambda: one(engine, FEW) > 40, "the demo business to be under way", seconds=60)
    first.send_signal(signal.SIGKILL)
    first.wait()
    told = subprocess.run(words, cwd=ROOT, env=os.environ | world, capture_output=True, text=True, check=True)
    assert "Going on with the demo business" in told.stdout
    assert_agreement(engine, sandbox)
    states = counted(engine, "SELECT state, count(*) FROM purchase GROUP BY 1")
    assert 90 <= states["settled"] <= 140
    assert 5 <= states["refunded"] <= 12
    assert 5 <= states["abandoned"] <= 14
    lines = counted(engine, "SELECT state, count(*) FROM purchase_line GROUP BY 1")
    assert lines["matured"] > lines["held"] > 0
    recent = """SELECT to_char(occurred_at, 'YYYY-MM'), count(*) FROM journal JOIN posting USING (journal_id)
        JOIN ledger_account USING (account_id) JOIN user_account ON user_account.user_id = owner_id
        WHERE kind = 'sale' AND email = 'instructor@example.com' GROUP BY 1"""
    this_month = datetime.now(UTC).replace(day=1)
    assert {f"{this_month:%Y-%m}", f"{this_month - timedelta(days=1):%Y-%m}"} <= counted(
        engine, recent
    ).keys()
    again = subprocess.run(
        words, cwd=ROOT, env=os.environ | world, capture_output=True, text=True, check=True
    )
    assert "Making" not in again.stdout
    assert counted(engine, "SELECT state, count(*) FROM purchase GROUP BY 1") == states


def test_broken_off_before_any_statement_it_ends_as_if_it_had_not_been(
    engine: Engine, sandbox: SandboxProcess, postgres_server: str
) -> None:
    chance = random.Random(5)
    clock = SetClock(PRESENT)
    works = Works(engine, clock)
    breaks = 0
    is_made = False
    while not is_made:
        try:
            with breaking_off(engine, after=chance.randint(10, 160)):
                is_made = make(works, sandbox)
        except BrokenOff:
            breaks += 1
            clock.advance(timedelta(minutes=7))
    assert breaks > 20
    assert_agreement(engine, sandbox)
    broken = story_of(engine)
    sandbox.control("POST", "/_control/reset")
    with database_from(postgres_server) as other:
        whole = database.connect(other)
        make(Works(whole, SetClock(PRESENT + timedelta(hours=9))), sandbox)
        assert_agreement(whole, sandbox)
        assert [row[2:] for row in story_of(whole)] == [row[2:] for row in broken]
        whole.dispose()


def test_a_database_that_is_in_use_gets_no_demo_business(
    works: Works, engine: Engine, sandbox: SandboxProcess
) -> None:
    with works.begin(system("test")) as work:
        people.register(
            work, email="ada@example.com", name="Ada Test", password="an invented one", roles=[Role.FOUNDER]
        )
    assert make(works, sandbox) is False
    assert one(engine, "SELECT count(*) FROM user_account") == 1


def test_everybody_on_the_sign_in_page_can_sign_in(engine: Engine, sandbox: SandboxProcess) -> None:
    works = Works(engine, SetClock(PRESENT))
    assert make(works, sandbox) is True
    for person in DEMO_PEOPLE:
        token = signin.sign_in(works, email=person.email, password=DEMO_PASSWORD, address="127.0.0.1")
        with works.begin(system("test")) as work:
            session = signin.session_of(work, token)
        assert session is not None
        assert session.actor.name == person.name
        assert session.actor.roles == frozenset({person.role})
    sold = "SELECT count(*) FROM purchase WHERE settled_at >= '2026-11-01'"
    assert one(engine, sold) == 2, "the month is half an hour old"
