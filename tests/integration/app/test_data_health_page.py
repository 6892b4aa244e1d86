"""Data health, run as a founder and as support on what the pipelines wrote down."""

from collections.abc import Callable

import psycopg
import pytest

from services.kernel.actor import Actor, Role
from tests.factories.marketplace import Market
from tests.integration.app.conftest import Look, words


@pytest.fixture
def founder(market: Market) -> Actor:
    return market.person(Role.FOUNDER)


@pytest.mark.parametrize("role", [Role.FOUNDER, Role.SUPPORT, Role.FINANCE])
def test_stores_that_agree_are_said_to(
    market: Market, look: Look, carry: Callable[..., None], role: Role
) -> None:
    market.buy(market.person(), market.course(market.teacher()))
    carry()
    page = look(market.person(role))
    assert not page.exception
    assert [each.value for each in page.title] == ["Data health"]
    assert '<div class="b-number">$0.00</div>' in words(page)
    assert "Ledger, Stripe and figures <strong>agree to the cent</strong>." in words(page)
    shown = {metric.label: metric.value for metric in page.metric}
    assert list(shown) == ["Figures carried over", "Failed checks", "Unexplained", "On its way"]
    assert shown["Failed checks"].startswith("0 of ")
    assert shown["Unexplained"] == "$0.00"


def test_one_cent_in_the_ledger_is_named(
    database: str, market: Market, look: Look, carry: Callable[..., None]
) -> None:
    market.buy(market.person(), market.course(market.teacher()))
    carry()
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("ALTER TABLE posting DISABLE TRIGGER USER")
        owner.execute("UPDATE posting SET amount_minor = amount_minor + 1 WHERE line_no = 1")
        owner.execute("ALTER TABLE posting ENABLE TRIGGER USER")
    carry("audit")
    page = look(market.person(Role.FOUNDER))
    assert not page.exception
    assert "<strong>differ</strong>" in words(page)
    assert any("posting" in str(row) for table in page.dataframe for row in table.value.to_numpy().tolist())


def test_before_the_first_figures_the_page_says_that_they_come(founder: Actor, look: Look) -> None:
    page = look(founder)
    assert page.title
    assert "The first figures are being prepared. This page fills by itself." in words(page)
