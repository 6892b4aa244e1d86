"""Taking in the catalogue of another platform: safe to repeat, with a verdict on every line."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, Final, NamedTuple
from uuid import UUID

from sqlalchemy import and_, select, text

from services.kernel.actor import Actor
from services.kernel.ids import UserId
from services.marketplace import catalogue, catalogue_file
from services.marketplace.catalogue_file import CURRENCY, BadRow, Row
from services.marketplace.tables import Course, CoursePrice
from services.runtime.work import Work, Works

AT_ONCE: Final = 200
MOST_REMARKS: Final = 1_000

Progress = Callable[[int, int], None]


class Verdict(StrEnum):
    """What became of one row."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    KEPT = "kept as it is"
    DUPLICATE = "duplicate"
    BAD = "bad row"


@dataclass(frozen=True, slots=True)
class Remark:
    """What became of one line; `column` is empty when the whole row is meant, `reason` when all is well."""

    line: int
    verdict: Verdict
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many rows got each verdict, and the remarks: the first thousand, then only their number."""

    counts: Mapping[Verdict, int]
    remarks: Sequence[Remark]
    unlisted_count: int


def import_catalogue(
    works: Works, *, actor: Actor, file: Path, instructor_email: str, progress: Progress
) -> ImportReport:
    """List every course of a file for one instructor, two hundred rows in a transaction.

    A course that was imported before stays as it stands in Bursar, whatever the file says now. `progress` is
    told the bytes read and the bytes in all. Raises Invalid for a file that cannot be used, NotFound for an
    unknown instructor, Forbidden.
    """
    with works.begin(actor) as work:
        owner = catalogue.teacher_by_email(work, email=instructor_email)
        catalogue.require_keeper(actor, owner)
    tally = _Tally()
    with catalogue_file.opened(file) as raw:
        size = file.stat().st_size
        for batch in _batches(raw):
            firsts = [row for row in batch if isinstance(row, Row) and tally.is_first(row)]
            with works.begin(actor) as work:
                taken = _take(work, owner, firsts)
            for row in batch:
                tally.count(taken.get(row.line) or _untaken(row, tally))
            progress(min(raw.tell(), size), size)
    return ImportReport(dict(tally.counts), tuple(tally.remarks), tally.unlisted_count)


@dataclass
class _Tally:
    counts: Counter[Verdict] = field(default_factory=Counter)
    remarks: list[Remark] = field(default_factory=list)
    unlisted_count: int = 0
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def is_first(self, row: Row) -> bool:
        """Whether no good row before this one is about the same course."""
        mine = (row.line, hash(row.listing))
        return self.seen.setdefault(row.key, mine) == mine

    def count(self, remark: Remark) -> None:
        """Count a row, and keep what is to be said about it."""
        self.counts[remark.verdict] += 1
        if remark.reason and len(self.remarks) < MOST_REMARKS:
            self.remarks.append(remark)
        elif remark.reason:
            self.unlisted_count += 1


class _Facts(NamedTuple):
    title: str
    subject: str
    level: str
    hours: Decimal
    price: int | None
    instructor: UUID


def _batches(raw: IO[bytes]) -> Iterator[list[Row | BadRow]]:
    rows = catalogue_file.rows(raw)
    while batch := list(islice(rows, AT_ONCE)):
        yield batch


def _take(work: Work, owner: UserId, rows: Sequence[Row]) -> dict[int, Remark]:
    """List what is not in the catalogue yet; gives the verdict on each row by its line."""
    work.run(text("SELECT pg_advisory_xact_lock(hashtextextended('catalogue import', 0))"))
    standing = _standing(work, rows)
    new = [row for row in rows if row.key not in standing]
    if new:
        catalogue.list_courses(work, owner=owner, listings=[row.listing for row in new])
    return {row.line: _verdict(row, owner, standing.get(row.key)) for row in rows}


def _standing(work: Work, rows: Sequence[Row]) -> dict[str, _Facts]:
    """The courses of these rows as they stand, by external key."""
    price = and_(
        CoursePrice.course_id == Course.course_id,
        CoursePrice.currency == CURRENCY,
        CoursePrice.valid_to.is_(None),
    )
    found = work.run(
        select(
            Course.external_key,
            Course.title,
            Course.subject,
            Course.level,
            Course.hours,
            Course.owner_id,
            CoursePrice.list_minor,
        )
        .outerjoin(CoursePrice, price)
        .where(Course.external_key.in_([row.key for row in rows]))
    )
    return {
        str(each.external_key): _Facts(
            each.title, each.subject, each.level, each.hours, each.list_minor, each.owner_id
        )
        for each in found
    }


def _verdict(row: Row, owner: UserId, standing: _Facts | None) -> Remark:
    if standing is None:
        return Remark(row.line, Verdict.IMPORTED, "", row.doubt)
    told = row.listing
    wanted = _Facts(told.title, told.subject, told.level, told.hours, told.price.minor, owner)
    other = [name for name in _Facts._fields if getattr(standing, name) != getattr(wanted, name)]
    if not other:
        return Remark(row.line, Verdict.UNCHANGED, "", "")
    reason = f"the course is in Bursar with another {', '.join(other)}, and stays so"
    return Remark(row.line, Verdict.KEPT, "", reason)


def _untaken(row: Row | BadRow, tally: _Tally) -> Remark:
    if isinstance(row, BadRow):
        return Remark(row.line, Verdict.BAD, row.column, row.reason)
    line, facts = tally.seen[row.key]
    reason = f"the same as line {line}"
    if facts != hash(row.listing):
        reason = f"the course_id of line {line} with other facts: line {line} counts"
    return Remark(row.line, Verdict.DUPLICATE, "course_id", reason)
