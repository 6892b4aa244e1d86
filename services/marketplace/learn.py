"""What a learner has, and until when it can be given back."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from services.kernel.ids import CourseId, LineId, PurchaseId
from services.kernel.money import Money
from services.marketplace.quote import buyer_of
from services.marketplace.tables import Course, Purchase, PurchaseLine
from services.runtime.work import Work


@dataclass(frozen=True, slots=True)
class OwnedCourse:
    """A course that the learner bought or tried to buy, and where that stands.

    `state` is pending, held, matured, refunding, refunded or void; `refund_until` is there only while the
    learner may give the course back.
    """

    purchase_id: PurchaseId
    line_id: LineId
    course_id: CourseId
    title: str
    subject: str
    hours: Decimal
    paid: Money
    state: str
    begun_at: datetime
    settled_at: datetime | None
    ended_at: datetime | None
    refund_until: datetime | None


def mine(work: Work) -> list[OwnedCourse]:
    """Every course that the actor bought, newest first."""
    found = work.run(
        select(
            Purchase.purchase_id,
            Purchase.currency,
            Purchase.begun_at,
            Purchase.settled_at,
            Purchase.ended_at,
            PurchaseLine.purchase_line_id,
            PurchaseLine.course_id,
            PurchaseLine.net_minor,
            PurchaseLine.tax_minor,
            PurchaseLine.state,
            PurchaseLine.hold_until,
            Course.title,
            Course.subject,
            Course.hours,
        )
        .join(PurchaseLine, PurchaseLine.purchase_id == Purchase.purchase_id)
        .join(Course, Course.course_id == PurchaseLine.course_id)
        .where(Purchase.buyer_id == buyer_of(work), PurchaseLine.state != "void")
        .order_by(Purchase.begun_at.desc(), PurchaseLine.line_no)
    ).all()
    return [
        OwnedCourse(
            purchase_id=PurchaseId(row.purchase_id),
            line_id=LineId(row.purchase_line_id),
            course_id=CourseId(row.course_id),
            title=row.title,
            subject=row.subject,
            hours=row.hours,
            paid=Money(row.net_minor + row.tax_minor, row.currency),
            state=row.state,
            begun_at=row.begun_at,
            settled_at=row.settled_at,
            ended_at=row.ended_at,
            refund_until=row.hold_until
            if _may_give_back(row.state, row.net_minor + row.tax_minor, row.hold_until, work.now)
            else None,
        )
        for row in found
    ]


def _may_give_back(state: str, paid_minor: int, until: datetime | None, now: datetime) -> bool:
    return state == "held" and paid_minor > 0 and until is not None and now < until
