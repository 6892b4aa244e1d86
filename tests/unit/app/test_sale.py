"""One sale taken apart: the lines that exist add up, and no other line is shown."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.parts import sale
from app.parts.windows import Line

MINUS = "\N{MINUS SIGN}"


def sold(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - a column is of its own kind
    """A sale of 100.00 at 37 % without discount, tax, co-instructor or refund."""
    plain = {
        "purchase_line_id": "0193f3a0-0000-7000-8000-000000000000",
        "currency": "USD",
        "channel": "platform",
        "sold_at": datetime(2026, 11, 24, 12, tzinfo=UTC),
        "list_minor": 10_000,
        "discount_minor": 0,
        "tax_minor": 0,
        "paid_minor": 10_000,
        "fee_minor": 320,
        "rule_name": "Platform sale",
        "instructor_bp": 3_700,
        "rate_bp": 3_700,
        "platform_minor": 6_300,
        "co_instructors_minor": 0,
        "share_minor": 3_700,
        "returned_minor": 0,
        "kept_minor": 3_700,
        "refund_days": 30,
        "hold_until": datetime(2026, 12, 24, 12, tzinfo=UTC),
        "released_at": None,
        "refunded_at": None,
        "refund_reason": None,
        "standing": "on hold",
    }
    return {**plain, **changes}


def minor(line: Line) -> int:
    sign = -1 if line.figure.startswith((MINUS, "-")) else 1
    return sign * int(line.figure.translate(str.maketrans("", "", f"$,.+-{MINUS}")))


def adds_up(lines: list[Line]) -> bool:
    """Each total is the first line and the changes since, so that nothing between them is lost."""
    level = minor(lines[0])
    for line in lines[1:]:
        if line.is_total:
            if minor(line) != level:
                return False
        else:
            level += minor(line)
    return True


def words(lines: list[Line]) -> list[str]:
    return [line.words for line in lines]


def test_plain_sale_has_four_lines() -> None:
    lines = sale.lines(sold())
    assert words(lines) == ["List price", "Card fee", "Platform", "Your share"]
    assert [line.figure for line in lines] == ["$100.00", "$0.00", f"{MINUS}$63.00", "$37.00"]
    assert lines[1].why == "$3.20, borne by the platform: it takes nothing from you"
    assert lines[3].why == "37% of the price, by the rule “Platform sale”"
    assert adds_up(lines)


def test_every_line_that_can_exist() -> None:
    lines = sale.lines(
        sold(
            discount_minor=1_000,
            tax_minor=1_710,
            paid_minor=10_710,
            platform_minor=5_670,
            co_instructors_minor=1_665,
            rate_bp=1_850,
            share_minor=1_665,
            returned_minor=1_665,
            kept_minor=0,
            refunded_at=datetime(2026, 12, 1, tzinfo=UTC),
            refund_reason="quality",
            standing="refunded",
        )
    )
    assert words(lines) == [
        "List price",
        "Discount",
        "Tax",
        "The buyer paid",
        "Tax",
        "Card fee",
        "Platform",
        "Your co-instructors",
        "Your share",
        "Refund",
        "You keep",
    ]
    assert lines[9].why == "on 1 Dec 2026, because of: its quality"
    assert adds_up(lines)


@pytest.mark.parametrize("absent", [{"fee_minor": 0}, {"platform_minor": 0, "share_minor": 10_000}])
def test_lines_of_nothing_are_left_out(absent: dict[str, int]) -> None:
    lines = sale.lines(sold(**absent))
    assert len(lines) == 3
    assert adds_up(lines)


@given(
    listed=some.integers(100, 10**7),
    off=some.floats(0, 0.9),
    tax=some.floats(0, 0.25),
    bp=some.integers(0, 10_000),
    own=some.integers(1, 10_000),
)
def test_whatever_was_agreed_adds_up(*, listed: int, off: float, tax: float, bp: int, own: int) -> None:
    discount, net = int(listed * off), listed - int(listed * off)
    together = net * bp // 10_000
    share = together * own // 10_000
    lines = sale.lines(
        sold(
            list_minor=listed,
            discount_minor=discount,
            tax_minor=int(net * tax),
            paid_minor=net + int(net * tax),
            platform_minor=net - together,
            co_instructors_minor=together - share,
            share_minor=share,
            returned_minor=share,
            kept_minor=0,
            refunded_at=datetime(2026, 12, 1, tzinfo=UTC),
        )
    )
    assert adds_up(lines)


def test_dates_of_a_sale_on_hold_name_its_payout() -> None:
    assert sale.facts(sold()) == {
        "Sold": "24 Nov 2026, 12:00 UTC, found on the platform",
        "Hold": "30 days, until 24 Dec 2026",
        "Payout": "on 1 Jan 2027, unless it is refunded before",
        "Sale": "0193f3a0-0000-7000-8000-000000000000",
    }


def test_dates_of_a_released_sale_name_its_release() -> None:
    facts = sale.facts(sold(standing="available", released_at=datetime(2026, 12, 24, 13, tzinfo=UTC)))
    assert facts["Released"] == "24 Dec 2026"
    assert "Payout" not in facts
