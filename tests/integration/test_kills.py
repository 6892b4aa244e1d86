"""Server and worker are killed at every step between two writes: nothing is lost or doubled."""

import pytest

from tests.faults.lives import CARD, CHECKOUT, ELSEWHERE, EVERYTHING, FREE, Story, die_everywhere
from tests.faults.world import World

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600 if EVERYTHING else 600)]


@pytest.mark.parametrize(
    ("story", "deaths"),
    [(CHECKOUT, 70), (CARD, 16), (ELSEWHERE, 16), (FREE, 2)],
    ids=lambda given: given.name if isinstance(given, Story) else None,
)
def test_at_whichever_step_the_process_dies_the_purchase_ends_whole(
    killing_field: World, story: Story, deaths: int
) -> None:
    assert die_everywhere(killing_field, story, "itself") >= deaths
