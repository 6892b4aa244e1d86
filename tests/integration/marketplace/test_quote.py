"""A price is held for whoever may buy, and nobody else gets one."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from services.kernel.actor import Actor, Role, system
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from services.kernel.ids import CourseId, UserId
from services.kernel.money import Money
from services.marketplace.tables import Course, Quote
from tests.factories.marketplace import TEST, Market


def test_a_quote_holds_price_and_rule_for_half_an_hour(market: Market) -> None:
    course, buyer = market.course(market.teacher(), price=4_999), market.person()
    offer = market.quote(buyer, course)
    assert (offer.list_price, offer.net, offer.tax, offer.total) == (
        Money(4_999, "USD"),
        Money(4_999, "USD"),
        Money(0, "USD"),
        Money(4_999, "USD"),
    )
    assert offer.expires_at == market.clock.now() + timedelta(minutes=30)
    with market.works.begin(TEST) as work:
        row = work.run(select(Quote).where(Quote.quote_id == offer.quote_id)).one()
    assert (row.buyer_id, row.course_id, row.channel) == (buyer.user_id, course, "platform")


def test_an_unknown_course_has_no_price(market: Market) -> None:
    with pytest.raises(NotFound) as refused:
        market.quote(market.person(), CourseId(uuid4()))
    assert refused.value.code == "course_unknown"


@pytest.mark.parametrize("status", ["draft", "unlisted", "withdrawn"])
def test_a_course_that_is_not_on_sale_is_as_unknown(market: Market, status: str) -> None:
    course = market.course(market.teacher())
    with market.works.begin(TEST) as work:
        work.run(update(Course).where(Course.course_id == course).values(status=status))
    with pytest.raises(NotFound, match="no such course on sale"):
        market.quote(market.person(), course)


def test_a_currency_or_a_channel_that_there_is_not_names_the_field(market: Market) -> None:
    course, buyer = market.course(market.teacher()), market.person()
    for facts, field in (({"currency": "EUR"}, "currency"), ({"channel": "friends"}, "channel")):
        with pytest.raises(Invalid) as refused:
            market.quote(buyer, course, **facts)
        assert refused.value.field == field


def test_nobody_buys_what_they_teach_or_have(market: Market) -> None:
    first, second, buyer = market.teacher(), market.teacher(), market.person()
    course = market.course({first: 6_000, second: 4_000})
    for teacher in (first, second):
        with pytest.raises(Conflict) as refused:
            market.quote(teacher, course)
        assert refused.value.code == "own_course"
    market.buy(buyer, course)
    with pytest.raises(Conflict) as refused:
        market.quote(buyer, course)
    assert refused.value.code == "already_enrolled"


def test_a_process_and_somebody_without_a_role_buy_nothing(market: Market) -> None:
    course = market.course(market.teacher())
    for actor in (system("worker"), Actor("Nobody", UserId(uuid4()), frozenset())):
        with pytest.raises(Forbidden):
            market.quote(actor, course)


@pytest.mark.parametrize("role", list(Role))
def test_whoever_may_buy_gets_a_price(market: Market, role: Role) -> None:
    course = market.course(market.teacher())
    assert market.quote(market.person(role), course).total == Money(10_000, "USD")


def test_a_new_rule_changes_no_quote_that_was_made(market: Market) -> None:
    teacher, buyer = market.teacher(), market.person()
    course = market.course(teacher)
    offer = market.quote(buyer, course)
    market.rule("platform", instructor_bp=5_000)
    market.begin(buyer, offer, card="pm_card_visa")
    assert market.earned(teacher) == (3_700, 0)
