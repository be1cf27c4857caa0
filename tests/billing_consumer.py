"""A billing consumer that believes nothing: it applies coding events in order, and checks each against the contract."""

import json
import uuid
from collections.abc import Iterable
from typing import Any

from schemas.coding_event import CodingEvent

_OUTSIDE_THE_CONTENT = ("event_id", "revision", "prior_event_id", "decided_at")
_WHERE_SO = ("past_filing_limit",)
"""Fields that are told only where they are true."""
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:g9603:coding-event:v1")


def content_of(event: dict[str, Any]) -> dict[str, Any]:
    """The part of *event* that its id names."""
    return {name: value for name, value in event.items() if name not in _OUTSIDE_THE_CONTENT}


def documented_event_id(event: dict[str, Any], earlier: Iterable[dict[str, Any]]) -> str:
    """The id of *event* by the rule in the contract, from its published JSON and that of the *earlier* ones."""
    name = json.dumps(content_of(event), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    repetition = sum(content_of(other) == content_of(event) for other in earlier)
    return str(uuid.uuid5(_NAMESPACE, f"{name}#{repetition}" if repetition else name))


def billed(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The event that stands after *events* of one episode were applied in order, or None.

    Every event must be one that may follow the one before it: revisions without a gap, ``new`` only where
    nothing stands, ``replace`` and ``void`` only of what stands, never the same content twice in a row.
    """
    standing: dict[str, Any] | None = None
    for index, event in enumerate(events):
        CodingEvent.model_validate_json(json.dumps(event))
        assert list(event) == [name for name in CodingEvent.model_fields if name in event or name not in _WHERE_SO]
        assert event["revision"] == index + 1
        assert event["event_id"] == documented_event_id(event, events[:index])
        if event["action"] == "new":
            assert standing is None
            assert event["prior_event_id"] is None
            standing = event
            continue
        assert standing is not None
        assert event["prior_event_id"] == standing["event_id"]
        is_same = {**content_of(event), "action": ""} == {**content_of(standing), "action": ""}
        if event["action"] == "void":
            assert is_same, "a void says what it takes back"
            standing = None
        else:
            assert not is_same, "a replacement says something else"
            standing = event
    return standing
