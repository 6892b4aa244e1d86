"""Sandbox and Postgres are killed under server and worker at every step: nothing is lost or doubled."""

import pytest

from tests.faults.lives import EVERYTHING, STORIES, Story, die_everywhere
from tests.faults.world import World

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600 if EVERYTHING else 600)]


@pytest.mark.parametrize("victim", ["sandbox", "postgres"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_at_whichever_step_the_server_behind_dies_the_purchase_ends_whole(
    killing_field: World, story: Story, victim: str
) -> None:
    assert die_everywhere(killing_field, story, victim, part=3) >= len(story.watched)
