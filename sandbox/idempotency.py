"""Idempotency keys: the first answer is kept in the transaction of the change, and replayed for a day."""

import hashlib
import json
from dataclasses import dataclass

from sandbox import errors
from sandbox.shapes import Json
from sandbox.store import Store

KEPT_SECONDS = 24 * 3_600


@dataclass(frozen=True)
class Kept:
    """An answer given before."""

    status: int
    body: str
    request: str
    created: int


def fingerprint(method: str, path: str, params: Json) -> str:
    """What must be the same for a key to be used again."""
    canonical = json.dumps([method, path, params], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def kept(store: Store, key: str, asked: str, now: int) -> Kept | None:
    """The answer kept for a key; refused when it was given to other parameters."""
    sql = "SELECT * FROM answer WHERE key = ? AND created > ?"
    found = store.rows(sql, (key, now - KEPT_SECONDS))
    if not found:
        return None
    if found[0]["fingerprint"] != asked:
        raise errors.key_reused(key)
    row = found[0]
    return Kept(row["status"], row["body"], row["request"], row["created"])


def keep(store: Store, key: str, asked: str, answer: Kept) -> None:
    """Keep an answer, inside the transaction that it answers for."""
    store.run(
        "INSERT OR REPLACE INTO answer (key, fingerprint, status, body, request, created) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (key, asked, answer.status, answer.body, answer.request, answer.created),
    )


def prune(store: Store, now: int) -> None:
    """Forget answers older than a day."""
    store.run("DELETE FROM answer WHERE created <= ?", (now - KEPT_SECONDS,))
