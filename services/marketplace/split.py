"""How the price of one line is shared out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.kernel.ids import UserId
from services.kernel.money import BASIS_POINTS, Money


class Party(StrEnum):
    """Who a share belongs to."""

    PLATFORM = "platform"
    INSTRUCTOR = "instructor"
    TAX = "tax"


@dataclass(frozen=True, slots=True)
class Share:
    """What one party gets of a line, and the rate (basis points of the net price) behind it."""

    party: Party
    party_id: UserId | None
    amount: Money
    rate_bp: int


def shares(*, net: Money, tax: Money, instructor_bp: int, instructors: Mapping[UserId, int]) -> list[Share]:
    """Divide what a buyer paid so that the parts sum to it exactly.

    The instructors together get `instructor_bp` of the net price, rounded half up to a minor unit, and
    divide it by their own basis points (which sum to 10,000) by largest remainder; the platform keeps
    the rest of the net price; tax is passed on whole. Parts of zero are left out.
    """
    if sum(instructors.values()) != BASIS_POINTS:
        raise ValueError(f"the instructors' shares sum to {sum(instructors.values())}, not {BASIS_POINTS}")
    together = net.share(instructor_bp)
    parts = together.split(list(instructors.values()))
    earned = [
        Share(Party.INSTRUCTOR, instructor, part, instructor_bp * own_bp // BASIS_POINTS)
        for (instructor, own_bp), part in zip(instructors.items(), parts, strict=True)
    ]
    kept = Share(Party.PLATFORM, None, net - together, BASIS_POINTS - instructor_bp)
    passed_on = Share(Party.TAX, None, tax, 0)
    return [share for share in (*earned, kept, passed_on) if share.amount]
