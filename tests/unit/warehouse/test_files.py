"""One writer, versions that never change, a pointer that is switched in one step."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from warehouse import files
from warehouse.files import Cursor, NoFiguresError, Version, Writer, WriterBusyError

NOON = datetime(2026, 11, 24, 12, 0)  # noqa: DTZ001 - instants are kept in UTC without a zone


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    """The writer of an empty folder."""
    with Writer(tmp_path) as writer:
        yield writer


def commit(writer: Writer, value: int) -> Version:
    """A state in which the only figure has a value."""
    with writer.transaction() as connection:
        connection.execute(
            f"CREATE OR REPLACE TABLE mart_one AS SELECT {value} AS value, TIMESTAMP '2026-11-24' AS seen_at"
        )
        return writer.stamp(as_of=NOON, synced_at=NOON)


def publish(writer: Writer, value: int) -> Version:
    """Commit and publish such a state."""
    version = commit(writer, value)
    files.write_version(writer, version, ["mart_one"])
    files.switch(writer.folder, version)
    files.prune(writer.folder)
    return version


def value(folder: Path) -> int:
    """The figure that readers see."""
    return int(files.open_published(folder).frame("SELECT value FROM mart_one").item())


def test_the_writer_file_has_one_owner(writer: Writer) -> None:
    with pytest.raises(WriterBusyError, match="another process"):
        Writer(writer.folder)
    writer.close()
    Writer(writer.folder).close()


def test_an_error_takes_everything_back(writer: Writer) -> None:
    commit(writer, 1)

    def fail() -> None:
        with writer.transaction() as connection:
            connection.execute("UPDATE mart_one SET value = 2")
            writer.move("bursar", Cursor("9", "here", NOON))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert writer.connection.execute("SELECT value FROM mart_one").fetchall() == [(1,)]
    assert writer.cursor("bursar") is None


def test_a_cursor_is_kept(writer: Writer) -> None:
    for position in ("1", "2"):
        writer.move("bursar", Cursor(position, "here", NOON))
    folder = writer.folder
    writer.close()
    with Writer(folder) as again:
        assert again.cursor("bursar") == Cursor("2", "here", NOON)
        assert again.cursor("stripe") is None


def test_before_the_first_version_there_are_no_figures(writer: Writer) -> None:
    assert files.newest(writer.folder) is None
    with pytest.raises(NoFiguresError):
        files.open_published(writer.folder)


def test_readers_see_the_version_that_the_pointer_names(writer: Writer) -> None:
    publish(writer, 1)
    old = files.open_published(writer.folder)
    assert (old.version, value(writer.folder)) == ("v1", 1)
    files.write_version(writer, commit(writer, 2), ["mart_one"])
    assert value(writer.folder) == 1, "a version that is written is not yet the present one"
    publish(writer, 3)
    assert value(writer.folder) == 3
    assert old.frame("SELECT value FROM mart_one").item() == 1, "who holds a version keeps it"


def test_one_version_is_opened_once(writer: Writer) -> None:
    publish(writer, 1)
    assert files.open_published(writer.folder) is files.open_published(writer.folder)


def test_the_last_versions_are_kept(writer: Writer) -> None:
    for number in range(6):
        publish(writer, number)
    kept = sorted(file.name for file in (writer.folder / "published").iterdir())
    assert kept == ["current", "v4.duckdb", "v5.duckdb", "v6.duckdb"]
    assert value(writer.folder) == 5


def test_a_version_that_was_half_written_is_written_again(writer: Writer) -> None:
    version = commit(writer, 1)
    leftover = writer.folder / "published" / "v1.building"
    leftover.write_bytes(b"half")
    files.write_version(writer, version, ["mart_one"])
    files.write_version(writer, version, ["mart_one"])
    files.switch(writer.folder, version)
    assert value(writer.folder) == 1
    assert not leftover.exists()


def test_a_lost_writer_file_does_not_give_old_numbers_again(writer: Writer) -> None:
    publish(writer, 1)
    publish(writer, 2)
    folder = writer.folder
    writer.close()
    (folder / "bursar.duckdb").unlink()
    with Writer(folder) as again:
        assert publish(again, 3).name == "v3"
    assert value(folder) == 3


def test_a_version_knows_its_instants(writer: Writer) -> None:
    publish(writer, 1)
    meta = files.open_published(writer.folder).frame("FROM meta").row(0, named=True)
    assert meta == {"version": 1, "as_of": NOON.replace(tzinfo=UTC), "synced_at": NOON.replace(tzinfo=UTC)}


@pytest.mark.parametrize(
    "attempt",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "ATTACH '/tmp/elsewhere.duckdb'",
        "COPY mart_one TO '/tmp/stolen.csv'",
        "INSTALL icu",
        "SET threads = 1",
        "SET enable_external_access = true",
        "DROP TABLE mart_one",
        "UPDATE mart_one SET value = 7",
    ],
)
def test_a_reader_can_only_read_figures(writer: Writer, attempt: str) -> None:
    publish(writer, 1)
    with pytest.raises(duckdb.Error):
        files.open_published(writer.folder).frame(attempt)
    assert value(writer.folder) == 1


def test_facts_are_bound_not_written_into_the_question(writer: Writer) -> None:
    publish(writer, 1)
    figures = files.open_published(writer.folder)
    found = figures.frame("SELECT value FROM mart_one WHERE $name = 'x'", name="x' OR '1' = '1")
    assert found.is_empty()


def test_instants_come_back_in_utc(writer: Writer) -> None:
    publish(writer, 1)
    seen = files.open_published(writer.folder).frame("SELECT seen_at FROM mart_one").item()
    assert seen == datetime(2026, 11, 24, tzinfo=UTC)


def test_many_threads_read_while_versions_change(writer: Writer) -> None:
    publish(writer, 0)
    seen: list[list[int]] = [[] for _ in range(4)]
    over = threading.Event()

    def read(into: list[int]) -> None:
        while not over.is_set():
            into.append(value(writer.folder))

    readers = [threading.Thread(target=read, args=(into,)) for into in seen]
    for reader in readers:
        reader.start()
    for number in range(1, 12):
        publish(writer, number)
    over.set()
    for reader in readers:
        reader.join()
    assert all(into == sorted(into) and into for into in seen)
