"""What a billing consumer holds after all coding events, and whether it could follow them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.vocabulary import CodingAction
from streams.recount.expectation import without_action


@dataclass(slots=True)
class BillingView:
    """Applies coding events as the contract tells a consumer to, and notes what is wrong with them."""

    active: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The active event of each episode that has one."""
    actions: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """An event seen twice, a gap in the revisions, a reference to another event than the last."""
    _seen: set[str] = field(default_factory=set)
    _last: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, value: bytes | None) -> None:
        """Apply one record of the billing topic."""
        if value is None:
            self.faults.append("a record without a value")
            return
        event = orjson.loads(value)
        event_id, episode_id, action = event["event_id"], event["episode_id"], event["action"]
        if event_id in self._seen:
            self.faults.append(f"event {event_id} appears twice")
            return
        self._seen.add(event_id)
        self.actions[action] += 1
        last = self._last.get(episode_id)
        expected = 1 if last is None else last["revision"] + 1
        if event["revision"] != expected:
            self.faults.append(f"event {event_id} has revision {event['revision']}, not {expected}")
        active = self.active.get(episode_id)
        prior = active["event_id"] if active is not None else None
        if event["prior_event_id"] != prior or (action == CodingAction.NEW) != (active is None):
            self.faults.append(f"event {event_id} ({action}) does not follow on what is active")
        self._last[episode_id] = event
        if action == CodingAction.VOID:
            self.active.pop(episode_id, None)
        else:
            self.active[episode_id] = event

    def codes(self) -> dict[str, dict[str, Any]]:
        """The content of every active code, without the action."""
        return {episode_id: without_action(event) for episode_id, event in self.active.items()}
