"""What is on sale: courses put on the shelf, with those who share in them, and their prices."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from services.identity import policy
from services.identity.policy import Permission
from services.identity.tables import UserAccount, UserRole
from services.kernel import ids
from services.kernel.actor import Actor, Role
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from services.kernel.ids import CourseId, UserId
from services.kernel.money import BASIS_POINTS, Money
from services.marketplace.tables import Course, CourseInstructor, CoursePrice
from services.runtime.work import Work

LEAST_PRICE = 50  # minor units: the least that the processor charges in most currencies
MOST_PRICE = 99_999_999  # minor units: the most that the processor charges
MOST_HOURS = Decimal(10_000)
_STEP = Decimal("0.01")
_LONGEST = {"title": 300, "subject": 100, "level": 50}
_LONGEST_DESCRIPTION = 10_000
_UNPRINTED = frozenset({"Cc", "Cs"})  # control characters and halves of surrogate pairs


@dataclass(frozen=True, slots=True)
class Listing:
    """What a course is to be: raises Invalid, naming the field, unless it can be put on sale so.

    A price is nothing or what the processor can charge. The external key is how another system knows the
    course; one key stands for one course.
    """

    title: str
    subject: str
    level: str
    hours: Decimal
    description: str
    price: Money
    external_key: str | None = None

    def __post_init__(self) -> None:
        for field, longest in _LONGEST.items():
            _check_text(field, getattr(self, field), longest)
        if len(self.description) > _LONGEST_DESCRIPTION or "\0" in self.description:
            longest = _LONGEST_DESCRIPTION
            raise Invalid("description", f"The description must have at most {longest} characters.")
        if not (self.hours.is_finite() and 0 <= self.hours <= MOST_HOURS and not self.hours % _STEP):
            raise Invalid("hours", f"The hours must be 0 to {MOST_HOURS:,} with at most two decimals.")
        check_price(self.price)


def list_course(
    work: Work,
    *,
    owner: UserId,
    title: str,
    subject: str,
    level: str,
    hours: Decimal,
    description: str,
    price: Money,
    external_key: str | None = None,
    instructors: Mapping[UserId, int] | None = None,
) -> CourseId:
    """Put one course on sale; its owner earns alone unless `instructors` says who shares, in basis points.

    Raises Forbidden for anybody but the owner who teaches it and those who keep the catalogue, Invalid for
    a field that does not fit, Conflict for an external key that is known.
    """
    listing = Listing(title, subject, level, hours, description, price, external_key)
    return list_courses(work, owner=owner, listings=[listing], instructors=instructors)[0]


def list_courses(
    work: Work, *, owner: UserId, listings: Sequence[Listing], instructors: Mapping[UserId, int] | None = None
) -> list[CourseId]:
    """Put several courses of one owner on sale at once, or none; refused as a single one is."""
    require_keeper(work.actor, owner)
    sharing = instructors or {owner: BASIS_POINTS}
    _check_sharing(work, owner, sharing)
    courses = [CourseId(ids.fresh(work.now)) for _ in listings]
    _write_courses(work, owner, courses, listings)
    work.run(
        insert(CoursePrice),
        [_price_row(work, course, each.price) for course, each in zip(courses, listings, strict=True)],
    )
    work.run(
        insert(CourseInstructor),
        [
            {"course_id": course, "instructor_id": person, "share_bp": part, "valid_from": work.now}
            for course in courses
            for person, part in sharing.items()
        ],
    )
    for course in courses:
        work.audit("course.listed", "course", course, owner=str(owner))
    work.wake()
    return courses


def set_price(work: Work, *, course: CourseId, price: Money) -> None:
    """Sell a course at another price in that currency from now on; quotes that are held keep theirs.

    Raises NotFound, Forbidden for anybody but its owner and those who keep the catalogue, and Invalid.
    """
    check_price(price)
    owner = work.run(
        select(Course.owner_id).where(Course.course_id == course).with_for_update()
    ).scalar_one_or_none()
    if owner is None:
        raise NotFound("course_unknown", "There is no such course.", course=str(course))
    require_keeper(work.actor, UserId(owner))
    standing = (
        (CoursePrice.course_id == course)
        & (CoursePrice.currency == price.currency)
        & CoursePrice.valid_to.is_(None)
    )
    before = work.run(select(CoursePrice.list_minor).where(standing)).scalar_one_or_none()
    if before == price.minor:
        return
    work.run(update(CoursePrice).where(standing).values(valid_to=work.now))
    work.run(insert(CoursePrice).values(_price_row(work, course, price)))
    work.audit(
        "course.priced",
        "course",
        course,
        before_minor=before,
        after_minor=price.minor,
        currency=price.currency,
    )
    work.wake()


def teacher_by_email(work: Work, *, email: str) -> UserId:
    """The person with an e-mail who may teach. Raises NotFound."""
    found = work.run(
        select(UserAccount.user_id).where(UserAccount.email == email.strip().lower())
    ).scalar_one_or_none()
    if found is None or not _teachers(work, [UserId(found)]):
        raise NotFound("instructor_unknown", f"No instructor has the e-mail {email}: add the person first.")
    return UserId(found)


def course_by_key(work: Work, *, external_key: str) -> CourseId:
    """The course that another system knows by a key. Raises NotFound."""
    found = work.run(select(Course.course_id).where(Course.external_key == external_key)).scalar_one_or_none()
    if found is None:
        raise NotFound("course_unknown", "There is no course with this external key.", key=external_key)
    return CourseId(found)


def require_keeper(actor: Actor, owner: UserId) -> None:
    """Refuse unless the actor keeps the whole catalogue, or teaches and owns the course. Raises Forbidden."""
    if policy.allows(actor, Permission.MANAGE_CATALOGUE):
        return
    policy.require(actor, Permission.TEACH)
    if actor.user_id != owner:
        raise Forbidden("not_own_course", "You may list and price your own courses only.")


def check_price(price: Money) -> None:
    """Refuse a price that is neither nothing nor an amount that can be charged. Raises Invalid."""
    if price and not LEAST_PRICE <= price.minor <= MOST_PRICE:
        raise Invalid(
            "price", f"The price must be 0, or {LEAST_PRICE} to {MOST_PRICE} minor units of {price.currency}."
        )


def _write_courses(
    work: Work, owner: UserId, courses: Sequence[CourseId], listings: Sequence[Listing]
) -> None:
    rows = [
        {
            "course_id": course,
            "external_key": each.external_key,
            "title": each.title.strip(),
            "subject": each.subject.strip(),
            "level": each.level.strip(),
            "hours": each.hours,
            "description": each.description,
            "status": "listed",
            "owner_id": owner,
            "listed_at": work.now,
        }
        for course, each in zip(courses, listings, strict=True)
    ]
    written = work.run(
        insert_or_skip(Course)
        .on_conflict_do_nothing(index_elements=["external_key"])
        .returning(Course.course_id),
        rows,
    ).all()
    if len(written) < len(rows):
        raise Conflict("course_known", "A course with this external key is in the catalogue already.")


def _price_row(work: Work, course: CourseId, price: Money) -> dict[str, object]:
    return {
        "course_price_id": ids.fresh(work.now),
        "course_id": course,
        "currency": price.currency,
        "list_minor": price.minor,
        "valid_from": work.now,
    }


def _check_sharing(work: Work, owner: UserId, sharing: Mapping[UserId, int]) -> None:
    if sum(sharing.values()) != BASIS_POINTS or min(sharing.values()) < 1:
        raise Invalid("instructors", f"The shares must be positive and sum to {BASIS_POINTS} basis points.")
    if owner not in sharing:
        raise Invalid("instructors", "The owner of a course must have a share of it.")
    if _teachers(work, list(sharing)) != set(sharing):
        raise Invalid("instructors", "Everybody who shares in a course must be a person who may teach.")


def _teachers(work: Work, people: Collection[UserId]) -> set[UserId]:
    teaching = [role for role in Role if Permission.TEACH in policy.MATRIX[role]]
    found = work.run(
        select(UserRole.user_id)
        .join(UserAccount, UserAccount.user_id == UserRole.user_id)
        .where(UserRole.user_id.in_(people), UserRole.role.in_(teaching), UserAccount.status == "active")
    )
    return {UserId(person) for person in found.scalars()}


def _check_text(field: str, text: str, longest: int) -> None:
    if not 0 < len(text.strip()) <= longest:
        raise Invalid(field, f"The {field} must have 1 to {longest} characters.")
    if any(unicodedata.category(character) in _UNPRINTED for character in text):
        raise Invalid(field, f"The {field} must be one line of text without control characters.")
