"""One transaction with its instant and its actor: the only place that commits."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVarTuple, overload

from sqlalchemy import Connection, CursorResult, Engine, Executable, insert, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.sql.selectable import TypedReturnsRows

from services.kernel import ids
from services.kernel.actor import Actor
from services.kernel.errors import Unavailable
from services.kernel.time import Clock
from services.runtime.audit import AuditLog
from services.runtime.database import WAKE_CHANNEL
from services.runtime.events import OutboxEvent

Columns = TypeVarTuple("Columns")
Parameters = Mapping[str, object] | Sequence[Mapping[str, object]] | None


class Work:
    """Everything that one verb writes, all of it or nothing."""

    def __init__(self, connection: Connection, actor: Actor, now: datetime) -> None:
        self._connection = connection
        self.actor = actor
        self.now = now
        self.wakes = False

    @overload
    def run(
        self, statement: TypedReturnsRows[*Columns], parameters: Parameters = None
    ) -> CursorResult[*Columns]: ...
    @overload
    def run(self, statement: Executable, parameters: Parameters = None) -> CursorResult[*tuple[Any, ...]]: ...
    def run(self, statement: Executable, parameters: Parameters = None) -> CursorResult[*tuple[Any, ...]]:
        """Run one statement inside this transaction."""
        return self._connection.execute(statement, parameters)

    def audit(self, action: str, kind: str, object_id: object, **facts: object) -> None:
        """Record who did what to what, in the same transaction as the change itself."""
        self.run(
            insert(AuditLog).values(
                at=self.now,
                actor=self.actor.reference,
                action=action,
                object_kind=kind,
                object_id=str(object_id),
                facts=facts,
            )
        )

    def announce(self, kind: str, **facts: object) -> None:
        """Leave news in the outbox for the worker to react to once this transaction stands."""
        self.run(
            insert(OutboxEvent).values(
                outbox_event_id=ids.fresh(self.now),
                kind=kind,
                facts=facts,
                created_at=self.now,
                next_try_at=self.now,
            )
        )
        self.wake()

    def wake(self) -> None:
        """Wake the worker when this transaction commits."""
        self.wakes = True


class Works:
    """Makes transactions on one database with one clock."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock

    @contextmanager
    def begin(self, actor: Actor) -> Iterator[Work]:
        """Open a transaction: committed at the end of the block, rolled back by any error in it.

        Raises Unavailable when Postgres cannot be reached.
        """
        with refusing_politely(), self.engine.connect() as connection:
            work = Work(connection, actor, self.clock.now())
            yield work
            if work.wakes:
                connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": WAKE_CHANNEL})
            connection.commit()


@contextmanager
def refusing_politely() -> Iterator[None]:
    """Raise Unavailable for whatever Postgres does not do because it is away or too busy."""
    try:
        yield
    except (OperationalError, PoolTimeoutError) as error:
        raise Unavailable(
            "database_unavailable", "The database does not answer. Please try again shortly."
        ) from error
