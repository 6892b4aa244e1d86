"""What an instructor asks of the figures, on a business whose every cent is known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from pipelines.run import Pipeline
from services.kernel.actor import Actor, Role
from services.kernel.ids import CourseId
from services.kernel.time import SetClock
from services.runtime import database
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests.factories.marketplace import Bought, Market
from tests.sandboxed import SandboxProcess
from warehouse import files
from warehouse.files import Figures
from warehouse.reads import earnings

TODAY = date(2026, 11, 24)
SUPPORT = (Role.SUPPORT,)
YEAR: dict[str, Any] = {"since": date(2026, 1, 1), "until": date(2026, 12, 31)}


@dataclass(frozen=True)
class Story:
    """Two instructors, two courses, and what happened to them.

    5 October: knots 100.00. 20 October: knots 100.00 brought by the instructor, given back on 3 November.
    10 November: splices 50.01, shared 60 to 40 with the other. 24 November: knots 100.00.
    """

    figures: Figures
    one: UUID
    other: UUID
    knots: CourseId
    splices: CourseId
    shared: Bought
    brought: Bought

    @property
    def who(self) -> Mapping[str, Any]:
        """The first instructor, as every question takes them."""
        return {"instructor": self.one, "currency": "USD"}


def user(actor: Actor) -> UUID:
    """Whose figures these are."""
    assert actor.user_id is not None
    return actor.user_id


def at(market: Market, month: int, day: int) -> None:
    """Let it be noon of a day, with everything that is due by then done."""
    market.set_time(datetime(2026, month, day, 12, 0, tzinfo=UTC))
    market.mature()


@pytest.fixture(scope="module")
def telling(
    postgres_server: str, sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Market, Pipeline]]:
    """A marketplace and its figures, for all the questions of this file: they change nothing."""
    sandbox.control("POST", "/_control/reset")
    url = make_url(postgres_server).set(database="story").render_as_string(hide_password=False)
    with psycopg.connect(postgres_server, dbname="postgres", autocommit=True) as connection:
        template = sql.Identifier(make_url(postgres_server).database or "")
        connection.execute(sql.SQL("CREATE DATABASE story TEMPLATE {}").format(template))
        clock = SetClock(datetime(2026, 10, 1, 12, 0, tzinfo=UTC))
        engine = database.connect(url)
        market = Market(Works(engine, clock), clock, Gateway(sandbox.secret_key, sandbox.base_url), sandbox)
        folder = tmp_path_factory.mktemp("story")
        with Pipeline(database_url=url, folder=folder, clock=clock, processor=market.gateway) as pipeline:
            yield market, pipeline
        engine.dispose()
        connection.execute("DROP DATABASE story WITH (FORCE)")


@pytest.fixture(scope="module")
def story(telling: tuple[Market, Pipeline]) -> Story:
    """The story, told through the real verbs and carried to figures."""
    market, pipeline = telling
    at(market, 10, 1)
    one, other, buyer = market.teacher(), market.teacher(), market.person()
    knots = market.course(one, price=10_000)
    splices = market.course({one: 6_000, other: 4_000}, price=5_001)
    at(market, 10, 5)
    market.buy(market.person(), knots)
    at(market, 10, 20)
    brought = market.buy(buyer, knots, channel="instructor")
    at(market, 11, 3)
    market.give_back(buyer, brought.line, reason="quality")
    at(market, 11, 10)
    shared = market.buy(market.person(), splices)
    at(market, 11, 24)
    market.buy(market.person(), knots)
    result = pipeline.run()
    assert result.reconciliation is not None
    assert result.reconciliation.agrees
    figures = files.open_published(pipeline.folder)
    return Story(figures, user(one), user(other), knots, splices, shared, brought)


def test_the_next_payout_is_what_has_matured_or_will_before_the_first(story: Story) -> None:
    payout = earnings.next_payout(story.figures, **story.who, today=TODAY)
    assert payout.pays_on == date(2026, 12, 1)
    assert (payout.available_minor, payout.maturing_minor, payout.amount_minor) == (3_700, 0, 3_700)
    assert payout.sale_count == 1
    assert (payout.following_on, payout.following_minor) == (date(2027, 1, 1), 1_110 + 3_700)


def test_a_hold_that_ends_before_the_first_is_paid_then(story: Story) -> None:
    payout = earnings.next_payout(story.figures, **story.who, today=date(2026, 12, 5))
    assert payout.pays_on == date(2027, 1, 1)
    assert (payout.maturing_minor, payout.amount_minor) == (4_810, 8_510)


def test_the_month_is_compared_with_the_same_day_of_the_last(story: Story) -> None:
    month = earnings.month_so_far(story.figures, **story.who, today=TODAY)
    assert month.earned_minor == 1_110 + 3_700 - 9_700
    assert month.before_minor == 3_700 + 9_700
    assert month.change_rate == pytest.approx((-4_890 - 13_400) / 13_400)
    assert (month.day_count, month.month_day_count) == (24, 30)
    early = earnings.month_so_far(story.figures, **story.who, today=date(2026, 11, 15))
    assert (early.before_minor, early.earned_minor) == (3_700, -8_590)
    assert early.leading_course == "Knots for beginners"


def test_a_month_without_one_before_has_no_rate(story: Story) -> None:
    month = earnings.month_so_far(story.figures, **story.who, today=date(2026, 10, 15))
    assert (month.earned_minor, month.before_minor, month.change_rate) == (3_700, 0, None)
    assert month.forecast_minor == 3_700 * 31 // 15 + 1
    assert month.leading_rate == 1.0


def test_from_gross_to_net_adds_up(story: Story) -> None:
    steps = earnings.waterfall(story.figures, **story.who, **YEAR)
    assert [(step.name, step.amount_minor) for step in steps] == [
        ("Sales", 35_001),
        ("Refunds", -10_000),
        ("Platform", -(6_300 + 3_151 + 6_300)),
        ("Others", -740),
        ("You get", 8_510),
    ]
    assert sum(step.amount_minor for step in steps[:-1]) == steps[-1].amount_minor


def test_from_gross_to_net_shows_only_what_is_there(story: Story) -> None:
    october: dict[str, Any] = {"since": date(2026, 10, 1), "until": date(2026, 10, 31)}
    steps = earnings.waterfall(story.figures, **story.who, **october)
    assert [step.name for step in steps] == ["Sales", "Platform", "You get"]


def test_the_figures_of_a_period(story: Story) -> None:
    found = earnings.measures(story.figures, **story.who, **YEAR)
    assert (found.earned_minor, found.sale_count, found.refund_rate, found.average_minor) == (
        8_510,
        4,
        0.25,
        2_128,
    )
    nothing = earnings.measures(story.figures, **story.who, since=date(2025, 1, 1), until=date(2025, 2, 1))
    assert (nothing.earned_minor, nothing.sale_count, nothing.refund_rate, nothing.average_minor) == (
        0,
        0,
        None,
        None,
    )


def test_by_day_week_and_month_are_the_same_money(story: Story) -> None:
    days = earnings.by_day(story.figures, **story.who, **YEAR)
    assert list(zip(days["day"], days["earned_minor"], strict=True)) == [
        (date(2026, 10, 5), 3_700),
        (date(2026, 10, 20), 9_700),
        (date(2026, 11, 3), -9_700),
        (date(2026, 11, 10), 1_110),
        (date(2026, 11, 24), 3_700),
    ]
    months = earnings.by_month(story.figures, **story.who, **YEAR)
    assert months.rows() == [(date(2026, 10, 1), 13_400, 2, 0), (date(2026, 11, 1), -4_890, 2, 1)]
    weeks = earnings.by_week(story.figures, **story.who, **YEAR)
    assert {monday.weekday() for monday in weeks["week"]} == {0}
    assert weeks["earned_minor"].sum() == days["earned_minor"].sum() == months["earned_minor"].sum() == 8_510


def test_by_course(story: Story) -> None:
    courses = earnings.by_course(story.figures, **story.who, **YEAR)
    rows = [(row["course_id"], row["sale_count"], row["earned_minor"]) for row in courses.to_dicts()]
    assert rows == [(str(story.knots), 3, 7_400), (str(story.splices), 1, 1_110)]


def test_single_sales_can_be_narrowed_ordered_and_paged(story: Story) -> None:
    def kept(**wanted: object) -> list[int]:
        return earnings.sales(story.figures, **story.who, **YEAR, **wanted)["kept_minor"].to_list()  # type: ignore[arg-type]  # wishes of the test

    assert kept() == [3_700, 1_110, 0, 3_700]
    assert kept(order="oldest") == [3_700, 0, 1_110, 3_700]
    assert kept(order="largest")[:2] == [3_700, 3_700]
    assert kept(order="smallest") == [0, 1_110, 3_700, 3_700]
    assert kept(standing="available") == [3_700]
    assert kept(standing="refunded") == [0]
    assert kept(course=str(story.splices)) == [1_110]
    assert kept(limit=2, offset=1) == [1_110, 0]
    assert kept(standing="' OR true --") == []
    page = earnings.sales(story.figures, **story.who, **YEAR, limit=1)
    assert page["found_count"].to_list() == [4]


def test_the_last_day_of_a_period_is_in_it(story: Story) -> None:
    found = earnings.sales(story.figures, **story.who, since=date(2026, 11, 24), until=date(2026, 11, 24))
    assert found["kept_minor"].to_list() == [3_700]


def test_a_sale_is_explained_to_the_last_cent(story: Story) -> None:
    sale = earnings.sale(story.figures, instructor=story.one, purchase_line=story.shared.line)
    assert sale is not None
    amounts = ("list_minor", "discount_minor", "tax_minor", "net_minor", "fee_minor", "platform_minor")
    assert [sale[name] for name in amounts] == [5_001, 0, 0, 5_001, 175, 3_151]
    assert [sale[name] for name in ("co_instructors_minor", "share_minor", "kept_minor")] == [
        740,
        1_110,
        1_110,
    ]
    assert (sale["fee_borne_by"], sale["instructor_bp"], sale["rate_bp"]) == ("platform", 3_700, 2_220)
    assert sale["net_minor"] == sum(
        int(str(sale[name])) for name in ("platform_minor", "co_instructors_minor", "share_minor")
    )
    assert sale["hold_until"] == datetime(2026, 12, 10, 12, 0, tzinfo=UTC)
    assert (sale["released_at"], sale["refunded_at"]) == (None, None)


def test_a_refunded_sale_says_what_was_returned_and_why(story: Story) -> None:
    sale = earnings.sale(story.figures, instructor=story.one, purchase_line=story.brought.line)
    assert sale is not None
    assert (sale["standing"], sale["share_minor"], sale["returned_minor"]) == ("refunded", 9_700, 9_700)
    assert (sale["refund_reason"], sale["refunded_at"]) == (
        "quality",
        datetime(2026, 11, 3, 12, 0, tzinfo=UTC),
    )


def test_nobody_sees_what_another_earned(story: Story) -> None:
    other: dict[str, Any] = {"instructor": story.other, "currency": "USD"}
    assert earnings.sales(story.figures, **other, **YEAR)["kept_minor"].to_list() == [740]
    assert earnings.by_course(story.figures, **other, **YEAR)["course_id"].to_list() == [str(story.splices)]
    assert earnings.next_payout(story.figures, **other, today=TODAY).following_minor == 740
    assert earnings.sale(story.figures, instructor=story.other, purchase_line=story.brought.line) is None


def test_somebody_who_earned_nothing_yet(story: Story) -> None:
    nobody = UUID(int=0)
    assert earnings.currencies(story.figures, instructor=nobody) == []
    assert (
        earnings.next_payout(story.figures, instructor=nobody, currency="USD", today=TODAY).amount_minor == 0
    )
    assert (
        earnings.month_so_far(story.figures, instructor=nobody, currency="USD", today=TODAY).leading_course
        is None
    )
    steps = earnings.waterfall(story.figures, instructor=nobody, currency="USD", **YEAR)
    assert [step.amount_minor for step in steps] == [0, 0]


def test_currencies_are_listed_by_use(market: Market, pipeline: Pipeline, folder: Path) -> None:
    teacher = market.teacher()
    market.buy(market.person(), market.course(teacher))
    euro = market.course(teacher, currency="EUR")
    for _ in range(2):
        buyer = market.person()
        market.begin(buyer, market.quote(buyer, euro, currency="EUR"), card="pm_card_visa")
    pipeline.run()
    figures = files.open_published(folder)
    assert earnings.currencies(figures, instructor=user(teacher)) == ["EUR", "USD"]
    today = market.clock.now().date()
    later = earnings.next_payout(figures, instructor=user(teacher), currency="EUR", today=today)
    assert later.following_minor == 7_400


def test_a_refund_after_maturing_takes_from_what_is_available(
    market: Market, pipeline: Pipeline, folder: Path
) -> None:
    teacher, support = market.teacher(), market.person(*SUPPORT)
    bought = market.buy(market.person(), market.course(teacher))
    market.pass_time(timedelta(days=31))
    market.mature()
    market.give_back(support, bought.line, reason="goodwill")
    pipeline.run()
    payout = earnings.next_payout(
        files.open_published(folder),
        instructor=user(teacher),
        currency="USD",
        today=market.clock.now().date(),
    )
    assert (payout.available_minor, payout.amount_minor) == (0, 0)
