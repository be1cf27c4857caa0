"""What a billing consumer holds after all coding events, and whether it could follow them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.vocabulary import CodingAction
from streams.domain.coding import event_id_of

_UNNAMED = frozenset({"event_id", "revision", "prior_event_id", "decided_at"})
"""What the id of an event does not name (contract.md, "CodingEvent")."""
_REVISIONS_MAX = 10_000
"""An episode whose facts are bounded has fewer; a forged revision must not keep the recount busy."""
_BOOKKEEPING = _UNNAMED | {"action", "past_filing_limit"}


@dataclass(slots=True)
class BillingView:
    """Applies coding events as the contract tells a consumer to, and notes what is wrong with them."""

    is_compacted: bool = False
    """Whether the topic keeps only the last events of an episode: what stood between is gone, and no fault."""
    active: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The active event of each episode that has one."""
    actions: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """An event seen twice, or not named by what it says; a gap in the revisions; a reference to a wrong event."""
    _seen: set[str] = field(default_factory=set)
    _last: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, value: bytes | None) -> None:
        """Apply one record of the billing topic."""
        if value is None:
            self.faults.append("a record without a value")
            return
        try:
            event = orjson.loads(value)
            self._apply(event)
        except (orjson.JSONDecodeError, KeyError, TypeError):  # their texts show the record
            self.faults.append("a record that is no coding event")

    def _apply(self, event: dict[str, Any]) -> None:
        event_id, episode_id, action = event["event_id"], event["episode_id"], event["action"]
        if event_id in self._seen:
            self.faults.append(f"event {event_id} appears twice")
            return
        self._seen.add(event_id)
        self.actions[action] += 1
        last = self._last.get(episode_id)
        expected = 1 if last is None else last["revision"] + 1
        if self.is_compacted and event["revision"] > expected:
            expected = min(event["revision"], _REVISIONS_MAX)
        elif event["revision"] != expected:
            self.faults.append(f"event {event_id} has revision {event['revision']}, not {expected}")
        told = {name: said for name, said in event.items() if name not in _UNNAMED}
        if not any(event_id_of(told, repetition) == event_id for repetition in range(expected)):
            self.faults.append(f"event {event_id} is not named by what it says")
        active = self.active.get(episode_id)
        prior = active["event_id"] if active is not None else None
        follows = event["prior_event_id"] == prior and (action == CodingAction.NEW) == (active is None)
        if not follows and not self.is_compacted:
            self.faults.append(f"event {event_id} ({action}) does not follow on what is active")
        self._last[episode_id] = event
        if action == CodingAction.VOID:
            self.active.pop(episode_id, None)
        else:
            self.active[episode_id] = event

    def codes(self) -> dict[str, dict[str, Any]]:
        """The content of every active code, without the action."""
        return {episode_id: without_action(event) for episode_id, event in self.active.items()}


def without_action(told: dict[str, Any]) -> dict[str, Any]:
    """The content alone: which code, and why; not what to do with it, its place in the ledger, or when it was told."""
    return {name: value for name, value in told.items() if name not in _BOOKKEEPING}
