"""Money that takes an unusual way is on the figures, and still agrees to the cent."""

from datetime import timedelta
from pathlib import Path

from pipelines.run import Mode, Pipeline
from services.kernel.ids import LineId
from services.marketplace import refund
from tests.factories.marketplace import TEST, Market
from tests.integration.pipelines.told import ask, one
from warehouse.runs import State


def hear(market: Market, database: str, line: LineId) -> None:
    """Book what the processor says now of a line's refund."""
    known = one(database, "SELECT stripe_refund_id FROM refund WHERE purchase_line_id = %s", line)
    given_back = market.gateway.refund_state(known)
    with market.works.begin(TEST) as work:
        refund.learn_of(work, given_back=given_back)


def agreed(pipeline: Pipeline) -> None:
    """Carry, and see that the three stores agree."""
    result = pipeline.run(Mode.AUDIT)
    assert result.state is State.PUBLISHED
    assert result.reconciliation is not None
    assert result.reconciliation.agrees, result.reconciliation.differences
    assert result.reconciliation.differences == ()


def test_a_refund_that_the_bank_sends_back(
    market: Market, pipeline: Pipeline, database: str, folder: Path
) -> None:
    buyer = market.person()
    bought = market.buy(buyer, market.course(market.teacher()), card="pm_card_refundFail")
    market.give_back(buyer, bought.line)
    agreed(pipeline)
    market.pass_time(timedelta(days=2))
    hear(market, database, bought.line)
    agreed(pipeline)
    (sale,) = ask(folder, "FROM mart_instructor_sales")
    assert (sale["standing"], sale["returned_minor"], sale["kept_minor"]) == ("on hold", 0, 3_700)
    assert sale["refunded_at"] is None
    days = ask(folder, "FROM mart_instructor_days ORDER BY day")
    counts = [(day["sale_count"], day["refund_count"], day["earned_minor"]) for day in days]
    assert counts == [(1, 1, 0), (0, -1, 3_700)]
    market.give_back(buyer, bought.line)
    agreed(pipeline)
    (sale,) = ask(folder, "FROM mart_instructor_sales")
    assert (sale["standing"], sale["kept_minor"]) == ("refunded", 0)


def test_a_purchase_that_is_paid_twice(
    market: Market, pipeline: Pipeline, database: str, folder: Path
) -> None:
    buyer = market.person()
    bought = market.buy(buyer, market.course(market.teacher()))
    for time in ("second", "third"):
        paid = market.gateway.charge_card(
            subject=bought.purchase,
            customer=one(
                database, "SELECT stripe_customer_id FROM stripe_customer WHERE user_id = %s", buyer.user_id
            ),
            card="pm_card_visa",
            amount=bought.total,
            key=f"{time}:{bought.purchase}",
        )
        market.settle(bought.purchase, paid)
    agreed(pipeline)
    assert [sale["kept_minor"] for sale in ask(folder, "FROM mart_instructor_sales")] == [3_700]
