"""The messages by example: one patient's low back pain, from the first survey to a code that is taken back."""

import json
from pathlib import Path
from typing import Any

_STORY = Path(__file__).parent / "examples" / "low-back-pain.json"


def example_messages() -> list[dict[str, Any]]:
    """Each with its ``topic`` (without prefix), ``name``, ``summary``, ``headers`` and ``payload``, in order of time.

    They arrive at their ``ce_time``. The coding events are what the default policy makes of the rest; a test holds
    them to it.
    """
    story: list[dict[str, Any]] = json.loads(_STORY.read_text("utf-8"))
    return story
