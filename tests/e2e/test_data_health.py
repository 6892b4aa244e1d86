"""Whether the figures can be trusted, in a real browser."""

from collections.abc import Callable

import pytest

from services.kernel.actor import Role
from tests.e2e.conftest import PHONE, Visit
from tests.housed import House

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def founder(house: House) -> str:
    return house.person(Role.FOUNDER)[0]


def test_founder_sees_that_nothing_is_unexplained(visit_house: Callable[..., Visit], founder: str) -> None:
    window = visit_house()
    window.sign_in(founder)
    window.page.get_by_text("agree to the cent").wait_for(timeout=20_000)
    tile = window.page.get_by_test_id("stMetric").filter(has_text="Unexplained")
    assert "$0.00" in tile.inner_text()
    assert (
        window.page.get_by_test_id("stMetric").filter(has_text="Failed checks").inner_text().count("0 of ")
        == 1
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 1400), PHONE], ids=["desktop", "phone"])
def test_pictures(
    visit_house: Callable[..., Visit], founder: str, *, size: tuple[int, int], dark: bool
) -> None:
    window = visit_house(size=size, dark=dark)
    window.sign_in(founder)
    window.page.get_by_text("agree to the cent").wait_for(timeout=20_000)
    window.settle()
    assert window.sideways() == 0
    window.picture(f"data-health-{size[0]}-{'dark' if dark else 'light'}")
    assert window.faults() == []
