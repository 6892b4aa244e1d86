"""Webhooks that never came are healed from the processor's own list, and only once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from services.kernel import actor
from services.kernel.errors import Unavailable
from services.payments import arrival
from services.payments.sweep import Swept, sweep
from services.payments.tables import SweepCursor
from services.runtime.events import InboxEvent
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests.integration.stripe.wire import Fault, Wire, tap
from tests.sandboxed import SandboxProcess, start_sandbox

SYSTEM = actor.system("test")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox for the tests of this file."""
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def wire(sandbox: SandboxProcess) -> Iterator[Wire]:
    """What passes between the sweep and a sandbox in which nothing happened yet."""
    sandbox.control("POST", "reset")
    with tap(sandbox.base_url) as wire:
        yield wire


@pytest.fixture
def gateway(sandbox: SandboxProcess, wire: Wire) -> Gateway:
    """The gateway, as the product makes it."""
    return Gateway(sandbox.secret_key, wire.url)


@pytest.fixture
def happen(gateway: Gateway) -> Callable[[int], None]:
    """Let so many things happen of which nobody is told."""

    def happen(count: int) -> None:
        for user in (uuid4() for _ in range(count)):
            gateway.make_customer(
                user=user, email="ash@example.com", name="Ash Invented", key=f"customer:{user}"
            )

    return happen


@pytest.fixture
def held(works: Works) -> Callable[[], tuple[int, datetime | None]]:
    """How many events the inbox holds, and up to when a whole sweep has seen the list."""

    def look() -> tuple[int, datetime | None]:
        with works.begin(SYSTEM) as work:
            count = work.run(select(func.count()).select_from(InboxEvent)).scalar_one()
            return count, work.run(select(SweepCursor.swept_until)).scalar()

    return look


@pytest.fixture
def run(works: Works, gateway: Gateway) -> Callable[..., Swept]:
    """Sweep once; a first one from the beginning of the year unless told otherwise."""
    return lambda since=LONG_AGO: sweep(works, gateway, since=since)


Run = Callable[..., Swept]
Happen = Callable[[int], None]
Held = Callable[[], tuple[int, datetime | None]]


def test_what_no_webhook_brought_is_stored(run: Run, happen: Happen, held: Held) -> None:
    happen(3)
    assert run() == Swept(seen_count=3, stored_count=3, unreadable_count=0)
    assert held()[0] == 3


def test_what_a_webhook_brought_stays_as_it_is(
    run: Run, happen: Happen, works: Works, gateway: Gateway
) -> None:
    happen(3)
    brought = arrival.read(next(gateway.events(LONG_AGO)).body)
    done = update(InboxEvent).values(state="done")
    states = select(InboxEvent.event_id, InboxEvent.state)
    with works.begin(SYSTEM) as work:
        arrival.store(work, [brought])
        work.run(done)
    assert run().stored_count == 2
    with works.begin(SYSTEM) as work:
        found = {row.event_id: row.state for row in work.run(states)}
    assert found.pop(brought.event_id) == "done"
    assert list(found.values()) == ["received", "received"]


def test_a_second_sweep_finds_only_what_is_new(run: Run, happen: Happen) -> None:
    happen(3)
    run()
    assert run().stored_count == 0
    happen(2)
    assert run().stored_count == 2


def test_nothing_new_leaves_no_mark(run: Run, held: Held) -> None:
    assert run() == Swept(0, 0, 0)
    assert held() == (0, None)


def test_the_next_sweep_reaches_an_hour_back(
    run: Run, happen: Happen, held: Held, sandbox: SandboxProcess
) -> None:
    noon = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp())
    for minutes in (0, 70, 120):
        sandbox.control("POST", "clock", {"at": noon + minutes * 60})
        happen(1)
    assert run().seen_count == 3
    assert held()[1] == datetime(2026, 11, 24, 14, tzinfo=UTC)
    assert run().seen_count == 2


def test_a_sweep_begins_where_it_is_told(run: Run, happen: Happen, sandbox: SandboxProcess) -> None:
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for hours in range(3):
        sandbox.control("POST", "clock", {"at": int((at + timedelta(hours=hours)).timestamp())})
        happen(1)
    assert run(at + timedelta(hours=1)).stored_count == 2


def test_a_sweep_that_breaks_off_is_done_again_in_full(
    run: Run, happen: Happen, held: Held, wire: Wire
) -> None:
    happen(130)
    wire.faults.extend([Fault.PASSED, Fault.FAILED, Fault.FAILED, Fault.FAILED])
    with pytest.raises(Unavailable):
        run()
    assert held() == (100, None)
    assert run().stored_count == 30
    assert held()[0] == 130


def test_sweeps_at_once_store_each_event_once(run: Run, happen: Happen, held: Held) -> None:
    happen(40)
    with ThreadPoolExecutor(4) as together:
        swept = list(together.map(lambda _time: run(), range(4)))
    assert sum(result.stored_count for result in swept) == held()[0] == 40
