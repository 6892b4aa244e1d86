"""What there is to learn, as a learner looks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, exists, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from services.identity.tables import UserAccount
from services.kernel.errors import NotFound
from services.kernel.ids import CourseId
from services.kernel.money import Money
from services.marketplace.tables import (
    Course,
    CourseInstructor,
    CoursePrice,
    Enrolment,
    Purchase,
    PurchaseLine,
)
from services.runtime.work import Work

LONGEST_SEARCH = 200


class PriceBand(StrEnum):
    """How much a course may cost, in whole units of the currency."""

    FREE = "free"
    UP_TO_50 = "up to 50"
    UP_TO_100 = "up to 100"
    ABOVE_100 = "above 100"


@dataclass(frozen=True, slots=True)
class Card:
    """One course on the shelf; `stands` is pending or owned when the person has begun or has it."""

    course_id: CourseId
    title: str
    subject: str
    level: str
    hours: Decimal
    price: Money
    instructors: str
    stands: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One course in full."""

    card: Card
    description: str
    listed_at: datetime | None
    teaches: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for; what is left empty does not narrow."""

    search: str = ""
    subject: str | None = None
    level: str | None = None
    price: PriceBand | None = None
    currency: str = "USD"


def how_many(work: Work, *, wanted: Wanted) -> int:
    """How many listed courses fit."""
    fitting = (
        select(func.count()).select_from(Course).join(CoursePrice, _priced(wanted)).where(*_fits(wanted))
    )
    return work.run(fitting).scalar_one()


def courses(work: Work, *, wanted: Wanted, skip: int, take: int) -> list[Card]:
    """The listed courses that fit, newest first; the search looks at titles, subjects and instructors."""
    found = work.run(
        _cards(work, wanted.currency)
        .where(*_fits(wanted))
        .order_by(Course.listed_at.desc().nulls_last(), Course.title, Course.course_id)
        .offset(max(skip, 0))
        .limit(take)
    )
    return [_card(row) for row in found]


def course(work: Work, *, course: CourseId, currency: str = "USD") -> Sheet:
    """One listed course, or one that the person has. Raises NotFound for any other."""
    row = work.run(
        _cards(work, currency)
        .add_columns(Course.description, Course.listed_at, _teaches(work).label("teaches"))
        .where(Course.course_id == course, (Course.status == "listed") | _owned(work))
    ).one_or_none()
    if row is None:
        raise NotFound("course_unknown", "There is no such course on sale.", course=str(course))
    return Sheet(_card(row), row.description, row.listed_at, row.teaches)


def subjects(work: Work) -> Sequence[str]:
    """The subjects of listed courses, by name."""
    return (
        work.run(select(Course.subject).where(Course.status == "listed").distinct().order_by(Course.subject))
        .scalars()
        .all()
    )


def levels(work: Work) -> Sequence[str]:
    """The levels of listed courses, the most common first."""
    return (
        work.run(
            select(Course.level)
            .where(Course.status == "listed")
            .group_by(Course.level)
            .order_by(func.count().desc(), Course.level)
        )
        .scalars()
        .all()
    )


def _cards(work: Work, currency: str) -> Select[*tuple[Any, ...]]:
    return select(
        Course.course_id,
        Course.title,
        Course.subject,
        Course.level,
        Course.hours,
        CoursePrice.list_minor,
        CoursePrice.currency,
        _instructors().label("instructors"),
        _owned(work).label("is_owned"),
        _begun(work).label("is_begun"),
    ).join(CoursePrice, _priced(Wanted(currency=currency)))


def _priced(wanted: Wanted) -> ColumnElement[bool]:
    return and_(
        CoursePrice.course_id == Course.course_id,
        CoursePrice.currency == wanted.currency,
        CoursePrice.valid_to.is_(None),
    )


def _fits(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Course.status == "listed"]
    if wanted.subject:
        conditions.append(Course.subject == wanted.subject)
    if wanted.level:
        conditions.append(Course.level == wanted.level)
    if wanted.price:
        conditions.append(_costs(wanted.price))
    for word in wanted.search[:LONGEST_SEARCH].lower().split():
        text = func.lower(func.concat_ws(" ", Course.title, Course.subject, _instructors()), type_=String)
        conditions.append(text.contains(word, autoescape=True))
    return conditions


def _costs(band: PriceBand) -> ColumnElement[bool]:
    price = CoursePrice.list_minor
    return {
        PriceBand.FREE: price == 0,
        PriceBand.UP_TO_50: price.between(1, 5_000),
        PriceBand.UP_TO_100: price.between(1, 10_000),
        PriceBand.ABOVE_100: price > 10_000,  # noqa: PLR2004 - the band says the number
    }[band]


def _instructors() -> ColumnElement[str]:
    """The names of those who share in a course, the largest share first."""
    return (
        select(
            func.string_agg(
                UserAccount.name, aggregate_order_by(literal(", "), CourseInstructor.share_bp.desc())
            )
        )
        .join(CourseInstructor, CourseInstructor.instructor_id == UserAccount.user_id)
        .where(CourseInstructor.course_id == Course.course_id, CourseInstructor.valid_to.is_(None))
        .correlate(Course)
        .scalar_subquery()
    )


def _owned(work: Work) -> ColumnElement[bool]:
    return exists().where(
        Enrolment.course_id == Course.course_id,
        Enrolment.user_id == work.actor.user_id,
        Enrolment.state == "active",
    )


def _begun(work: Work) -> ColumnElement[bool]:
    return exists().where(
        PurchaseLine.course_id == Course.course_id,
        PurchaseLine.state == "pending",
        Purchase.purchase_id == PurchaseLine.purchase_id,
        Purchase.buyer_id == work.actor.user_id,
    )


def _teaches(work: Work) -> ColumnElement[bool]:
    return exists().where(
        CourseInstructor.course_id == Course.course_id,
        CourseInstructor.instructor_id == work.actor.user_id,
        CourseInstructor.valid_to.is_(None),
    )


def _card(row: Any) -> Card:  # noqa: ANN401 - a row of _cards
    return Card(
        course_id=CourseId(row.course_id),
        title=row.title,
        subject=row.subject,
        level=row.level,
        hours=row.hours,
        price=Money(row.list_minor, row.currency),
        instructors=row.instructors or "",
        stands="owned" if row.is_owned else "pending" if row.is_begun else None,
    )
