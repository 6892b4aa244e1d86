"""Courses, prices, revenue rules, quotes, purchases, shares and enrolments."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.runtime.database import Base, Currency, Small, exported


@exported(
    "course_id", "external_key", "title", "subject", "level", "hours", "status", "owner_id", "listed_at"
)
class Course(Base):
    """Something to learn, owned by one instructor."""

    __tablename__ = "course"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'listed', 'unlisted', 'withdrawn')", name="status"),
        Index("uq_course_external_key", "external_key", unique=True),
        Index("ix_course_title", text("lower(title)")),
    )

    course_id: Mapped[UUID] = mapped_column(primary_key=True)
    external_key: Mapped[str | None]
    title: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    level: Mapped[str]
    hours: Mapped[Decimal]
    description: Mapped[str]
    status: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    listed_at: Mapped[datetime | None]


class CoursePrice(Base):
    """What a course costs in one currency from one instant on; the next price ends the last."""

    __tablename__ = "course_price"
    __table_args__ = (
        CheckConstraint("list_minor >= 0", name="list"),
        Index(
            "uq_course_price_open",
            "course_id",
            "currency",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
        ),
    )

    course_price_id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.course_id"), index=True)
    currency: Mapped[Currency]
    list_minor: Mapped[int]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]


class CourseInstructor(Base):
    """Who shares in a course's earnings, in basis points that sum to 10,000."""

    __tablename__ = "course_instructor"
    __table_args__ = (CheckConstraint("share_bp BETWEEN 1 AND 10000", name="share"),)

    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.course_id"), primary_key=True)
    instructor_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.user_id"), primary_key=True)
    valid_from: Mapped[datetime] = mapped_column(primary_key=True)
    valid_to: Mapped[datetime | None]
    share_bp: Mapped[Small]


@exported()
class RevenueRule(Base):
    """Which part of the net price the instructors get, by the channel that brought the sale."""

    __tablename__ = "revenue_rule"
    __table_args__ = (
        CheckConstraint("channel IN ('platform', 'instructor')", name="channel"),
        CheckConstraint("instructor_bp BETWEEN 0 AND 10000", name="share"),
        Index("uq_revenue_rule_open", "channel", unique=True, postgresql_where=text("valid_to IS NULL")),
    )

    rule_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    channel: Mapped[str]
    instructor_bp: Mapped[Small]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]


class Quote(Base):
    """A price with its tax and rule, held for the buyer until it expires."""

    __tablename__ = "quote"

    quote_id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.user_id"))
    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.course_id"))
    currency: Mapped[Currency]
    list_minor: Mapped[int]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    channel: Mapped[str]
    rule_id: Mapped[UUID] = mapped_column(ForeignKey("revenue_rule.rule_id"))
    quoted_at: Mapped[datetime]
    expires_at: Mapped[datetime]


@exported()
class Purchase(Base):
    """One checkout by one buyer."""

    __tablename__ = "purchase"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'settled', 'refunded', 'abandoned', 'review')", name="state"),
        UniqueConstraint("quote_id"),
    )

    purchase_id: Mapped[UUID] = mapped_column(primary_key=True)
    quote_id: Mapped[UUID] = mapped_column(ForeignKey("quote.quote_id"))
    buyer_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    currency: Mapped[Currency]
    total_minor: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="pending")
    channel: Mapped[str]
    begun_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


@exported()
class PurchaseLine(Base):
    """One course in a purchase, with the rule and the rate frozen as they were at the sale."""

    __tablename__ = "purchase_line"
    __table_args__ = (
        UniqueConstraint("purchase_id", "line_no"),
        CheckConstraint(
            "list_minor - discount_minor = net_minor AND net_minor >= 0 AND tax_minor >= 0", name="sums"
        ),
        CheckConstraint(
            "state IN ('pending', 'held', 'matured', 'refunding', 'refunded', 'void')", name="state"
        ),
        Index("ix_purchase_line_hold", "hold_until", postgresql_where=text("state = 'held'")),
    )

    purchase_line_id: Mapped[UUID] = mapped_column(primary_key=True)
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchase.purchase_id"))
    line_no: Mapped[Small]
    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.course_id"), index=True)
    list_minor: Mapped[int]
    discount_minor: Mapped[int]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    rule_id: Mapped[UUID] = mapped_column(ForeignKey("revenue_rule.rule_id"))
    instructor_bp: Mapped[Small]
    refund_days: Mapped[Small]
    hold_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(server_default="pending")


@exported()
class LineShare(Base):
    """What one party gets of a line; the shares of a line sum to its net plus tax."""

    __tablename__ = "line_share"
    __table_args__ = (
        CheckConstraint("party_kind IN ('platform', 'instructor', 'tax')", name="party_kind"),
        CheckConstraint("amount_minor >= 0", name="amount"),
        UniqueConstraint("purchase_line_id", "party_kind", "party_id", postgresql_nulls_not_distinct=True),
    )

    purchase_line_id: Mapped[UUID] = mapped_column(
        ForeignKey("purchase_line.purchase_line_id"), primary_key=True
    )
    share_no: Mapped[Small] = mapped_column(primary_key=True)
    party_kind: Mapped[str]
    party_id: Mapped[UUID | None]
    amount_minor: Mapped[int]
    rate_bp: Mapped[Small]


@exported()
class Enrolment(Base):
    """A learner's access to a course."""

    __tablename__ = "enrolment"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'revoked')", name="state"),
        Index(
            "uq_enrolment_live",
            "user_id",
            "course_id",
            unique=True,
            postgresql_where=text("state = 'active'"),
        ),
    )

    enrolment_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.user_id"))
    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.course_id"), index=True)
    purchase_line_id: Mapped[UUID] = mapped_column(ForeignKey("purchase_line.purchase_line_id"), unique=True)
    state: Mapped[str] = mapped_column(server_default="active")
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
