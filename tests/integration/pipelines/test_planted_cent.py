"""One cent planted in any of the stores turns the reconciliation red and names the row."""

from datetime import timedelta
from typing import Any

import pytest

from pipelines.run import AUDIT_EVERY, Mode, Pipeline
from tests.factories.marketplace import Bought, Market
from tests.integration.pipelines.told import by_hand, one
from warehouse.runs import Difference, Reconciliation, State

POSTING = """
SELECT min(posting.journal_id || ':' || posting.line_no)
FROM posting JOIN ledger_account USING (account_id) JOIN journal USING (journal_id)
WHERE ledger_account.code = %s AND journal.kind = 'sale'
"""


@pytest.fixture
def bought(market: Market, pipeline: Pipeline) -> Bought:
    """Three sales of which the first is given back, all of them known to agree."""
    teacher = market.teacher()
    course = market.course({teacher: 6_000, market.teacher(): 4_000})
    buyer = market.person()
    bought = market.buy(buyer, course)
    market.buy(market.person(), course)
    market.buy(market.person(), market.course(teacher, price=4_999))
    market.give_back(buyer, bought.line)
    market.pass_time(timedelta(hours=2))  # longer than what is heard again each time
    assert compared(pipeline).agrees
    return bought


def compared(pipeline: Pipeline, mode: Mode = Mode.ROUTINE) -> Reconciliation:
    """What the next run finds."""
    found = pipeline.run(mode).reconciliation
    assert found is not None
    return found


def off(found: Reconciliation) -> dict[str, int]:
    """What is unexplained, by measure."""
    return {total.measure: total.unexplained_minor for total in found.totals if total.unexplained_minor}


def naming(found: Reconciliation, row: str) -> list[Difference]:
    """The differences that name a row."""
    return [difference for difference in found.differences if row in difference.subject]


@pytest.fixture(params=[True, False], ids=["logged", "behind the log's back"])
def is_logged(request: pytest.FixtureRequest, database: str) -> bool:
    """Whether the change log hears of a change by hand."""
    by_hand(database, "ALTER TABLE posting DISABLE TRIGGER append_only")
    if not request.param:
        by_hand(database, "ALTER TABLE posting DISABLE TRIGGER recorded")
    return bool(request.param)


@pytest.mark.usefixtures("bought")
@pytest.mark.parametrize("code", ["stripe_pending", "platform_share", "instructor_pending"])
def test_in_the_ledger(pipeline: Pipeline, database: str, code: str, is_logged: bool) -> None:  # noqa: FBT001 - a fixture
    key = one(database, POSTING, code)
    by_hand(
        database,
        "UPDATE posting SET amount_minor = amount_minor + 1 WHERE journal_id || ':' || line_no = %s",
        key,
    )
    found = compared(pipeline, Mode.AUDIT)
    assert not found.agrees
    assert off(found)["sum of the book"] == 1
    assert naming(found, f"journal {key.split(':')[0]}" if is_logged else f"posting {key}")


def test_in_the_processor(market: Market, pipeline: Pipeline, database: str, bought: Bought) -> None:
    movement = one(
        database,
        "SELECT stripe_balance_transaction_id FROM payment WHERE subject_id = %s",
        bought.purchase,
    )
    market.sandbox.control("POST", "/_control/plant", {"balance_transaction": movement, "cents": 1})
    found = compared(pipeline, Mode.AUDIT)
    assert off(found) == {"held by the processor": 1}
    (booked,) = [each for each in naming(found, movement) if each.stores == "ledger and processor"]
    assert (booked.reason, booked.ours_minor, booked.theirs_minor) == ("amount", 10_000, 10_001)
    assert f"sale:{bought.purchase}" in booked.subject
    assert compared(pipeline, Mode.AUDIT).agrees is False, "it stays red until it is mended"
    market.sandbox.control("POST", "/_control/plant", {"balance_transaction": movement, "cents": -1})
    compared(pipeline, Mode.AUDIT)
    assert compared(pipeline, Mode.AUDIT).agrees


@pytest.mark.usefixtures("bought")
@pytest.mark.parametrize("table", ["raw.posting", "fct_posting"])
def test_in_the_warehouse(market: Market, pipeline: Pipeline, table: str) -> None:
    planted = plant(pipeline, table, "amount_minor")
    market.clock.advance(AUDIT_EVERY)
    result = pipeline.run()
    assert result.state is State.CHECKS_FAILED
    assert result.reconciliation is not None
    assert not result.reconciliation.agrees
    (named,) = naming(result.reconciliation, f"posting {planted['journal_id']}:{planted['line_no']}")
    assert (named.stores, named.theirs_minor) == ("ledger and warehouse", (named.ours_minor or 0) + 1)
    assert pipeline.run(Mode.RELOAD).state is State.PUBLISHED, "a reload heals it"
    assert compared(pipeline, Mode.AUDIT).agrees


@pytest.mark.usefixtures("bought")
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("fct_earning", "share_minor"),
        ("fct_earning_change", "share_minor"),
        ("mart_instructor_sales", "kept_minor"),
        ("mart_instructor_days", "earned_minor"),
        ("mart_instructor_months", "earned_minor"),
        ("mart_instructor_balances", "amount_minor"),
    ],
)
def test_in_any_figure_that_pages_read(market: Market, pipeline: Pipeline, table: str, column: str) -> None:
    planted = plant(pipeline, table, column)
    market.clock.advance(AUDIT_EVERY)
    result = pipeline.run()
    assert result.state is State.CHECKS_FAILED
    named = "".join(row for each in result.outcomes for row in each.rows if not each.passed)
    assert str(planted["instructor_id"]) in named
    assert pipeline.run(Mode.RELOAD).state is State.PUBLISHED


def test_a_movement_that_was_never_booked(market: Market, pipeline: Pipeline, database: str) -> None:
    begun = market.begun(market.person(), market.course(market.teacher()))
    session = one(
        database, "SELECT stripe_checkout_session_id FROM payment WHERE subject_id = %s", begun.purchase
    )
    market.sandbox.control("POST", f"/_control/pay/{session}", {"payment_method": "pm_card_visa"})
    early = compared(pipeline, Mode.AUDIT)
    assert early.agrees
    (late,) = early.differences
    assert (late.reason, late.ours_minor, late.theirs_minor) == ("timing", None, 10_000)
    market.clock.advance(timedelta(minutes=21))
    found = compared(pipeline, Mode.AUDIT)
    assert not found.agrees
    assert [each.reason for each in found.differences] == ["missing here"]
    assert off(found) == {"held by the processor": 9_680, "fees of the processor": 320}


@pytest.mark.usefixtures("bought")
def test_bookings_without_a_movement(market: Market, pipeline: Pipeline) -> None:
    market.sandbox.control("POST", "/_control/reset")
    market.clock.advance(timedelta(minutes=21))
    found = compared(pipeline, Mode.AUDIT)
    assert [each.reason for each in found.differences] == ["missing there"] * 4


def plant(pipeline: Pipeline, table: str, column: str) -> dict[str, Any]:
    """Add a cent to the first row of a table, as a hand that has no business there; gives that row."""
    connection = pipeline._writer.connection  # noqa: SLF001 - the file has one owner, and a hand is not it
    ((first,),) = connection.execute(f"SELECT min(rowid) FROM {table}").fetchall()  # noqa: S608 - a name of the test
    connection.execute(f"UPDATE {table} SET {column} = {column} + 1 WHERE rowid = {first}")  # noqa: S608 - names of the test
    (row,) = connection.sql(f"FROM {table} WHERE rowid = {first}").pl().to_dicts()
    return dict(row)
