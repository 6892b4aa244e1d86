"""The files of figures: the writer's own, the published versions, and the pointer to the present one."""

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import duckdb
import polars as pl
from duckdb import DuckDBPyConnection

from warehouse import contracts
from warehouse.contracts import Table

KEPT_VERSIONS = 3
_POINTER = "current"
_THREADS_OF_A_READER = 2
_CURSOR_TABLE = """
CREATE TABLE IF NOT EXISTS sync.cursor (source VARCHAR, position VARCHAR, identity VARCHAR, read_at TIMESTAMP)
"""
_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class WriterBusyError(RuntimeError):
    """Another process owns the writer file."""


class NoFiguresError(RuntimeError):
    """Nothing was published yet."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one source was read: as the source counts, of which store, and when."""

    position: str
    identity: str
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One state of the figures; `as_of` is the instant that they show. Instants are UTC without a zone."""

    number: int
    as_of: datetime
    synced_at: datetime

    @property
    def name(self) -> str:
        """As its file and the pointer say it."""
        return f"v{self.number}"


class Writer:
    """The writer file, owned by this process until closed. Raises WriterBusyError if another one owns it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _make_folder(folder)
        _make_folder(folder / "published")
        self._ownership = _own(folder / "writer.lock")
        self.connection = duckdb.connect(folder / "bursar.duckdb", config=_CLOSED)
        for setting in (
            f"SET allowed_directories = ['{_quoted(folder)}/']",
            "SET enable_external_access = false",
            "SET enable_progress_bar = false",
            "SET TimeZone = 'UTC'",
            "SET lock_configuration = true",
        ):
            self.connection.execute(setting)
        with self.transaction():
            _prepare(self.connection)

    @contextmanager
    def transaction(self) -> Iterator[DuckDBPyConnection]:
        """All of a block's changes, or none of them."""
        self.connection.execute("BEGIN TRANSACTION")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def cursor(self, source: str) -> Cursor | None:
        """How far a source was read."""
        found = self.connection.execute(
            "SELECT position, identity, read_at FROM sync.cursor WHERE source = $source", {"source": source}
        ).fetchall()
        return Cursor(*found[0]) if found else None

    def move(self, source: str, cursor: Cursor) -> None:
        """Remember how far a source was read, in the transaction that brings its rows."""
        self.forget(source)
        self.connection.execute(
            "INSERT INTO sync.cursor VALUES ($source, $position, $identity, $read_at)",
            {
                "source": source,
                "position": cursor.position,
                "identity": cursor.identity,
                "read_at": cursor.read_at,
            },
        )

    def forget(self, source: str) -> None:
        """Let a source be read from its beginning."""
        self.connection.execute("DELETE FROM sync.cursor WHERE source = $source", {"source": source})

    def version(self) -> Version | None:
        """The newest state that was committed, published or not."""
        found = self.connection.execute("SELECT number, as_of, synced_at FROM sync.version").fetchall()
        return Version(*found[0]) if found else None

    def stamp(self, *, as_of: datetime, synced_at: datetime) -> Version:
        """Give the state that the open transaction will commit a number higher than any published one."""
        last = self.version()
        number = max(last.number if last else 0, _published_number(self.folder)) + 1
        self.connection.execute("DELETE FROM sync.version")
        self.connection.execute("INSERT INTO sync.version VALUES (?, ?, ?)", [number, as_of, synced_at])
        return Version(number, as_of, synced_at)

    def close(self) -> None:
        """Give the file back."""
        self.connection.close()
        self._ownership.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def create_raw(connection: DuckDBPyConnection, table: Table) -> None:
    """Make the place for a source's rows, empty, whatever was there."""
    columns = ", ".join(f"{name} {kind.value}" for name, kind in table.columns.items())
    connection.execute(f"CREATE OR REPLACE TABLE {table.raw} (row_key VARCHAR NOT NULL, {columns})")


def write_version(writer: Writer, version: Version, relations: Sequence[str]) -> None:
    """Write a version's file whole; nobody reads it before `switch`."""
    target = _version_file(writer.folder, version.number)
    building = target.with_suffix(".building")
    for leftover in (building, building.with_suffix(".building.wal")):
        leftover.unlink(missing_ok=True)
    connection = writer.connection
    connection.execute(f"ATTACH '{_quoted(building)}' AS publication")
    try:
        for relation in relations:
            connection.execute(f"CREATE TABLE publication.main.{relation} AS FROM {relation}")
        connection.execute(
            "CREATE TABLE publication.main.meta AS SELECT ? AS version, ? AS as_of, ? AS synced_at",
            [version.number, version.as_of, version.synced_at],
        )
    finally:
        connection.execute("DETACH publication")
    _flush(building)
    building.rename(target)
    _flush(target.parent)


def switch(folder: Path, version: Version) -> None:
    """Point every reader at a version, in one step."""
    pointer = folder / "published" / _POINTER
    new = pointer.with_suffix(".new")
    new.write_text(f"v{version.number}\n", encoding="utf-8")
    _flush(new)
    new.replace(pointer)
    _flush(pointer.parent)


def prune(folder: Path) -> None:
    """Remove all but the last versions; a reader that still holds one keeps it until it lets go."""
    present = _published_number(folder)
    files = {_number(file.stem): file for file in (folder / "published").glob("v*.duckdb")}
    old = sorted(number for number in files if number <= present)[:-KEPT_VERSIONS]
    for number in old:
        files[number].unlink(missing_ok=True)


def newest(folder: Path) -> str | None:
    """The name of the present version, or None before the first one."""
    try:
        return published_version(folder)
    except NoFiguresError:
        return None


def published_version(folder: Path) -> str:
    """The name of the present version, as `v12`. Raises NoFiguresError before the first one."""
    try:
        return (folder / "published" / _POINTER).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise NoFiguresError("no figures were published yet") from None


class Figures:
    """One published version, read-only, for any number of threads; it never changes."""

    def __init__(self, folder: Path, version: str, connection: DuckDBPyConnection) -> None:
        self.folder = folder
        self.version = version
        self._connection = connection

    def frame(self, question: str, **facts: object) -> pl.DataFrame:
        """Ask in SQL with named parameters (`$name`); instants come back in UTC."""
        with self._connection.cursor() as cursor:
            found: pl.DataFrame = cursor.sql(question, params=facts).pl()
        return found.with_columns(pl.selectors.datetime(time_zone=None).dt.replace_time_zone("UTC"))


_open: dict[Path, Figures] = {}
_opening = threading.Lock()


def open_published(folder: Path) -> Figures:
    """The present version; each process opens a version once. Raises NoFiguresError before the first one."""
    folder = folder.resolve()
    version = published_version(folder)
    known = _open.get(folder)
    if known and known.version == version:
        return known
    with _opening:
        known = _open.get(folder)
        if known and known.version == version:
            return known
        try:
            opened = _open_version(folder, version)
        except duckdb.IOException:
            version = published_version(folder)  # it was replaced and removed since we asked
            opened = _open_version(folder, version)
        _open[folder] = opened
        return opened


def _open_version(folder: Path, version: str) -> Figures:
    connection = duckdb.connect(
        folder / "published" / f"{version}.duckdb",
        read_only=True,
        config={
            **_CLOSED,
            "enable_external_access": "false",
            "lock_configuration": "true",
            "threads": _THREADS_OF_A_READER,
        },
    )
    return Figures(folder, version, connection)


def _prepare(connection: DuckDBPyConnection) -> None:
    for statement in (
        "CREATE SCHEMA IF NOT EXISTS raw",
        "CREATE SCHEMA IF NOT EXISTS sync",
        _CURSOR_TABLE,
        "CREATE TABLE IF NOT EXISTS sync.version (number BIGINT, as_of TIMESTAMP, synced_at TIMESTAMP)",
        "CREATE TABLE IF NOT EXISTS sync.model (name VARCHAR, fingerprint VARCHAR)",
    ):
        connection.execute(statement)
    known = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'raw'"
    ).fetchall()
    for table in contracts.RAW:
        if (table.name,) not in known:
            create_raw(connection, table)


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _own(file: Path) -> IO[bytes]:
    held = file.open("ab")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise WriterBusyError(f"another process writes the figures in {file.parent}") from None
    return held


def _version_file(folder: Path, number: int) -> Path:
    return folder / "published" / f"v{number}.duckdb"


def _published_number(folder: Path) -> int:
    return _number(newest(folder) or "v0")


def _number(version: str) -> int:
    return int(version.removeprefix("v"))


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("'", "''")


def _flush(path: Path) -> None:
    """See that a file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
