"""Earnings mature while others sell, mature and give back, and nobody waits in a circle."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, text

from services.kernel.actor import Actor
from tests import books
from tests.contenders import at_once, patient
from tests.factories.marketplace import Market, paid

SALES = 18


@pytest.fixture
def teachers(market: Market) -> list[Actor]:
    """Three people who teach alone and together."""
    return [market.teacher() for _ in range(3)]


def deadlocks(engine: Engine) -> int:
    """How many transactions Postgres broke off because they waited for each other."""
    with engine.connect() as connection:
        return int(
            connection.execute(
                text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            ).scalar_one()
        )


def test_releasing_while_others_sell_never_waits_in_a_circle(
    market: Market, engine: Engine, teachers: list[Actor]
) -> None:
    alone = [market.course(teacher) for teacher in teachers]
    together = market.course({teachers[0]: 5_000, teachers[1]: 3_000, teachers[2]: 2_000})
    buyers = [market.person() for _ in range(SALES)]
    due = [market.begun(buyer, alone[number % 3]) for number, buyer in enumerate(buyers)]
    for number, bought in enumerate(due):  # released in the other order than that of their accounts
        at = market.clock.now() - timedelta(minutes=number % 3)
        market.settle(bought.purchase, paid(bought.purchase, bought.total, at=at))
    market.pass_time(timedelta(days=30))
    new = [market.begun(buyer, together) for buyer in buyers]
    word = [paid(bought.purchase, bought.total, at=market.clock.now()) for bought in new]
    sell = [partial(market.settle, bought.purchase, each) for bought, each in zip(new, word, strict=True)]

    def release() -> None:
        market.mature()

    answers = at_once([patient(act) for act in (*sell, *[partial(release)] * 2)])
    assert answers == [None] * (SALES + 2)
    assert deadlocks(engine) == 0
    market.mature()
    assert [market.earned(teacher)[1] for teacher in teachers] == [SALES // 3 * 3_700] * 3
    assert [market.earned(teacher)[0] for teacher in teachers] == [
        SALES * part for part in (1_850, 1_110, 740)
    ]
    assert books.faults(engine) == []
