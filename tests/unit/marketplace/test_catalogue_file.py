"""The export of another platform is read so that one bad row spoils no other."""

import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import Invalid
from services.kernel.money import Money
from services.marketplace.catalogue_file import LONGEST_LINE, BadRow, Row, rows

HEADER = (
    "course_id,course_title,url,is_paid,price,num_subscribers,num_reviews,num_lectures,level,"
    "content_duration,published_timestamp,subject"
)
URL = "https://courses.test/knots/"


def line(
    number: object = 1,
    title: str = "Knots",
    *,
    is_paid: str = "True",
    price: object = 20,
    hours: object = "2.5",
    level: str = "All Levels",
    subject: str = "Ropework",
) -> str:
    """One line as the other platform writes it."""
    return f"{number},{title},{URL},{is_paid},{price},12,3,9,{level},{hours},2026-01-01T00:00:00Z,{subject}"


def read(*lines: str, header: str = HEADER) -> list[Row | BadRow]:
    return list(rows(io.BytesIO("\n".join([header, *lines, ""]).encode())))


def good(found: list[Row | BadRow]) -> list[str]:
    return [row.key for row in found if isinstance(row, Row)]


def bad(found: list[Row | BadRow]) -> list[tuple[int, str]]:
    return [(row.line, row.column) for row in found if isinstance(row, BadRow)]


def test_a_row_becomes_a_listing() -> None:
    (row,) = read(line(7, '"Knots,  bends & ""hitches"""', hours="0.58333333"))
    assert isinstance(row, Row)
    assert (row.line, row.key, row.doubt) == (2, "import:7", "")
    told = row.listing
    assert (told.title, told.subject, told.level) == ('Knots, bends & "hitches"', "Ropework", "All Levels")
    assert (told.hours, told.price) == (Decimal("0.58"), Money(2_000, "USD"))


def test_what_is_not_paid_is_free() -> None:
    (row,) = read(line(is_paid="False", price=0))
    assert isinstance(row, Row)
    assert row.listing.price == Money(0, "USD")


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("course_id", line("")),
        ("course_id", line("-1")),
        ("course_id", line("1.0")),
        ("course_id", line("²")),
        ("course_id", line("1" * 13)),
        ("course_title", line(title="")),
        ("course_title", line(title=" ")),
        ("course_title", line(title="x" * 301)),
        ("course_title", line(title="a \0 byte")),
        ("is_paid", line(is_paid="")),
        ("is_paid", line(is_paid="yes")),
        ("price", line(price="")),
        ("price", line(price="-20")),
        ("price", line(price="19.99")),
        ("price", line(price="$20")),
        ("price", line(price="1000000")),
        ("price", line(price=0)),
        ("price", line(is_paid="False", price=20)),
        ("content_duration", line(hours="")),
        ("content_duration", line(hours="2 hours")),
        ("content_duration", line(hours="-1")),
        ("content_duration", line(hours="nan")),
        ("content_duration", line(hours="inf")),
        ("content_duration", line(hours="1e9")),
        ("content_duration", line(hours="1e999999999")),
        ("level", line(level="")),
        ("subject", line(subject="")),
        ("", line() + ",one more"),
        ("", "1,too few"),
        ("", line(title='"never closed')),
        ("", line(title='"closed" too early')),
        ("", line(title="x" * 131_073)),
        ("", line(title="x" * LONGEST_LINE)),
    ],
)
def test_a_bad_row_names_its_line_and_column_and_the_rows_around_it_are_read(column: str, wrong: str) -> None:
    found = read(line(1), wrong, line(2), line(3))
    assert bad(found) == [(3, column)]
    assert good(found) == ["import:1", "import:2", "import:3"]


def test_a_reason_says_what_would_be_right_and_quotes_little() -> None:
    first, second = read(line(price="x" * 1_000), line(hours="2 hours"))
    assert isinstance(first, BadRow)
    assert isinstance(second, BadRow)
    assert "whole number, in US dollars, for example 20" in first.reason
    assert len(first.reason) < 150
    assert second.reason == "The hours must be a number, for example 2.5, not '2 hours'."


def test_a_row_in_another_encoding_is_told_and_the_others_are_read() -> None:
    mixed = b"\n".join(
        [HEADER.encode(), line(1).encode(), line(2, "Caf\xe9").encode("latin-1"), line(3, "Café").encode()]
    )
    found = list(rows(io.BytesIO(mixed)))
    assert (good(found), bad(found)) == (["import:1", "import:3"], [(3, "course_title")])


def test_a_title_with_a_line_break_is_taken_with_a_doubt_and_lines_are_counted_on() -> None:
    found = read(line(1, '"Knots\nand bends"'), line(2, '" Splices \n"'), line("no number"))
    first, second, third = found
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.listing.title, first.line) == ("Knots and bends", 2)
    assert "several lines" in first.doubt
    assert (second.listing.title, second.line, second.doubt) == ("Splices", 4, "")
    assert bad([third]) == [(6, "course_id")]


def test_blank_lines_line_ends_column_order_and_a_byte_order_mark_do_not_matter() -> None:
    found = read("", line(1), "", "", line(2) + "\r", header="\ufeff" + HEADER.upper() + "\r")
    assert [row.line for row in found] == [3, 6]
    turned = "subject,price,is_paid,level,course_title,course_id,content_duration"
    (row,) = read("Ropework,20,TRUE,All Levels,Knots,7,1", header=turned)
    assert isinstance(row, Row)
    assert row.key == "import:7"


def test_a_file_of_a_header_alone_has_no_rows() -> None:
    assert read() == []
    assert list(rows(io.BytesIO(HEADER.encode()))) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (HEADER.replace("price,", "").encode(), "missing: price"),
        (HEADER.replace(",", ";").encode(), "separated by commas"),
        (line().encode(), "missing: course_id"),
        ((HEADER + ",price").encode(), "twice: price"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (f"{HEADER}\r{line()}\r".encode(), "line ends"),
        (f'"{HEADER}\n'.encode() * 60, "quotes"),
        (b"\0" * 100, "missing"),
        (b"\x89PNG\r\n\x1a\n\0\0", "missing"),
        (b"x" * 3_000_000, "longer than"),
    ],
)
def test_what_is_no_such_export_is_refused_as_a_whole(content: bytes, told: str) -> None:
    with pytest.raises(Invalid, match=told) as refusal:
        list(rows(io.BytesIO(content)))
    assert refusal.value.field == "file"


DIRT = st.text(st.characters(exclude_characters=",\n", codec="utf-8"), max_size=40)


@given(st.lists(st.one_of(DIRT, st.none()), max_size=80))
def test_no_dirt_between_them_takes_good_rows_away(dirt: list[str | None]) -> None:
    good_rows = [f"import:{number}" for number, spoilt in enumerate(dirt) if spoilt is None]
    lines = [
        spoilt if spoilt is not None else line(number, '"Knots, bends"') for number, spoilt in enumerate(dirt)
    ]
    assert good(read(*lines)) == good_rows


@given(st.binary(max_size=400))
def test_any_bytes_get_a_verdict(content: bytes) -> None:
    found = list(rows(io.BytesIO(HEADER.encode() + b"\n" + content)))
    assert len(found) <= content.count(b"\n") + 1
    assert all(isinstance(row, Row | BadRow) for row in found)
