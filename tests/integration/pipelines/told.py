"""What the figures and the record of runs say, and rows changed by hand."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from pipelines.run import Pipeline
from warehouse import files, runs
from warehouse.files import Figures


def ask(folder: Path, question: str) -> list[dict[str, Any]]:
    """What the published figures say."""
    return files.open_published(folder).frame(question).to_dicts()


def kept(folder: Path) -> list[int]:
    """What is left of each sale to its instructor, oldest first."""
    return [row["kept_minor"] for row in ask(folder, "FROM mart_instructor_sales ORDER BY purchase_line_id")]


def marts(figures: Figures) -> dict[str, list[dict[str, Any]]]:
    """Every row of every published table, in one order."""
    tables = figures.frame("SELECT table_name FROM information_schema.tables WHERE table_name <> 'meta'")
    return {
        name: sorted(figures.frame(f"FROM {name}").to_dicts(), key=repr)
        for name in sorted(tables["table_name"])
    }


def looked_at(folder: Path) -> datetime:
    """When the sources were last asked."""
    with closing(sqlite3.connect(runs.file_of(folder))) as record:
        (told,) = record.execute("SELECT max(looked_at) FROM looked").fetchone()
    return datetime.fromisoformat(told)


def by_hand(url: str, statement: LiteralString, *facts: object) -> None:
    """Change a row as nobody may."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, facts)


def one(url: str, question: LiteralString, *facts: object) -> str:
    """The one text that a question to Postgres gives."""
    with psycopg.connect(url) as connection:
        (row,) = connection.execute(question, facts).fetchall()
    return str(row[0])


def whole(pipeline: Pipeline) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table and model of the writer file, in one order."""
    connection = pipeline._writer.connection  # noqa: SLF001 - the file has one owner
    names = connection.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema <> 'sync'"
    ).fetchall()
    return {name: sorted(connection.execute(f"FROM {name}").fetchall(), key=repr) for (name,) in names}
