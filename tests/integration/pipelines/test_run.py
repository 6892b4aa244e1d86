"""Figures follow what happened: sold, given back, matured; and stand when something fails."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from pipelines.run import AUDIT_EVERY, Mode, Pipeline
from services.kernel.errors import Unavailable
from services.stripe.gateway import Gateway
from tests.factories.marketplace import Market
from tests.integration.pipelines.told import ask, by_hand, kept, looked_at, marts
from warehouse import files
from warehouse.files import WriterBusyError
from warehouse.runs import State

FULL = 10_000
SHARE = 3_700


def test_a_sale_is_on_the_figures_after_one_run(market: Market, pipeline: Pipeline, folder: Path) -> None:
    teacher = market.teacher()
    bought = market.buy(market.person(), market.course(teacher))
    result = pipeline.run()
    assert (result.state, result.version) == (State.PUBLISHED, "v1")
    (sale,) = ask(folder, "FROM mart_instructor_sales")
    assert UUID(sale["purchase_line_id"]) == bought.line
    assert UUID(sale["instructor_id"]) == teacher.user_id
    figures = (
        "list_minor",
        "paid_minor",
        "fee_minor",
        "platform_minor",
        "share_minor",
        "kept_minor",
        "rate_bp",
    )
    assert [sale[name] for name in figures] == [FULL, FULL, 320, 6_300, SHARE, SHARE, SHARE]
    assert sale["rule_name"] == "Platform sale, 37 % of net"
    assert sale["standing"] == "on hold"
    assert sale["hold_until"] - sale["sold_at"] == timedelta(days=30)


def test_a_refund_leaves_the_figures(market: Market, pipeline: Pipeline, folder: Path) -> None:
    buyer = market.person()
    bought = market.buy(buyer, market.course(market.teacher()))
    pipeline.run()
    market.pass_time(timedelta(days=1))
    market.give_back(buyer, bought.line, reason="quality")
    assert pipeline.run().state is State.PUBLISHED
    (sale,) = ask(folder, "FROM mart_instructor_sales")
    assert (sale["standing"], sale["returned_minor"], sale["kept_minor"]) == ("refunded", SHARE, 0)
    assert sale["refund_reason"] == "quality"
    days = ask(folder, "FROM mart_instructor_days ORDER BY day")
    assert [(day["sale_count"], day["refund_count"], day["earned_minor"]) for day in days] == [
        (1, 0, SHARE),
        (0, 1, -SHARE),
    ]
    assert ask(folder, "FROM mart_instructor_balances") == []


def test_earnings_that_matured_are_available(market: Market, pipeline: Pipeline, folder: Path) -> None:
    market.buy(market.person(), market.course(market.teacher()))
    market.pass_time(timedelta(days=31))
    market.mature()
    pipeline.run()
    (held,) = ask(folder, "FROM mart_instructor_balances")
    assert (held["bucket"], held["hold_until"], held["amount_minor"]) == ("available", None, SHARE)
    (sale,) = ask(folder, "FROM mart_instructor_sales")
    assert (sale["standing"], sale["released_at"]) == ("available", market.clock.now())


def test_the_shares_of_several_teachers_and_currencies_stay_apart(
    market: Market, pipeline: Pipeline, folder: Path
) -> None:
    one, other = market.teacher(), market.teacher()
    market.buy(market.person(), market.course({one: 7_500, other: 2_500}))
    euro = market.course(one, currency="EUR")
    buyer = market.person()
    market.begin(buyer, market.quote(buyer, euro, currency="EUR"), card="pm_card_visa")
    result = pipeline.run()
    assert result.reconciliation is not None
    assert result.reconciliation.agrees
    assert {total.currency for total in result.reconciliation.totals} == {"USD", "EUR"}
    rows = ask(folder, "FROM mart_instructor_months ORDER BY currency, earned_minor")
    parts = [(row["currency"], row["earned_minor"], row["co_instructors_minor"]) for row in rows]
    assert parts == [("EUR", SHARE, 0), ("USD", 925, 2_775), ("USD", 2_775, 925)]


def test_nothing_new_publishes_nothing_but_is_known_to_be_fresh(
    market: Market, pipeline: Pipeline, folder: Path
) -> None:
    pipeline.run()
    market.clock.advance(timedelta(seconds=5))
    result = pipeline.run()
    assert (result.state, result.run_id, result.version) == (State.UNCHANGED, None, "v1")
    assert looked_at(folder) == market.clock.now()


def test_the_stores_are_compared_once_a_minute_although_nothing_is_new(
    market: Market, pipeline: Pipeline
) -> None:
    first = pipeline.run()
    market.clock.advance(AUDIT_EVERY)
    again = pipeline.run()
    assert again.run_id is not None
    assert (again.state, again.version) == (State.UNCHANGED, first.version)
    assert again.reconciliation == first.reconciliation


def test_a_failed_check_leaves_the_last_good_figures_and_says_so(
    market: Market, pipeline: Pipeline, folder: Path, database: str
) -> None:
    course = market.course(market.teacher())
    market.buy(market.person(), course)
    pipeline.run()
    market.buy(market.person(), course)
    by_hand(database, "ALTER TABLE line_share DISABLE TRIGGER append_only")
    by_hand(database, "UPDATE line_share SET amount_minor = amount_minor + 1 WHERE party_kind = 'platform'")
    result = pipeline.run()
    assert (result.state, result.version) == (State.CHECKS_FAILED, "v1")
    failed = {outcome.name: outcome for outcome in result.outcomes if not outcome.passed}
    assert set(failed) == {"shares_sum_to_what_was_paid"}
    assert failed["shares_sum_to_what_was_paid"].unexpected_count == 2
    assert kept(folder) == [SHARE]
    assert pipeline.run().run_id is None, "the same rows are not tried again at once"
    by_hand(database, "UPDATE line_share SET amount_minor = amount_minor - 1 WHERE party_kind = 'platform'")
    market.clock.advance(AUDIT_EVERY)
    assert pipeline.run().state is State.PUBLISHED
    assert kept(folder) == [SHARE, SHARE]


def test_figures_go_on_while_the_processor_is_away(market: Market, database: str, folder: Path) -> None:
    nobody = Gateway("sk_test_nobody0123456789", "http://127.0.0.1:9")
    market.buy(market.person(), market.course(market.teacher()))
    with Pipeline(database_url=database, folder=folder, clock=market.clock, processor=nobody) as pipeline:
        result = pipeline.run()
    assert result.state is State.PUBLISHED
    assert kept(folder) == [SHARE]
    assert result.reconciliation is not None
    assert [difference.reason for difference in result.reconciliation.differences] == ["timing"]


def test_postgres_away_is_said_and_changes_nothing(market: Market, folder: Path) -> None:
    nowhere = "postgresql://bursar:none@127.0.0.1:9/bursar"
    with (
        Pipeline(
            database_url=nowhere, folder=folder, clock=market.clock, processor=market.gateway
        ) as pipeline,
        pytest.raises(Unavailable),
    ):
        pipeline.run()
    assert files.newest(folder) is None


def test_only_one_process_writes(
    pipeline: Pipeline, folder: Path, opened: Callable[[Path], Pipeline]
) -> None:
    assert pipeline.run().state is State.PUBLISHED
    with pytest.raises(WriterBusyError):
        opened(folder)


def test_a_reload_gives_the_same_figures(market: Market, pipeline: Pipeline, folder: Path) -> None:
    market.buy(market.person(), market.course(market.teacher()))
    pipeline.run()
    before = marts(files.open_published(folder))
    result = pipeline.run(Mode.RELOAD)
    assert (result.state, result.version) == (State.PUBLISHED, "v2")
    assert marts(files.open_published(folder)) == before


def test_a_model_that_is_written_anew_is_built_again(
    market: Market, opened: Callable[[Path], Pipeline], folder: Path
) -> None:
    market.buy(market.person(), market.course(market.teacher()))
    with opened(folder) as pipeline:
        pipeline.run()
    with files.Writer(folder) as writer, writer.transaction() as connection:
        connection.execute("UPDATE sync.model SET fingerprint = 'of yesterday' WHERE name = 'fct_earning'")
        connection.execute("UPDATE fct_earning SET kept_minor = 0")
    assert kept(folder) == [SHARE]
    with opened(folder) as pipeline:
        result = pipeline.run()
    assert (result.state, result.version) == (State.PUBLISHED, "v2")
    assert kept(folder) == [SHARE]


def test_another_cluster_means_everything_anew(
    market: Market, opened: Callable[[Path], Pipeline], folder: Path
) -> None:
    market.buy(market.person(), market.course(market.teacher()))
    with opened(folder) as pipeline:
        pipeline.run()
    with files.Writer(folder) as writer, writer.transaction() as connection:
        connection.execute("UPDATE sync.cursor SET identity = 'another cluster'")
        connection.execute(
            "INSERT INTO raw.posting SELECT * REPLACE ('left over' AS row_key) FROM raw.posting"
        )
    with opened(folder) as pipeline:
        result = pipeline.run()
    assert result.state is State.PUBLISHED
    assert result.moved["posting"] == 4
    assert kept(folder) == [SHARE]


def test_a_processor_that_was_away_is_heard_whole_later(
    market: Market, database: str, opened: Callable[[Path], Pipeline], folder: Path
) -> None:
    market.buy(market.person(), market.course(market.teacher()))
    market.pass_time(timedelta(days=2))
    market.buy(market.person(), market.course(market.teacher()))
    nobody = Gateway("sk_test_nobody0123456789", "http://127.0.0.1:9")
    with Pipeline(database_url=database, folder=folder, clock=market.clock, processor=nobody) as pipeline:
        pipeline.run()
    with opened(folder) as pipeline:
        result = pipeline.run()
    assert result.reconciliation is not None
    assert result.reconciliation.agrees
    assert result.reconciliation.differences == ()
