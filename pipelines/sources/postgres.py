"""What changed in Postgres since a cursor, as one snapshot saw it, by transaction id.

A snapshot knows which transactions it saw. What changed between two snapshots are exactly the keys in the
change log whose transaction the later one saw and the earlier one did not: nothing that commits late is
passed over, and all tables are of one instant.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import quote

import pyarrow as pa  # type: ignore[import-untyped]  # it carries no types
from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]  # it carries no types
from sqlalchemy import make_url

from services.kernel.errors import Unavailable
from services.runtime.database import SYNC_ROLE
from warehouse import contracts
from warehouse.contracts import Kind, Table

SOURCE = "bursar"

# A crash of the server may give the ids of its last, unwritten transactions again: after a restart the
# changes of so many are read once more.
READ_AGAIN = 100_000

_OPTIONS = (
    f"-c role={SYNC_ROLE} -c default_transaction_isolation=repeatable\\ read "
    "-c default_transaction_read_only=on -c timezone=UTC -c statement_timeout=60s"
)
_POSITION = """
SELECT pg_current_snapshot()::text AS snapshot, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS edge,
    pg_postmaster_start_time()::text AS started, export.cluster_identity() AS cluster
"""
_CHANGED = """
SELECT DISTINCT table_name, row_key FROM export.change
WHERE xid >= $1 AND ($2 = '' OR NOT pg_visible_in_snapshot(xid::text::xid8, nullif($2, '')::pg_snapshot))
"""
_TOTALS = """
SELECT posting.account_id, account.code, posting.unit, count(*) AS line_count,
    coalesce(sum(posting.amount_minor) FILTER (WHERE posting.amount_minor > 0), 0)::bigint AS debit_minor,
    coalesce(sum(posting.amount_minor) FILTER (WHERE posting.amount_minor < 0), 0)::bigint AS credit_minor
FROM export.posting AS posting
JOIN export.ledger_account AS account ON account.account_id = posting.account_id
WHERE account.book = 'money'
GROUP BY posting.account_id, account.code, posting.unit
"""
_POSTINGS = "SELECT row_key, account_id, unit, amount_minor FROM export.posting"

_AS_READ: Mapping[Kind, str] = {
    Kind.ID: "{0}::text",
    Kind.TEXT: "{0}::text",
    Kind.DECIMAL: "{0}::text",
    Kind.INSTANT: "{0} AT TIME ZONE 'UTC'",
}
_AS_KEY: Mapping[Kind, str] = {
    Kind.ID: "uuid",
    Kind.TEXT: "text",
    Kind.WHOLE: "bigint",
    Kind.SMALL: "smallint",
}


@dataclass(frozen=True, slots=True)
class Position:
    """What a snapshot saw, of which cluster, since which start of the server."""

    snapshot: str
    edge: int
    started: str
    cluster: str

    @property
    def identity(self) -> str:
        """Changes with the cluster, and with the shape of what is read: then everything is read anew."""
        return f"{self.cluster}/{contracts.fingerprint()}"

    def told(self) -> str:
        """As it is kept between two runs."""
        return json.dumps({"snapshot": self.snapshot, "edge": self.edge, "started": self.started})


@dataclass(frozen=True, slots=True)
class Changes:
    """The rows of one table that are new or different; a key without a row is gone."""

    table: Table
    keys: pa.Table
    rows: pa.Table


class Snapshot:
    """One instant of Postgres; every question is answered as of it."""

    def __init__(self, connection: dbapi.Connection) -> None:
        self._connection = connection
        told = self._ask(_POSITION).to_pylist()[0]
        self.position = Position(**told)

    def changed(self, since: str) -> dict[str, list[str]]:
        """The keys that changed after a kept position, by table."""
        before = json.loads(since)
        is_same_start = before["started"] == self.position.started
        floor = before["edge"] if is_same_start else max(0, before["edge"] - READ_AGAIN)
        seen = before["snapshot"] if is_same_start else ""
        found: dict[str, list[str]] = {}
        for row in self._ask(_CHANGED, (floor, seen)).to_pylist():
            found.setdefault(row["table_name"], []).append(row["row_key"])
        return found

    def rows(self, keys: Mapping[str, list[str]]) -> Iterator[Changes]:
        """The rows behind changed keys."""
        for table in contracts.EXPORTS:
            if table.name in keys:
                wanted = sorted(keys[table.name])
                rows = self._ask(_select(table, by_key=True), (",".join(wanted),))
                yield Changes(table, pa.table({"row_key": wanted}), rows)

    def whole(self) -> Iterator[tuple[Table, pa.Table]]:
        """Every row of every table."""
        for table in contracts.EXPORTS:
            yield table, self._ask(_select(table))

    def totals(self) -> pa.Table:
        """Debits and credits of every account of the money book, summed where they were written."""
        return self._ask(_TOTALS)

    def postings(self) -> pa.Table:
        """Every posting's key, account, unit and amount."""
        return self._ask(_POSTINGS)

    def _ask(self, question: str, facts: tuple[object, ...] | None = None) -> pa.Table:
        with self._connection.cursor() as cursor:
            cursor.execute(question, facts)
            return cursor.fetch_arrow_table()


class Postgres:
    """A connection in the role that reads the export views; it is opened again when it was lost."""

    def __init__(self, url: str) -> None:
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._url = f"{address}{'&' if '?' in address else '?'}options={quote(_OPTIONS)}"
        self._connection: dbapi.Connection | None = None

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One instant, held until the block ends. Raises Unavailable when Postgres does not answer."""
        try:
            connection, snapshot = self._begin()
        except dbapi.Error as error:
            self.close()
            raise Unavailable("database_unavailable", "The database does not answer.") from error
        try:
            yield snapshot
        finally:
            self._end(connection)

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(dbapi.Error):
                connection.close()

    def _begin(self) -> tuple[dbapi.Connection, Snapshot]:
        """A snapshot over the connection that stands, or over a new one if that was lost."""
        if self._connection is not None:
            try:
                return self._connection, Snapshot(self._connection)
            except dbapi.Error:
                self.close()
        self._connection = dbapi.connect(self._url)
        return self._connection, Snapshot(self._connection)

    def _end(self, connection: dbapi.Connection) -> None:
        try:
            connection.rollback()
        except dbapi.Error:
            self.close()


def _select(table: Table, *, by_key: bool = False) -> str:
    columns = ", ".join(
        f"{_AS_READ.get(kind, '{0}').format(name)} AS {name}" for name, kind in table.columns.items()
    )
    question = f"SELECT row_key, {columns} FROM export.{table.name}"  # noqa: S608 - names of the contract
    return f"{question} WHERE ({', '.join(table.key)}) IN ({_keys(table)})" if by_key else question


def _keys(table: Table) -> str:
    """The keys of the first parameter, part by part, so that the table is reached by its primary key."""
    parts = ", ".join(
        f"split_part(changed, ':', {place})::{_AS_KEY[table.columns[name]]}"
        for place, name in enumerate(table.key, start=1)
    )
    return f"SELECT {parts} FROM unnest(string_to_array($1, ',')) AS changed"  # noqa: S608 - names of the contract
