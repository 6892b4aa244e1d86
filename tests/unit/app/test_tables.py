"""Files made from tables."""

import csv
import io
from datetime import date

from app.parts import tables


def test_file_name_carries_what_and_when() -> None:
    name = tables.file_name("earnings", date(2026, 8, 25), date(2026, 11, 22))
    assert name == "earnings_2026-08-25_2026-11-22.csv"


def test_file_holds_the_rows_and_runs_nothing() -> None:
    rows = [{"Course": "=1+1", "Net": "37.00"}, {"Course": 'Say "hi", all', "Net": "-1.00"}]
    text = tables.comma_separated(rows).decode("utf-8-sig")
    read = list(csv.DictReader(io.StringIO(text)))
    assert read == [{"Course": "'=1+1", "Net": "37.00"}, {"Course": 'Say "hi", all', "Net": "'-1.00"}]


def test_no_rows_make_an_empty_file() -> None:
    assert tables.comma_separated([]).decode("utf-8-sig") == ""
