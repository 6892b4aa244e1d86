"""Courses put on sale, their prices, and who may do either."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text

from services.identity.tables import UserAccount
from services.kernel.actor import Actor, Role, system
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from services.kernel.ids import CourseId, UserId
from services.kernel.money import Money
from services.marketplace import browse, catalogue, quote
from services.marketplace.browse import Card, Wanted
from services.marketplace.catalogue import Listing
from services.marketplace.tables import Course, CoursePrice
from services.runtime.work import Work
from tests.factories.marketplace import Market

FACTS: dict[str, object] = {
    "title": "Rope bridges",
    "subject": "Ropework",
    "level": "All Levels",
    "hours": Decimal("2.5"),
    "description": "From bank to bank.",
    "price": Money(4_900, "USD"),
}
ANYBODY = Actor("anybody", None, frozenset())


def _id(person: Actor) -> UserId:
    assert person.user_id is not None
    return person.user_id


def _list(market: Market, actor: Actor, owner: Actor, **other: object) -> CourseId:
    facts: dict[str, Any] = {**FACTS, **other}
    with market.works.begin(actor) as work:
        return catalogue.list_course(work, owner=_id(owner), **facts)


def _found(market: Market) -> list[Card]:
    with market.works.begin(ANYBODY) as work:
        return list(browse.courses(work, wanted=Wanted(), skip=0, take=10))


def test_a_listed_course_is_found_by_anybody_with_its_price_and_its_instructors(market: Market) -> None:
    maya, ravi = market.teacher(), market.teacher()
    shared = {_id(maya): 6_000, _id(ravi): 4_000}
    course = _list(market, maya, maya, instructors=shared)
    (card,) = _found(market)
    assert (card.course_id, card.title, card.price) == (course, "Rope bridges", Money(4_900, "USD"))
    assert (card.hours, card.instructors, card.stands) == (Decimal("2.50"), "Robin Test, Robin Test", None)
    with market.works.begin(ANYBODY) as work:
        sheet = browse.course(work, course=course)
    assert (sheet.description, sheet.listed_at) == ("From bank to bank.", market.clock.now())


def test_a_course_of_several_pays_each_instructor_their_part(market: Market) -> None:
    maya, ravi = market.teacher(), market.teacher()
    course = _list(market, maya, maya, instructors={_id(maya): 7_500, _id(ravi): 2_500})
    market.buy(market.person(), course)
    assert (market.earned(maya), market.earned(ravi)) == ((1_360, 0), (453, 0))


def test_a_new_price_counts_from_now_on_and_a_held_quote_keeps_the_old_one(market: Market) -> None:
    maya, buyer = market.teacher(), market.person()
    course = _list(market, maya, maya)
    held = market.quote(buyer, course)
    with market.works.begin(maya) as work:
        catalogue.set_price(work, course=course, price=Money(5_900, "USD"))
    assert market.quote(market.person(), course).total == Money(5_900, "USD")
    assert market.begin(buyer, held).total == Money(4_900, "USD")
    with market.works.begin(maya) as work:
        catalogue.set_price(work, course=course, price=Money(5_900, "USD"))
        rows = work.run(select(CoursePrice.list_minor)).scalars()
        assert sorted(rows) == [4_900, 5_900], "the same price again is no new price"


def test_another_currency_gets_a_price_of_its_own(market: Market) -> None:
    maya = market.teacher()
    course = _list(market, maya, maya)
    with market.works.begin(maya) as work:
        catalogue.set_price(work, course=course, price=Money(4_500, "EUR"))
    assert market.quote(market.person(), course, currency="EUR").total == Money(4_500, "EUR")
    assert market.quote(market.person(), course).total == Money(4_900, "USD")


def test_a_price_changes_from_cost_to_free_and_back(market: Market) -> None:
    maya, buyer = market.teacher(), market.person()
    course = _list(market, maya, maya, price=Money(0, "USD"))
    assert market.begin(buyer, market.quote(buyer, course)).state == "settled"
    with market.works.begin(maya) as work:
        catalogue.set_price(work, course=course, price=Money(50, "USD"))
    assert [card.price.minor for card in _found(market)] == [50]
    with market.works.begin(buyer) as work, pytest.raises(Conflict):
        quote.make(work, course=course)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("title", ""),
        ("title", "x" * 301),
        ("title", "two\nlines"),
        ("title", "a \0 byte"),
        ("title", "half a pair \ud800"),
        ("subject", " "),
        ("level", "x" * 51),
        ("hours", Decimal("-0.5")),
        ("hours", Decimal("2.555")),
        ("hours", Decimal("NaN")),
        ("hours", Decimal(10_001)),
        ("description", "x" * 10_001),
        ("description", "\0"),
        ("price", Money(-1, "USD")),
        ("price", Money(49, "USD")),
        ("price", Money(100_000_000, "USD")),
    ],
)
def test_a_field_that_does_not_fit_is_named_and_nothing_is_listed(
    market: Market, field: str, wrong: object
) -> None:
    maya = market.teacher()
    with pytest.raises(Invalid) as refusal:
        _list(market, maya, maya, **{field: wrong})
    assert refusal.value.field == field
    assert not _found(market)


def test_only_the_owner_and_the_keepers_of_the_catalogue_list_and_price(market: Market) -> None:
    maya, ravi, founder = market.teacher(), market.teacher(), market.person(Role.FOUNDER)
    learner, support = market.person(), market.person(Role.SUPPORT)
    course = _list(market, founder, maya)
    for stranger, code in ((ravi, "not_own_course"), (learner, "not_permitted"), (support, "not_permitted")):
        with pytest.raises(Forbidden) as refusal:
            _list(market, stranger, maya)
        assert refusal.value.code == code
        with market.works.begin(stranger) as work, pytest.raises(Forbidden):
            catalogue.set_price(work, course=course, price=Money(100, "USD"))
    assert [card.price.minor for card in _found(market)] == [4_900]


def test_shares_must_be_whole_and_of_people_who_may_teach(market: Market) -> None:
    maya, ravi, learner = market.teacher(), market.teacher(), market.person()
    for sharing in (
        {_id(maya): 9_999},
        {_id(maya): 10_001, _id(ravi): -1},
        {_id(ravi): 10_000},
        {_id(maya): 5_000, _id(learner): 5_000},
    ):
        with pytest.raises(Invalid) as refusal:
            _list(market, maya, maya, instructors=sharing)
        assert refusal.value.field == "instructors"
    with pytest.raises(Invalid):
        _list(market, system("test"), learner)


def test_an_external_key_stands_for_one_course_and_a_batch_is_all_or_nothing(market: Market) -> None:
    maya = market.teacher()
    _list(market, maya, maya, external_key="import:1")
    listings = [
        Listing("One", "S", "L", Decimal(1), "", Money(0, "USD"), key) for key in ("import:2", "import:1")
    ]
    with pytest.raises(Conflict), market.works.begin(maya) as work:
        catalogue.list_courses(work, owner=_id(maya), listings=listings)
    with market.works.begin(maya) as work:
        assert list(work.run(select(Course.external_key)).scalars()) == ["import:1"]


def test_a_price_for_an_unknown_course_is_refused(market: Market) -> None:
    with pytest.raises(NotFound), market.works.begin(market.person(Role.FOUNDER)) as work:
        catalogue.set_price(work, course=CourseId(_id(market.person())), price=Money(100, "USD"))


def test_every_listing_and_every_price_is_in_the_audit_log(market: Market) -> None:
    maya = market.teacher()
    course = _list(market, maya, maya)
    with market.works.begin(maya) as work:
        catalogue.set_price(work, course=course, price=Money(5_900, "USD"))
        assert _audited(work, course) == [
            ("course.listed", {"owner": str(maya.user_id)}),
            ("course.priced", {"before_minor": 4_900, "after_minor": 5_900, "currency": "USD"}),
        ]


def test_a_teacher_is_found_by_e_mail_and_a_learner_is_not(market: Market) -> None:
    maya, learner = market.teacher(), market.person()
    with market.works.begin(maya) as work:
        assert catalogue.teacher_by_email(work, email=f" {_email(work, maya).upper()} ") == maya.user_id
        for unknown in (_email(work, learner), "nobody@example.com"):
            with pytest.raises(NotFound, match=unknown):
                catalogue.teacher_by_email(work, email=unknown)


def _email(work: Work, person: Actor) -> str:
    asked = select(UserAccount.email).where(UserAccount.user_id == person.user_id)
    return work.run(asked).scalar_one()


def _audited(work: Work, course: CourseId) -> list[tuple[str, dict[str, object]]]:
    asked = text("SELECT action, facts FROM audit_log WHERE object_id = :course ORDER BY audit_id")
    return [(row.action, row.facts) for row in work.run(asked, {"course": str(course)})]
