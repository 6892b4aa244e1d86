"""A catalogue is imported once, however often and however rudely it is tried."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from services.identity.tables import UserAccount
from services.kernel.actor import Actor, system
from services.kernel.errors import Forbidden, Invalid, NotFound
from services.kernel.ids import CourseId
from services.kernel.money import Money
from services.marketplace import browse, catalogue, catalogue_import
from services.marketplace.browse import Wanted
from services.marketplace.catalogue_import import AT_ONCE, ImportReport, Verdict, import_catalogue
from services.marketplace.tables import Course
from tests.factories.marketplace import Market

HEADER = "course_id,course_title,url,is_paid,price,level,content_duration,published_timestamp,subject"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of lines below the header."""

    def written(*lines: str) -> Path:
        file = tmp_path / "export.csv"
        file.write_text("\n".join([HEADER, *lines, ""]))
        return file

    return written


@pytest.fixture
def maya(market: Market) -> Actor:
    return market.teacher()


def line(number: object, title: str = "Knots", price: int = 20) -> str:
    return f"{number},{title},https://courses.test/,{price > 0},{price},All Levels,2.5,2026-01-01,Ropework"


def email(market: Market, person: Actor) -> str:
    with market.works.begin(person) as work:
        asked = select(UserAccount.email).where(UserAccount.user_id == person.user_id)
        return work.run(asked).scalar_one()


def take_in(
    market: Market,
    file: Path,
    owner: Actor,
    *,
    actor: Actor | None = None,
    progress: Callable[[int, int], None] = lambda _done, _size: None,
) -> ImportReport:
    return import_catalogue(
        market.works,
        actor=actor or system("test"),
        file=file,
        instructor_email=email(market, owner),
        progress=progress,
    )


def course_count(market: Market) -> int:
    with market.works.begin(system("test")) as work:
        return work.run(select(func.count()).select_from(Course)).scalar_one()


def remarked(report: ImportReport) -> Sequence[tuple[int, Verdict, str]]:
    return [(remark.line, remark.verdict, remark.column) for remark in report.remarks]


def test_good_rows_are_listed_and_every_other_one_is_told_by_its_line(
    market: Market, maya: Actor, write: Write
) -> None:
    file = write(
        line(1, "Knots"),
        line(2, "Splices", price=0),
        line(1, "Knots"),
        line("x"),
        line(2, "Splices", price=30),
        line(3, '"Two\nlines"'),
    )
    report = take_in(market, file, maya)
    assert report.counts == {Verdict.IMPORTED: 3, Verdict.DUPLICATE: 2, Verdict.BAD: 1}
    assert remarked(report) == [
        (4, Verdict.DUPLICATE, "course_id"),
        (5, Verdict.BAD, "course_id"),
        (6, Verdict.DUPLICATE, "course_id"),
        (7, Verdict.IMPORTED, ""),
    ]
    assert report.remarks[0].reason == "the same as line 2"
    assert report.remarks[2].reason == "the course_id of line 3 with other facts: line 3 counts"
    with market.works.begin(Actor("anybody", None, frozenset())) as work:
        cards = browse.courses(work, wanted=Wanted(), skip=0, take=10)
    assert [(card.title, card.price.minor) for card in cards] == [
        ("Knots", 2_000),
        ("Splices", 0),
        ("Two lines", 2_000),
    ]


def test_a_second_run_changes_nothing(market: Market, maya: Actor, write: Write) -> None:
    file = write(line(1), line(1), line(2))
    take_in(market, file, maya)
    again = take_in(market, file, maya)
    assert again.counts == {Verdict.UNCHANGED: 2, Verdict.DUPLICATE: 1}
    assert course_count(market) == 2


def test_a_course_stays_as_it_stands_when_the_file_says_otherwise(
    market: Market, maya: Actor, write: Write
) -> None:
    take_in(market, write(line(1), line(2)), maya)
    with market.works.begin(maya) as work:
        course = work.run(select(Course.course_id).where(Course.external_key == "import:1")).scalar_one()
        catalogue.set_price(work, course=CourseId(course), price=Money(2_500, "USD"))
    report = take_in(market, write(line(1), line(2, "Splices"), line(3)), market.teacher())
    assert report.counts == {Verdict.KEPT: 2, Verdict.IMPORTED: 1}
    assert [remark.reason for remark in report.remarks] == [
        "the course is in Bursar with another price, instructor, and stays so",
        "the course is in Bursar with another title, instructor, and stays so",
    ]
    assert market.quote(market.person(), CourseId(course)).total == Money(2_500, "USD")


def test_an_import_that_is_broken_off_is_finished_by_the_next(
    market: Market, maya: Actor, write: Write
) -> None:
    file = write(*(line(number) for number in range(2 * AT_ONCE + 1)))

    def break_off(_done: int, _size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_in(market, file, maya, progress=break_off)
    assert course_count(market) == AT_ONCE
    report = take_in(market, file, maya)
    assert report.counts == {Verdict.UNCHANGED: AT_ONCE, Verdict.IMPORTED: AT_ONCE + 1}


def test_two_imports_at_once_list_every_course_once(market: Market, maya: Actor, write: Write) -> None:
    file = write(*(line(number) for number in range(3 * AT_ONCE)))
    with ThreadPoolExecutor(2) as both:
        reports = list(both.map(lambda _: take_in(market, file, maya), range(2)))
    assert sum(report.counts.get(Verdict.IMPORTED, 0) for report in reports) == 3 * AT_ONCE
    assert sum(report.counts.get(Verdict.UNCHANGED, 0) for report in reports) == 3 * AT_ONCE
    assert course_count(market) == 3 * AT_ONCE


def test_progress_grows_to_the_size_of_the_file(market: Market, maya: Actor, write: Write) -> None:
    file = write(*(line(number) for number in range(AT_ONCE + 50)))
    told: list[tuple[int, int]] = []
    take_in(market, file, maya, progress=lambda done, size: told.append((done, size)))
    size = file.stat().st_size
    assert len(told) == 2
    assert 0 < told[0][0] < size
    assert told[1] == (size, size)


def test_more_remarks_than_anybody_reads_are_counted(
    market: Market, maya: Actor, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_import, "MOST_REMARKS", 3)
    report = take_in(market, write(*(line("x") for _ in range(10))), maya)
    assert (report.counts, len(report.remarks), report.unlisted_count) == ({Verdict.BAD: 10}, 3, 7)


def test_a_file_that_cannot_be_used_imports_nothing(market: Market, maya: Actor, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    for file in (empty, tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(Invalid) as refusal:
            take_in(market, file, maya)
        assert refusal.value.field == "file"
    assert course_count(market) == 0


def test_only_those_who_keep_the_catalogue_import_and_only_for_an_instructor(
    market: Market, maya: Actor, write: Write
) -> None:
    file = write(line(1))
    with pytest.raises(NotFound):
        take_in(market, file, market.person())
    for stranger in (market.person(), market.teacher()):
        with pytest.raises(Forbidden):
            take_in(market, file, maya, actor=stranger)
    assert take_in(market, file, maya, actor=maya).counts == {Verdict.IMPORTED: 1}
