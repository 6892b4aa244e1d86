"""Earnings, run as an instructor on figures that the pipelines carried from real sales."""

import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from services.kernel.actor import Actor, Role
from services.runtime.settings import Settings
from tests.factories.marketplace import Market
from tests.integration.app.conftest import Look, words


@pytest.fixture
def teacher(market: Market) -> Actor:
    return market.teacher()


def figures(page: AppTest) -> list[tuple[str, str]]:
    return [(metric.label, metric.value) for metric in page.metric]


def test_answer_is_the_next_payout_to_the_cent(
    market: Market, teacher: Actor, look: Look, carry: Callable[[], None]
) -> None:
    course = market.course(teacher, price=10_000)
    market.buy(market.person(), course)
    market.pass_time(timedelta(days=3))
    market.buy(market.person(), course)
    carry()
    page = look(teacher)
    assert not page.exception
    assert [each.value for each in page.title] == ["Earnings"]
    assert "Next payout · 1 Dec 2026" in words(page)
    assert '<div class="b-number">$0.00</div>' in words(page)
    assert "Another <strong>$74.00</strong> is on hold until after that day." in words(page)
    assert "November has brought <strong>$74</strong> so far; October had nothing by this day." in words(page)
    assert figures(page) == [
        ("Net earnings, 90D", "$74"),
        ("Sales", "2"),
        ("Refund rate", "0.0%"),
        ("Earned per sale", "$37.00"),
    ]


def test_released_sales_are_what_the_next_payout_pays(
    market: Market, teacher: Actor, look: Look, carry: Callable[[], None]
) -> None:
    market.buy(market.person(), market.course(teacher, price=10_000))
    market.pass_time(timedelta(days=31))
    market.mature()
    carry()
    page = look(teacher)
    assert "Next payout · 1 Jan 2027" in words(page)
    assert '<div class="b-number">$37.00</div>' in words(page)


def test_refund_leaves_every_figure(
    market: Market, teacher: Actor, look: Look, carry: Callable[[], None]
) -> None:
    buyer = market.person()
    bought = market.buy(buyer, market.course(teacher, price=10_000))
    market.give_back(buyer, bought.line)
    carry()
    page = look(teacher)
    assert '<div class="b-number">$0.00</div>' in words(page)
    assert figures(page)[0] == ("Net earnings, 90D", "$0")
    assert figures(page)[2] == ("Refund rate", "100%")


def test_sales_table_shows_what_the_filters_leave(
    market: Market, teacher: Actor, look: Look, carry: Callable[[], None]
) -> None:
    course, buyer = market.course(teacher, price=10_000), market.person()
    market.buy(market.person(), course)
    market.pass_time(timedelta(hours=1))
    back = market.buy(buyer, course)
    market.give_back(buyer, back.line)
    carry()
    page = look(teacher)
    assert page.dataframe[0].value["kept"].tolist() == [0.0, 37.0]
    assert page.dataframe[0].value["standing"].map(list).tolist() == [["Refunded"], ["On hold"]]
    held = look(teacher, standing="On hold")
    assert held.dataframe[0].value["kept"].tolist() == [37.0]
    none = look(teacher, standing="Available")
    assert "No such sale in 90D." in words(none)
    none.button(key="widen").click().run()
    assert len(none.dataframe[0].value) == 2


def test_twelve_sales_a_page(market: Market, teacher: Actor, look: Look, carry: Callable[[], None]) -> None:
    course = market.course(teacher, price=10_000)
    for _sale in range(13):
        market.buy(market.person(), course)
    carry()
    assert len(look(teacher).dataframe[0].value) == 12
    assert len(look(teacher, sales_page="2").dataframe[0].value) == 1


def test_period_of_the_address_decides(
    market: Market, teacher: Actor, look: Look, carry: Callable[[], None]
) -> None:
    market.buy(market.person(), market.course(teacher, price=10_000))
    market.pass_time(timedelta(days=40))
    carry()
    assert figures(look(teacher, period="30D"))[1] == ("Sales", "0")
    assert figures(look(teacher, period="90D"))[1] == ("Sales", "1")
    assert figures(look(teacher, period="nonsense"))[0][0] == "Net earnings, 90D"


def test_nobody_sees_what_another_earned(
    market: Market, teacher: Actor, look: Look, carry: Callable[[], None]
) -> None:
    market.buy(market.person(), market.course(teacher, price=10_000))
    carry()
    page = look(market.teacher())
    assert not page.exception
    assert "Your sales will appear here." in words(page)
    assert figures(page)[1] == ("Sales", "0")
    assert not page.dataframe


def test_before_the_first_figures_the_page_says_that_they_come(teacher: Actor, look: Look) -> None:
    page = look(teacher)
    assert not page.exception
    assert page.title
    assert "The first figures are being prepared. This page fills by itself." in words(page)


def test_figures_that_are_not_looked_at_any_more_are_called_old(
    market: Market, teacher: Actor, look: Look, carry: Callable[[], None]
) -> None:
    market.buy(market.person(), market.course(teacher, price=10_000))
    carry()
    market.pass_time(timedelta(minutes=5))
    page = look(teacher)
    assert "Figures are from 24 Nov 2026, 12\\:00 UTC; the next try is under way" in words(page)


@pytest.mark.parametrize("page", ["data_health"])
def test_pages_of_others_cannot_be_opened(teacher: Actor, look: Look, page: str) -> None:
    with pytest.raises(ValueError, match=page):
        look(teacher, page)


def test_an_instructor_may_learn_as_well(market: Market, look: Look, carry: Callable[[], None]) -> None:
    both = market.person(Role.INSTRUCTOR, Role.LEARNER)
    carry()
    assert [each.value for each in look(both).title] == ["Earnings"]
    assert [each.value for each in look(both, "my_learning").title] == ["My learning"]


def test_a_part_that_fails_fails_alone(
    *, market: Market, teacher: Actor, look: Look, carry: Callable[[], None], settings: Settings
) -> None:
    market.buy(market.person(), market.course(teacher, price=10_000))
    carry()
    lose(settings.data_folder / "warehouse" / "published", "mart_instructor_balances")
    page = look(teacher)
    assert not page.exception
    assert re.search(r"The next payout could not be shown\..*reference .*[2-9A-HJ-NP-Z]{8}", words(page))
    assert "Since 24 Nov 2026, 12:00 UTC" in words(page)
    assert page.button(key="again_answer").label == "Try again"
    assert figures(page)[1] == ("Sales", "1")
    assert len(page.dataframe[0].value) == 1
    market.pass_time(timedelta(minutes=1))
    page.button(key="again_answer").click().run()
    assert "Since 24 Nov 2026, 12:00 UTC" in words(page)


def test_a_page_that_fails_shows_a_reference_and_nothing_of_the_error(
    market: Market, look: Look, carry: Callable[[], None], settings: Settings
) -> None:
    carry()
    lose(settings.data_folder / "warehouse" / "published", "meta")
    page = look(market.teacher())
    assert not page.exception
    assert re.fullmatch(
        r"This page could not be shown\. The error is recorded under reference \*\*[2-9A-HJ-NP-Z]{8}\*\*\.",
        page.error[0].value,
    )
    assert "meta" not in words(page)


def lose(published: Path, table: str) -> None:
    """Point readers at a version in which a table is missing."""
    present = (published / "current").read_text().strip()
    broken = published / "v999.duckdb"
    shutil.copy(published / f"{present}.duckdb", broken)
    with duckdb.connect(broken) as connection:
        connection.execute(f"DROP TABLE {table}")
    (published / "current").write_text("v999\n")
