"""The eleven stories come out as they should, and their explanations and pages say why."""

import json

import orjson
import pytest

from streams.explanation.episode_page import episode_page
from tests.stories import STORIES, Story, told


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_story_is_told_and_explained(story: Story) -> None:
    """Billing is told what it should be, the ledger agrees with the decision, and the reason is in the words."""
    actions, explanation = told(story)
    document = json.loads(orjson.dumps(explanation.as_json()))
    page = episode_page(explanation, story.policy_then or story.policy)

    assert actions == story.actions
    assert document["ledger"]["agrees"]
    assert story.says in json.dumps(document)
    assert story.says in page
