"""`bursar import catalogue` as somebody types it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from services.identity import people
from services.kernel.actor import Role, system
from services.runtime.work import Works
from tests.serving import ROOT

LINES = """course_id,course_title,is_paid,price,level,content_duration,subject
1,Knots,True,20,All Levels,2.5,Ropework
2,[bold]Splices[/nothing],False,0,All Levels,1,Ropework
1,Knots,True,20,All Levels,2.5,Ropework
3,Bends,True,19.99,All Levels,1,Ropework
"""


def _import(database: str, folder: Path, file: Path, email: str) -> tuple[int, str]:
    words = [sys.executable, "-m", "app.cli", "import", "catalogue", str(file), "--instructor", email]
    world = {"BURSAR_DATABASE_URL": database, "BURSAR_DATA_FOLDER": str(folder), "COLUMNS": "120"}
    done = subprocess.run(
        words, cwd=ROOT, env=os.environ | world, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def maya(works: Works) -> str:
    with works.begin(system("test")) as work:
        people.register(
            work,
            email="maya@example.com",
            name="Maya Test",
            password="an invented one",
            roles=[Role.INSTRUCTOR],
        )
    return "maya@example.com"


def test_the_command_reports_every_line_to_look_at(
    database: str, engine: Engine, maya: str, tmp_path: Path
) -> None:
    file = tmp_path / "export.csv"
    file.write_text(LINES)
    code, told = _import(database, tmp_path / "bursar", file, maya)
    assert code == 0, told
    assert "the same as line 2" in told
    assert "must be a whole number, in US dollars, for example 20, not '19.99'" in told
    assert "imported" in told
    with engine.connect() as connection:
        titles = connection.execute(text("SELECT title FROM course ORDER BY title")).scalars().all()
    assert titles == ["Knots", "[bold]Splices[/nothing]"]


def test_an_unusable_file_ends_with_two_and_an_unknown_instructor_with_one(
    database: str, maya: str, tmp_path: Path
) -> None:
    file = tmp_path / "export.csv"
    file.write_text("name\nKnots\n")
    code, told = _import(database, tmp_path / "bursar", file, maya)
    assert code == 2
    assert "missing: course_id" in told
    assert "Traceback" not in told
    file.write_text(LINES)
    code, told = _import(database, tmp_path / "bursar", file, "nobody@example.com")
    assert code == 1
    assert "No instructor has the e-mail nobody@example.com" in told
