"""A price that is held for a buyer while they decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, insert, select

from services.identity import policy
from services.kernel import ids
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from services.kernel.ids import CourseId, QuoteId, RuleId, UserId
from services.kernel.money import Money
from services.marketplace.tables import Course, CourseInstructor, CoursePrice, Enrolment, Quote, RevenueRule
from services.runtime.work import Work

VALID_FOR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a course costs this buyer, until when."""

    quote_id: QuoteId
    course_id: CourseId
    title: str
    list_price: Money
    net: Money
    tax: Money
    expires_at: datetime

    @property
    def total(self) -> Money:
        """What the buyer pays."""
        return self.net + self.tax


def make(work: Work, *, course: CourseId, currency: str = "USD", channel: str = "platform") -> Offer:
    """Fix price, tax and revenue rule of a listed course for the actor, for half an hour.

    Raises NotFound for an unknown or unlisted course, Invalid for a currency that it is not sold in,
    Conflict when the actor has the course already or teaches it.
    """
    policy.require(work.actor, policy.Permission.BUY_COURSES)
    buyer = buyer_of(work)
    found = _listed(work, course, currency)
    _check_wanted(work, course, buyer)
    rule = _rule(work, channel)
    quote = QuoteId(ids.fresh(work.now))
    price = Money(found.list_minor, currency)
    offer = Offer(quote, course, found.title, price, price, Money.zero(currency), work.now + VALID_FOR)
    work.run(
        insert(Quote).values(
            quote_id=quote,
            buyer_id=buyer,
            course_id=course,
            currency=currency,
            list_minor=offer.list_price.minor,
            net_minor=offer.net.minor,
            tax_minor=offer.tax.minor,
            channel=channel,
            rule_id=rule,
            quoted_at=work.now,
            expires_at=offer.expires_at,
        )
    )
    return offer


def buyer_of(work: Work) -> UserId:
    """The person who buys. Raises Forbidden when a process acts, which has no purse."""
    if work.actor.user_id is None:
        raise Forbidden("not_a_person", "Only a person can buy.")
    return work.actor.user_id


def has_course(work: Work, *, course: CourseId, user: UserId) -> bool:
    """Whether a person may learn a course now."""
    wanted = (Enrolment.user_id == user) & (Enrolment.course_id == course) & (Enrolment.state == "active")
    return work.run(select(Enrolment.enrolment_id).where(wanted)).first() is not None


@dataclass(frozen=True, slots=True)
class _Listed:
    title: str
    list_minor: int


def _listed(work: Work, course: CourseId, currency: str) -> _Listed:
    open_price = and_(
        CoursePrice.course_id == Course.course_id,
        CoursePrice.currency == currency,
        CoursePrice.valid_to.is_(None),
    )
    found = work.run(
        select(Course.title, CoursePrice.list_minor)
        .outerjoin(CoursePrice, open_price)
        .where(Course.course_id == course, Course.status == "listed")
    ).one_or_none()
    if found is None:
        raise NotFound("course_unknown", "There is no such course on sale.", course=str(course))
    if found.list_minor is None:
        raise Invalid("currency", f"This course is not sold in {currency}: choose another currency.")
    return _Listed(found.title, found.list_minor)


def _check_wanted(work: Work, course: CourseId, buyer: UserId) -> None:
    if has_course(work, course=course, user=buyer):
        raise Conflict("already_enrolled", "You have this course already: open it under My learning.")
    teaches = work.run(
        select(CourseInstructor.course_id).where(
            CourseInstructor.course_id == course,
            CourseInstructor.instructor_id == buyer,
            CourseInstructor.valid_to.is_(None),
        )
    ).first()
    if teaches:
        raise Conflict("own_course", "You teach this course, so you cannot buy it.")


def _rule(work: Work, channel: str) -> RuleId:
    found = work.run(
        select(RevenueRule.rule_id).where(RevenueRule.channel == channel, RevenueRule.valid_to.is_(None))
    ).scalar_one_or_none()
    if found is None:
        raise Invalid("channel", "The channel must be platform or instructor.", channel=channel)
    return RuleId(found)
