"""One sale explained to the last cent; only lines that exist."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.parts.windows import Line
from app.wording import change_exact, day, moment, money, percent, t
from services.kernel.money import Money
from services.kernel.time import first_of_next_month

BASIS_POINTS = 10_000
REASONS = {
    "not_what_i_expected": "it was not what the buyer expected",
    "bought_by_mistake": "it was bought by mistake",
    "quality": "its quality",
    "duplicate": "it was bought twice",
    "goodwill": "goodwill of support",
    "other": "another reason",
    "made_at_stripe": "made at the processor",
}
CHANNELS = {"platform": "found on the platform", "instructor": "brought by you"}

Sale = Mapping[str, Any]


def lines(sale: Sale) -> list[Line]:
    """From the list price to what the instructor keeps; every figure between two totals is a change."""
    return [*_paid(sale), *_shared(sale), *_given_back(sale)]


def facts(sale: Sale) -> dict[str, str]:
    """When it was sold, how long it is held, and when it is paid."""
    found = {t("Sold"): t("{at}, {how}", at=moment(sale["sold_at"]), how=t(CHANNELS[sale["channel"]]))}
    if sale["hold_until"] is not None:
        found[t("Hold")] = t(
            "{days} days, until {day}", days=sale["refund_days"], day=_on(sale["hold_until"])
        )
    if sale["standing"] == "on hold":
        payout = first_of_next_month(sale["hold_until"].date())
        found[t("Payout")] = t("on {day}, unless it is refunded before", day=day(payout))
    if sale["released_at"] is not None:
        found[t("Released")] = _on(sale["released_at"])
    found[t("Sale")] = str(sale["purchase_line_id"])
    return found


def _paid(sale: Sale) -> list[Line]:
    listed = [Line(t("List price"), money(_of(sale, "list_minor")))]
    if sale["discount_minor"]:
        listed.append(Line(t("Discount"), change_exact(-_of(sale, "discount_minor"))))
    if sale["tax_minor"]:
        listed.append(Line(t("Tax"), change_exact(_of(sale, "tax_minor")), t("added for the tax office")))
    paid = Line(t("The buyer paid"), money(_of(sale, "paid_minor")), is_total=True)
    return [*listed, paid] if len(listed) > 1 else [*listed]


def _shared(sale: Sale) -> list[Line]:
    rule = percent(1 - sale["instructor_bp"] / BASIS_POINTS)
    parts: list[Line] = []
    if sale["tax_minor"]:
        parts.append(Line(t("Tax"), change_exact(-_of(sale, "tax_minor")), t("passed on to the tax office")))
    if sale["fee_minor"]:
        fee = t("{fee}, borne by the platform: it takes nothing from you", fee=money(_of(sale, "fee_minor")))
        parts.append(Line(t("Card fee"), money(Money.zero(sale["currency"])), fee))
    if sale["platform_minor"]:
        why = t("{rate} of the price, by the rule “{rule}”", rate=rule, rule=sale["rule_name"])
        parts.append(Line(t("Platform"), change_exact(-_of(sale, "platform_minor")), why))
    if sale["co_instructors_minor"]:
        parts.append(Line(t("Your co-instructors"), change_exact(-_of(sale, "co_instructors_minor"))))
    share = percent(sale["rate_bp"] / BASIS_POINTS)
    why = t("{rate} of the price, by the rule “{rule}”", rate=share, rule=sale["rule_name"])
    return [*parts, Line(t("Your share"), money(_of(sale, "share_minor")), why, is_total=True)]


def _given_back(sale: Sale) -> list[Line]:
    if not sale["returned_minor"]:
        return []
    reason = REASONS.get(sale["refund_reason"] or "", REASONS["other"])
    why = t("on {day}, because of: {reason}", day=_on(sale["refunded_at"]), reason=t(reason))
    return [
        Line(t("Refund"), change_exact(-_of(sale, "returned_minor")), why),
        Line(t("You keep"), money(_of(sale, "kept_minor")), is_total=True),
    ]


def _of(sale: Sale, column: str) -> Money:
    return Money(sale[column], sale["currency"])


def _on(at: datetime) -> str:
    return day(at.date())
