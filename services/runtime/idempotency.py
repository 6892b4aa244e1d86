"""The same request, sent again, has its effect once and gets the same answer."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from services.kernel.errors import Conflict
from services.runtime.database import Base, Facts
from services.runtime.work import Work


class IdempotencyKey(Base):
    """A key that a caller sent, what it asked for, and what it was told."""

    __tablename__ = "idempotency_key"

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    answer: Mapped[Facts | None]
    created_at: Mapped[datetime]


def once(work: Work, *, key: str, request: Facts, then: Callable[[], Facts]) -> Facts:
    """Do something once per actor and key, and give every repetition the first answer.

    A twin that arrives meanwhile waits for the first to commit. Raises Conflict when the key was used
    for another request.
    """
    mark = {"scope": work.actor.reference, "key": key}
    fingerprint = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
    taken = work.run(
        insert(IdempotencyKey)
        .values(**mark, request_hash=fingerprint, created_at=work.now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    ).first()
    row = (IdempotencyKey.scope == mark["scope"]) & (IdempotencyKey.key == key)
    if taken is None:
        before = work.run(select(IdempotencyKey.request_hash, IdempotencyKey.answer).where(row)).one()
        if before.request_hash != fingerprint:
            raise Conflict(
                "idempotency_key_reused", "This key was used for another request: send a new Idempotency-Key."
            )
        return before.answer or {}
    answer = then()
    work.run(update(IdempotencyKey).where(row).values(answer=answer))
    return answer
