"""The sandbox's state: one SQLite file, every call one transaction.

Objects are kept as Stripe shows them (`body`) beside what Stripe keeps to itself (`private`). WAL without
a flush per commit survives kill -9 of the process, which is what the sandbox promises.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.shapes import Json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL,
    body TEXT NOT NULL, private TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS object_newest ON object (kind, created, seq);
CREATE INDEX IF NOT EXISTS object_customer ON object (kind, json_extract(body, '$.customer'), created, seq);
CREATE INDEX IF NOT EXISTS object_intent
    ON object (kind, json_extract(body, '$.payment_intent'), created, seq);
CREATE INDEX IF NOT EXISTS object_charge ON object (kind, json_extract(body, '$.charge'), created, seq);
CREATE INDEX IF NOT EXISTS object_source ON object (kind, json_extract(body, '$.source'), created, seq);
CREATE INDEX IF NOT EXISTS object_type ON object (kind, json_extract(body, '$.type'), created, seq);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, endpoint TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, first_at REAL NOT NULL,
    last_status INTEGER, last_error TEXT);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, next_at);
CREATE INDEX IF NOT EXISTS delivery_event ON delivery (event);
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    request TEXT NOT NULL, created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS answer_age ON answer (created);
CREATE TABLE IF NOT EXISTS timer (
    id INTEGER PRIMARY KEY, due INTEGER NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS timer_due ON timer (due, id);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_TABLES = ("object", "delivery", "answer", "timer", "setting")


class Store:
    """Objects, deliveries, answers, timers and settings of one sandbox."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; its WAL is folded in."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: commits at the end, rolls back on any error."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; returns the number of rows it changed."""
        return self._db.execute(sql, values).rowcount

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values."""
        self._db.executemany(sql, values)

    def wipe(self) -> None:
        """Forget everything."""
        for table in _TABLES:
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the tuple above

    def insert(self, body: Json, *, private: Json | None = None) -> Json:
        """Keep a new object; its kind is its `object` field."""
        self._db.execute(
            "INSERT INTO object (id, kind, created, body, private) VALUES (?, ?, ?, ?, ?)",
            (body["id"], body["object"], body["created"], json.dumps(body), json.dumps(private or {})),
        )
        return body

    def find(self, kind: str, identifier: str) -> Json | None:
        """The object of that kind and id."""
        found = self.rows("SELECT body FROM object WHERE id = ? AND kind = ?", (identifier, kind))
        return json.loads(found[0]["body"]) if found else None

    def find_any(self, identifier: str) -> Json | None:
        """The object of that id, of whatever kind."""
        found = self.rows("SELECT body FROM object WHERE id = ?", (identifier,))
        return json.loads(found[0]["body"]) if found else None

    def replace(self, body: Json) -> None:
        """Write an object's new state."""
        self.run("UPDATE object SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))

    def remove(self, identifier: str) -> None:
        """Forget an object."""
        self.run("DELETE FROM object WHERE id = ?", (identifier,))

    def private(self, identifier: str) -> Json:
        """What is kept of an object beside what Stripe shows."""
        found = self.rows("SELECT private FROM object WHERE id = ?", (identifier,))
        return json.loads(found[0]["private"]) if found else {}

    def keep_private(self, identifier: str, **facts: Any) -> None:  # noqa: ANN401 - JSON values
        """Add facts to what is kept beside an object."""
        known = self.private(identifier) | facts
        self.run("UPDATE object SET private = ? WHERE id = ?", (json.dumps(known), identifier))

    def objects(self, kind: str, where: str = "1", values: Sequence[Any] = ()) -> list[Json]:
        """Objects of one kind, oldest first; `where` is a constant condition of the caller's code."""
        sql = f"SELECT body FROM object WHERE kind = ? AND {where} ORDER BY created, seq"  # noqa: S608 - conditions are constants of the code
        return self.bodies(sql, (kind, *values))

    def bodies(self, sql: str, values: Sequence[Any] = ()) -> list[Json]:
        """The objects of a query whose one column is `body`."""
        return [json.loads(row["body"]) for row in self.rows(sql, values)]

    def set_timer(self, due: int, action: str, subject: str) -> None:
        """Have an action done to an object when the clock reaches that second."""
        self.run("INSERT INTO timer (due, action, subject) VALUES (?, ?, ?)", (due, action, subject))

    def setting(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - JSON values
        """A remembered value of the sandbox itself."""
        found = self.rows("SELECT value FROM setting WHERE name = ?", (name,))
        return json.loads(found[0]["value"]) if found else default

    def remember(self, name: str, value: Any) -> None:  # noqa: ANN401 - JSON values
        """Keep a value of the sandbox itself."""
        self.run("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, json.dumps(value)))
