"""News that arrives (inbox) and news that leaves (outbox), each kept until it has had its effect."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.runtime.database import Base, Facts, Small

MOST_TRIES = 12


class InboxEvent(Base):
    """One event from Stripe, stored once by its id."""

    __tablename__ = "inbox_event"
    __table_args__ = (
        CheckConstraint("state IN ('received', 'done', 'ignored', 'failed', 'dead')", name="state"),
        Index("ix_inbox_event_open", "next_try_at", postgresql_where=text("state IN ('received', 'failed')")),
    )

    event_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    object_id: Mapped[str]
    account: Mapped[str | None]
    api_version: Mapped[str | None]
    is_live: Mapped[bool]
    body: Mapped[Facts]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="received")
    tries: Mapped[Small] = mapped_column(server_default="0")
    next_try_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    error: Mapped[str | None]


class OutboxEvent(Base):
    """One consequence that a committed transaction still owes."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'done', 'dead')", name="state"),
        Index("ix_outbox_event_open", "next_try_at", postgresql_where=text("state = 'waiting'")),
    )

    outbox_event_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    facts: Mapped[Facts]
    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="waiting")
    tries: Mapped[Small] = mapped_column(server_default="0")
    next_try_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    error: Mapped[str | None]
