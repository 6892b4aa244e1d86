"""A line goes back once, however many ask for it at the same moment, and whatever else happens to it."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, func, select

from services.kernel.actor import Actor, Role
from services.kernel.errors import Conflict
from services.ledger.tables import Journal
from services.marketplace import mature, refund
from services.marketplace.refund import GivenBack
from services.payments.tables import Refund
from services.stripe.facts import RefundState
from tests import books
from tests.contenders import at_once, patient
from tests.factories.marketplace import TEST, Bought, Market

ROUNDS = 8
CONTENDERS = 8
WINDOW = timedelta(days=30)


@pytest.fixture
def teacher(market: Market) -> Actor:
    """Somebody who teaches."""
    return market.teacher()


def count(engine: Engine, kind: str) -> int:
    """How many journals of a kind there are."""
    with engine.connect() as connection:
        return connection.execute(
            select(func.count()).select_from(Journal).where(Journal.kind == kind)
        ).scalar_one()


def refunds_at_stripe(market: Market) -> int:
    """How many refunds the processor knows of this test's purchases."""
    with market.works.begin(TEST) as work:
        ours = set(work.run(select(Refund.stripe_refund_id)).scalars())
    listed = market.sandbox.get("/v1/refunds", {"limit": "100"})["data"]
    return len([each for each in listed if each["id"] in ours])


def test_eight_different_keys_at_once_give_back_once(market: Market, teacher: Actor, engine: Engine) -> None:
    course = market.course(teacher)
    for turn in range(ROUNDS):
        buyer = market.person()
        bought = market.buy(buyer, course)
        answers = at_once([partial(market.give_back, buyer, bought.line)] * CONTENDERS)
        given = [answer for answer in answers if isinstance(answer, GivenBack)]
        others = {answer.code for answer in answers if isinstance(answer, Conflict)}
        assert (len(given), others) == (1, {"refunded_already"}), answers
        assert len(answers) == CONTENDERS
        assert count(engine, "refund") == turn + 1
    assert refunds_at_stripe(market) == ROUNDS
    assert market.earned(teacher) == (0, 0)
    assert books.faults(engine) == []


def test_the_same_key_eight_times_at_once_gives_back_once_with_equal_answers(
    market: Market, teacher: Actor, engine: Engine
) -> None:
    course = market.course(teacher)
    for _ in range(ROUNDS):
        buyer = market.person()
        bought = market.buy(buyer, course)
        answers = at_once([partial(market.give_back, buyer, bought.line, key="press-1")] * CONTENDERS)
        assert len({repr(answer) for answer in answers}) == 1, answers
        assert isinstance(answers[0], GivenBack)
    assert (count(engine, "refund"), refunds_at_stripe(market)) == (ROUNDS, ROUNDS)
    assert market.earned(teacher) == (0, 0)
    assert books.faults(engine) == []


def test_buyer_support_and_the_processors_news_at_once_give_back_once(
    market: Market, teacher: Actor, engine: Engine
) -> None:
    support, course = market.person(Role.SUPPORT), market.course(teacher)
    for _ in range(ROUNDS // 2):
        buyer = market.person()
        bought = market.buy(buyer, course)
        given = market.give_back(buyer, bought.line)
        word = _word(market, given)

        def hear(word: RefundState = word) -> None:
            with market.works.begin(TEST) as work:
                refund.learn_of(work, given_back=word)

        def ask(actor: Actor, bought: Bought = bought) -> None:
            market.give_back(actor, bought.line)

        answers = at_once([*[partial(hear)] * 3, partial(ask, buyer), partial(ask, support)])
        assert answers[:3] == [None] * 3
        assert [type(answer) for answer in answers[3:]] == [Conflict, Conflict]
    assert count(engine, "refund") == ROUNDS // 2
    assert market.earned(teacher) == (0, 0)
    assert books.faults(engine) == []


def test_giving_back_while_maturing_runs_leaves_nobody_with_anything(
    market: Market, teacher: Actor, engine: Engine
) -> None:
    other, support = market.teacher(), market.person(Role.SUPPORT)
    courses = [market.course({teacher: 7_000, other: 3_000}), market.course(other), market.course(teacher)]
    for _ in range(3):
        sold = [market.buy(market.person(), course) for course in courses]
        market.pass_time(WINDOW)

        def give_back(bought: Bought) -> None:
            market.give_back(support, bought.line)

        def release() -> None:
            market.mature()

        answers = at_once(
            [
                patient(act)
                for act in (*(partial(give_back, bought) for bought in sold), *[partial(release)] * 5)
            ]
        )
        assert answers == [None] * (len(sold) + 5)
        assert market.earned(teacher) == market.earned(other) == (0, 0)
    assert len(courses) < mature.AT_ONCE
    assert market.mature() == 0
    assert books.faults(engine) == []


def _word(market: Market, given: GivenBack) -> RefundState:
    with market.works.begin(TEST) as work:
        known = work.run(
            select(Refund.stripe_refund_id).where(Refund.refund_id == given.refund_id)
        ).scalar_one()
    return market.gateway.refund_state(str(known))
