"""Healing of missed webhooks: the processor's own list of events, compared with the inbox."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from services.kernel import actor
from services.kernel.errors import Invalid
from services.payments import arrival
from services.payments.arrival import Arrival
from services.payments.tables import SweepCursor
from services.runtime.work import Work, Works
from services.stripe.facts import StripeEvent
from services.stripe.gateway import Gateway

_SWEEPER = actor.system("sweep")
_PLATFORM = "platform"
_OVERLAP = timedelta(hours=1)  # events may be listed late, and those of one second in any order
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep saw, and how many of these events no webhook had brought."""

    seen_count: int
    stored_count: int
    unreadable_count: int


def sweep(works: Works, gateway: Gateway, *, since: datetime) -> Swept:
    """Store every event that the inbox lacks, from an hour before the last whole sweep, or from `since`.

    The cursor follows the processor's clock, and moves only when the list was read to its end: a sweep
    that fails half way keeps what it stored and is repeated. No transaction is open while the processor
    answers.
    """
    with works.begin(_SWEEPER) as work:
        begin = _swept_until(work)
    seen = stored = unreadable = 0
    newest: datetime | None = None
    for batch in _batches(gateway.events(begin - _OVERLAP if begin else since)):
        arrivals = [read for event in batch if (read := _readable(event))]
        with works.begin(_SWEEPER) as work:
            stored += arrival.store(work, arrivals)
        seen += len(batch)
        unreadable += len(batch) - len(arrivals)
        newest = max([event.created_at for event in batch] + ([newest] if newest else []))
    if newest:
        with works.begin(_SWEEPER) as work:
            _remember(work, newest)
    return Swept(seen, stored, unreadable)


def _batches(events: Iterator[StripeEvent]) -> Iterator[list[StripeEvent]]:
    while batch := list(islice(events, _BATCH)):
        yield batch


def _readable(event: StripeEvent) -> Arrival | None:
    try:
        return arrival.read(event.body)
    except Invalid:
        return None


def _swept_until(work: Work) -> datetime | None:
    return work.run(select(SweepCursor.swept_until).where(SweepCursor.account == _PLATFORM)).scalar()


def _remember(work: Work, until: datetime) -> None:
    """Move the cursor on; never back, should two sweeps overlap."""
    wanted = insert(SweepCursor).values(account=_PLATFORM, swept_until=until)
    latest = func.greatest(SweepCursor.swept_until, wanted.excluded.swept_until)
    work.run(wanted.on_conflict_do_update(index_elements=["account"], set_={"swept_until": latest}))
