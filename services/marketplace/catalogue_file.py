"""A catalogue as another platform exports it, read line by line so that one bad row spoils no other."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Final

from services.kernel.errors import Invalid
from services.kernel.money import Money
from services.marketplace.catalogue import Listing

COLUMNS: Final = ("course_id", "course_title", "is_paid", "price", "level", "content_duration", "subject")
CURRENCY: Final = "USD"
LONGEST_LINE: Final = 1_048_576  # characters
MOST_LINES: Final = 50  # that one row may span before its opening quote counts as the mistake
_FIELD_NAMES: Final = {"title": "course_title", "hours": "content_duration"}
_DIGITS: Final = 12
_UNDECODED: Final = range(0xDC80, 0xDD00)  # how `surrogateescape` keeps a byte that is no UTF-8
_HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Row:
    """One row and the line it begins at; a `doubt` is told to the person although the row is good."""

    line: int
    key: str
    listing: Listing
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that cannot be taken, with the column that is wrong and what would be right."""

    line: int
    column: str
    reason: str


@contextmanager
def opened(file: Path) -> Iterator[IO[bytes]]:
    """The file, open for reading. Raises Invalid when that is not possible."""
    try:
        with file.open("rb") as raw:
            yield raw
    except OSError as error:
        raise Invalid("file", f"{file} cannot be read: {error.strerror}.") from error


def rows(raw: IO[bytes]) -> Iterator[Row | BadRow]:
    """Every row below the header; `raw` is read as it is consumed.

    Raises Invalid for a file that is no such export at all: empty, of another encoding, without a column.
    """
    lines = _Lines(raw)
    header = next(lines.records(), None)
    if header is None:
        raise Invalid("file", "The file is empty: its first line must name the columns.")
    if header.problem:
        raise Invalid("file", f"The first line cannot be read: {header.problem}.")
    place = _places(header.fields)
    for record in lines.records(width=len(header.fields)):
        if record.fields or record.problem:
            yield _row(record, place)


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    fields: Sequence[str]
    problem: str = ""


class _Lines:
    """Physical lines that can be put back, so that reading goes on right behind a broken one."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._waiting: deque[str] = deque()
        self._number = 1

    def records(self, *, width: int | None = None) -> Iterator[_Record]:
        """The records that begin here; one that is broken, or not `width` fields wide, ends at its line."""
        while True:
            taken: list[str] = []
            record = self._record(taken, width)
            if not taken:
                return
            if record.problem:
                self._waiting.extendleft(reversed(taken[1:]))
            self._number += 1 if record.problem else len(taken)
            yield record

    def _record(self, taken: list[str], width: int | None) -> _Record:
        try:
            fields = next(csv.reader(self._feed(taken), strict=True), [])
        except csv.Error as error:
            return _Record(self._number, (), _in_words(error))
        if any(len(line) > LONGEST_LINE for line in taken):
            return _Record(self._number, (), f"the line is longer than {LONGEST_LINE:,} characters")
        if fields and width is not None and len(fields) != width:
            return _Record(self._number, (), f"the row has {len(fields)} fields, the header {width}")
        return _Record(self._number, fields)

    def _feed(self, taken: list[str]) -> Iterator[str]:
        while len(taken) < MOST_LINES:
            line = self._waiting.popleft() if self._waiting else self._read()
            if not line:
                return
            taken.append(line)
            yield line

    def _read(self) -> str:
        line = self._raw.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            self._skip_rest()
        if self._number == 1 and not self._waiting:
            line = _without_mark(line)
        return line.decode("utf-8", "surrogateescape")

    def _skip_rest(self) -> None:
        while (rest := self._raw.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass


def _without_mark(line: bytes) -> bytes:
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Invalid("file", "The file is UTF-16: save it as UTF-8.")
    return line.removeprefix(b"\xef\xbb\xbf")


def _in_words(error: csv.Error) -> str:
    said = str(error)
    if "field larger" in said:
        return f"a field is longer than {csv.field_size_limit():,} characters"
    if "new-line" in said:
        return "its lines end in a carriage return alone: save the file with usual line ends"
    return "the quotes do not match" if "end of data" in said or "expected after" in said else said


def _places(header: Sequence[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        listed = ", ".join(missing)
        raise Invalid(
            "file", f"The first line must name the columns, separated by commas; missing: {listed}."
        )
    doubled = [column for column in COLUMNS if names.count(column) > 1]
    if doubled:
        raise Invalid("file", f"The first line names a column twice: {', '.join(doubled)}.")
    return {column: names.index(column) for column in COLUMNS}


def _row(record: _Record, place: dict[str, int]) -> Row | BadRow:
    if record.problem:
        return BadRow(record.line, "", record.problem)
    told = {column: record.fields[at] for column, at in place.items()}
    try:
        for column, text in told.items():
            _check_text(column, text)
        key = f"import:{_number('course_id', told['course_id'].strip(), 'for example 1070968')}"
        listing = _listing(told, key)
    except Invalid as wrong:
        return BadRow(record.line, _FIELD_NAMES.get(wrong.field, wrong.field), wrong.message)
    is_broken = "\n" in told["course_title"].strip()
    return Row(
        record.line, key, listing, "the title spans several lines: check its quotes" if is_broken else ""
    )


def _check_text(column: str, text: str) -> None:
    if any(ord(character) in _UNDECODED for character in text):
        raise Invalid(column, "The text is not UTF-8: save the file as UTF-8.")
    if "\0" in text:
        raise Invalid(column, "The text holds a NUL byte: take it out.")


def _listing(told: dict[str, str], key: str) -> Listing:
    return Listing(
        title=_one_line(told["course_title"]),
        subject=_one_line(told["subject"]),
        level=_one_line(told["level"]),
        hours=_hours(told["content_duration"]),
        description="",
        price=_price(told["is_paid"].strip().lower(), told["price"].strip()),
        external_key=key,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _number(column: str, text: str, example: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise Invalid(column, f"The {column} must be a whole number, {example}, not {_shown(text)}.")
    return int(text)


def _price(is_paid: str, text: str) -> Money:
    if is_paid not in {"true", "false"}:
        raise Invalid("is_paid", f"The is_paid must be True or False, not {_shown(is_paid)}.")
    whole = _number("price", text, "in US dollars, for example 20")
    if bool(whole) != (is_paid == "true"):
        raise Invalid("price", f"A price of {whole} does not go with is_paid {is_paid.capitalize()}.")
    return Money(whole * 100, CURRENCY)


def _hours(text: str) -> Decimal:
    try:
        return Decimal(text.strip()).quantize(_HUNDREDTH, ROUND_HALF_UP)
    except InvalidOperation:
        raise Invalid("hours", f"The hours must be a number, for example 2.5, not {_shown(text)}.") from None


def _shown(text: str, longest: int = 40) -> str:
    return repr(text if len(text) <= longest else f"{text[:longest]}…") if text else "empty"
