"""Drains what arrived and what is owed, and runs what is due."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import psycopg
from sqlalchemy import Connection, select, text, update

from services.kernel.errors import Refusal, Unavailable
from services.marketplace import mature, purchase
from services.payments import sweep
from services.reactions import OUTBOX, REACTOR, STRIPE, Reaction
from services.runtime import observe
from services.runtime.database import WAKE_CHANNEL, Facts
from services.runtime.events import MOST_TRIES, InboxEvent, OutboxEvent
from services.runtime.work import Work, Works, refusing_politely
from services.stripe.gateway import Gateway

AT_ONCE = 50
FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=30)
SWEEP_EVERY = timedelta(minutes=15)
SWEEP_AGAIN = timedelta(minutes=1)
SWEEP_BACK = timedelta(days=30)
LOOK_EVERY = timedelta(seconds=1)

log = observe.logger("worker")


class Unheard(dict[str, Unavailable]):
    """The news of this round that could not be taken up now, each with what was away."""


def drain(works: Works, gateway: Gateway) -> int:
    """Let everything that arrived or is owed have its effect; gives how many pieces of news were taken up.

    Raises Unavailable when Postgres or Stripe was away for some of it, after all the rest had its turn.
    """
    taken, unheard = 0, Unheard()
    with refusing_politely(), works.engine.connect() as connection:
        locks = connection.execution_options(isolation_level="AUTOCOMMIT")
        while now := sum(some(works, gateway, locks, unheard) for some in (_drain_inbox, _drain_outbox)):
            taken += now
    for error in unheard.values():
        raise error
    return taken


def run_due(works: Works) -> None:
    """Release the earnings whose window is over, and end purchases that nobody will pay any more."""
    while True:
        with works.begin(REACTOR) as work:
            if mature.release(work) + purchase.abandon_stale(work) == 0:
                return


def run(
    works: Works, gateway: Gateway, *, url: str, on_change: Callable[[], None], stop: threading.Event
) -> None:
    """Work until told to stop: woken by commits, and looking by itself every second.

    `on_change` is called after every round, for those who carry the figures on. A round that fails because
    Postgres or Stripe is away is tried again.
    """
    next_sweep = works.clock.now()
    while not stop.is_set():
        try:
            with _bell(url) as bell:
                while not stop.is_set():
                    if works.clock.now() >= next_sweep:
                        is_swept = _try("sweep", lambda: _sweep(works, gateway))
                        next_sweep = works.clock.now() + (SWEEP_EVERY if is_swept else SWEEP_AGAIN)
                    _try("drain", lambda: drain(works, gateway))
                    _try("due work", lambda: run_due(works))
                    on_change()
                    bell()
        except psycopg.OperationalError as error:
            log.warning("no database", error=type(error).__name__)
            stop.wait(LOOK_EVERY.total_seconds())


def _try(what: str, part: Callable[[], object]) -> bool:
    """Do one part of a round; what is away for one part must not stop the others."""
    try:
        part()
    except Unavailable as error:
        log.warning("part of a round failed", what=what, error=_told(error))
        return False
    return True


def _sweep(works: Works, gateway: Gateway) -> None:
    sweep.sweep(works, gateway, since=works.clock.now() - SWEEP_BACK)


@contextmanager
def _bell(url: str) -> Iterator[Callable[[], None]]:
    """Waits for the next commit that concerns the worker, for a second at the most."""
    with psycopg.connect(url, autocommit=True, application_name="bursar_bell") as connection:
        connection.execute(f"LISTEN {WAKE_CHANNEL}")

        def wait() -> None:
            for _ in connection.notifies(timeout=LOOK_EVERY.total_seconds(), stop_after=1):
                break

        yield wait


def _drain_inbox(works: Works, gateway: Gateway, locks: Connection, unheard: Unheard) -> int:
    with works.begin(REACTOR) as work:
        open_news = work.run(
            select(InboxEvent.event_id, InboxEvent.kind, InboxEvent.object_id)
            .where(InboxEvent.state.in_(("received", "failed")), InboxEvent.next_try_at <= work.now)
            .order_by(InboxEvent.next_try_at)
            .limit(AT_ONCE)
        ).all()
    by_object: dict[tuple[Reaction | None, str], list[str]] = defaultdict(list)
    for news in (each for each in open_news if each.event_id not in unheard):
        reaction = STRIPE.get(news.kind)
        by_object[reaction, news.object_id if reaction else ""].append(news.event_id)
    return sum(
        _react(works, gateway, locks, unheard, reaction=reaction, about=about, events=events)
        for (reaction, about), events in by_object.items()
    )


def _react(
    works: Works,
    gateway: Gateway,
    locks: Connection,
    unheard: Unheard,
    *,
    reaction: Reaction | None,
    about: str,
    events: Sequence[str],
) -> int:
    with _alone(locks, about or events[0]) as is_alone:
        if not is_alone:
            return 0
        try:
            effect = reaction(gateway, about) if reaction else None
            with works.begin(REACTOR) as work:
                still_open = _take(work, events)
                if effect and still_open:
                    effect(work)
                _close_inbox(work, still_open, "done" if effect else "ignored")
        except Unavailable as error:
            unheard.update(dict.fromkeys(events, error))
            return 0
        except Exception as error:  # noqa: BLE001 - one piece of news that fails must not stop the others
            _put_off(works, events, error)
    return len(events)


def _take(work: Work, events: Sequence[str]) -> list[str]:
    return list(
        work.run(
            select(InboxEvent.event_id)
            .where(InboxEvent.event_id.in_(events), InboxEvent.state.in_(("received", "failed")))
            .order_by(InboxEvent.event_id)
            .with_for_update()
        ).scalars()
    )


def _close_inbox(work: Work, events: Sequence[str], state: str) -> None:
    work.run(
        update(InboxEvent)
        .where(InboxEvent.event_id.in_(events))
        .values(state=state, settled_at=work.now, error=None)
    )


def _put_off(works: Works, events: Sequence[str], error: Exception) -> None:
    log.warning("news failed", events=list(events), error=_told(error))
    with works.begin(REACTOR) as work:
        tried = work.run(
            update(InboxEvent)
            .where(InboxEvent.event_id.in_(events), InboxEvent.state.in_(("received", "failed")))
            .values(state="failed", tries=InboxEvent.tries + 1, error=_told(error))
            .returning(InboxEvent.event_id, InboxEvent.tries)
        ).all()
        for event in tried:
            is_dead = event.tries >= MOST_TRIES
            verdict = (
                {"state": "dead", "settled_at": work.now}
                if is_dead
                else {"next_try_at": work.now + _wait_after(event.tries)}
            )
            work.run(update(InboxEvent).where(InboxEvent.event_id == event.event_id).values(verdict))


def _drain_outbox(works: Works, gateway: Gateway, locks: Connection, unheard: Unheard) -> int:
    with works.begin(REACTOR) as work:
        owed = work.run(
            select(OutboxEvent.outbox_event_id, OutboxEvent.kind, OutboxEvent.facts, OutboxEvent.tries)
            .where(OutboxEvent.state == "waiting", OutboxEvent.next_try_at <= work.now)
            .order_by(OutboxEvent.next_try_at)
            .limit(AT_ONCE)
        ).all()
    taken = 0
    for errand_id, kind, facts, tries in owed:
        if str(errand_id) in unheard:
            continue
        with _alone(locks, str(errand_id)) as is_alone:
            if is_alone:
                try:
                    _run_errand(works, gateway, errand_id=errand_id, kind=kind, facts=facts, tries=tries)
                except Unavailable as error:
                    unheard[str(errand_id)] = error
                else:
                    taken += 1
    return taken


def _run_errand(
    works: Works, gateway: Gateway, *, errand_id: UUID, kind: str, facts: Facts, tries: int
) -> None:
    try:
        if kind in OUTBOX:
            OUTBOX[kind](works, gateway, facts)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one errand that fails must not stop the others
        log.warning("errand failed", kind=kind, error=_told(error))
        state = "dead" if tries + 1 >= MOST_TRIES else "waiting"
        with works.begin(REACTOR) as work:
            later = {"state": state, "tries": tries + 1, "next_try_at": work.now + _wait_after(tries + 1)}
            work.run(
                update(OutboxEvent)
                .where(OutboxEvent.outbox_event_id == errand_id)
                .values(**later, error=_told(error))
            )
        return
    with works.begin(REACTOR) as work:
        work.run(
            update(OutboxEvent)
            .where(OutboxEvent.outbox_event_id == errand_id)
            .values(state="done", settled_at=work.now)
        )


@contextmanager
def _alone(locks: Connection, name: str) -> Iterator[bool]:
    """Hold the session-level lock on an object, so that no other worker takes up its news meanwhile."""
    key = {"name": name}
    taken = bool(locks.execute(text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), key).scalar())
    try:
        yield taken
    finally:
        if taken:
            locks.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), key)


def _wait_after(tries: int) -> timedelta:
    return min(FIRST_WAIT * float(2 ** (tries - 1)), LONGEST_WAIT)


def _told(error: Exception) -> str:
    return f"{error.code}: {error.message}" if isinstance(error, Refusal) else type(error).__name__
