"""Order, lineage and rebuilding come from the SQL itself."""

from pathlib import Path

import pytest

from warehouse import build, files
from warehouse.build import Model, models, origins
from warehouse.engines.duckdb import DuckDB

HEADER = "-- grain: one row\n-- key: {key}\n-- refresh: {refresh}\n"


def write(folder: Path, name: str, query: str, *, key: str = "a", refresh: str = "full") -> None:
    """A model of the test's own."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.sql").write_text(HEADER.format(key=key, refresh=refresh) + query)


def named(name: str) -> Model:
    """One of Bursar's models."""
    (found,) = (model for model in models() if model.name == name)
    return found


def test_every_model_comes_after_what_it_reads() -> None:
    places = {model.name: place for place, model in enumerate(models())}
    for model in models():
        assert all(places[name] < places[model.name] for name in model.inputs & places.keys()), model.name


def test_pages_are_given_dimensions_and_marts_only() -> None:
    assert {model.name.split("_")[0] for model in models() if model.is_published} == {"dim", "mart"}


def test_nobody_who_only_learns_is_published() -> None:
    published = [model for model in models() if model.is_published]
    assert not [model.name for model in published if {"buyer_id", "payer_id", "email"} & set(model.columns)]


@pytest.mark.parametrize(
    ("name", "column", "sources"),
    [
        ("fct_posting", "effect_minor", {"raw.posting.amount_minor", "raw.ledger_account.normal_side"}),
        ("mart_instructor_sales", "course_title", {"raw.course.title"}),
        ("mart_instructor_days", "earned_minor", {"raw.posting.amount_minor"}),
        ("mart_instructor_sales", "kept_minor", {"raw.posting.amount_minor"}),
    ],
)
def test_a_column_can_be_followed_to_its_source(name: str, column: str, sources: set[str]) -> None:
    assert origins(named(name), column) == sources


def test_what_an_instructor_is_shown_comes_from_the_ledger() -> None:
    for name, column in (
        ("mart_instructor_balances", "amount_minor"),
        ("mart_instructor_months", "refunded_minor"),
    ):
        assert "raw.posting.amount_minor" in origins(named(name), column)


def test_what_changed_reaches_all_that_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    write(folder, "stg_x__ones", "SELECT row_key AS a FROM raw.posting", refresh="view")
    write(folder, "fct_one", "SELECT a FROM stg_x__ones")
    write(folder, "mart_one", "WITH fct_other AS (SELECT a FROM fct_one) SELECT a FROM fct_other")
    write(folder, "fct_other", "SELECT row_key AS a FROM raw.course")
    known = models(folder)
    assert [model.name for model in build.affected(known, {"raw.posting"})] == [
        "stg_x__ones",
        "fct_one",
        "mart_one",
    ]
    assert [model.name for model in build.affected(known, {"fct_other"})] == ["fct_other"]


def test_models_follow_their_files(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write(first, "fct_one", "SELECT 1 AS a")
    write(first, "fct_gone", "SELECT 1 AS a", refresh="view")
    write(second, "fct_one", "SELECT 2 AS a")
    with files.Writer(tmp_path / "warehouse") as writer:
        engine = DuckDB(writer.connection)
        assert {built.name for built in build.rebuild(engine, set(), models(first))} == {
            "fct_one",
            "fct_gone",
        }
        assert build.rebuild(engine, set(), models(first)) == []
        assert [built.name for built in build.rebuild(engine, set(), models(second))] == ["fct_one"]
        assert writer.connection.execute("FROM fct_one").fetchall() == [(2,)]
        tables = writer.connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'"
        )
        assert tables.fetchall() == [("fct_one",)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1 AS a", "does not say its grain and key and refresh"),
        (HEADER.format(key="a", refresh="never") + "SELECT 1 AS a", "say view or full"),
        (HEADER.format(key="a", refresh="full") + "DROP TABLE x", "is not a SELECT"),
        (HEADER.format(key="a", refresh="full") + "FROM elsewhere", "elsewhere, which nothing provides"),
    ],
)
def test_a_file_that_cannot_be_a_model_says_why(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "fct_wrong.sql").write_text(text)
    with pytest.raises((ValueError, TypeError), match=said):
        models(tmp_path)
