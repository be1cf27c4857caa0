"""What billing has been told of one episode, and what it has yet to be told.

The facts do not depend on the order in which they came; the ledger must, for billing saw one history.
It is append-only. What is to be published is the difference between its last entry and the decision, so
that a decision which did not change says nothing, and nothing is ever said twice.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from schemas.vocabulary import CodingAction
from streams.domain.coding import Coding, coding_event, content, event_id_of
from streams.domain.filing_limit import is_past_filing_limit


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One coding event that was published; its place in the ledger is its revision."""

    event_id: str
    action: CodingAction
    coding: Coding
    """What was coded; for a void, what was taken back."""
    decided_at_ms: int
    past_filing_limit: bool = False


class Ledger(msgspec.Struct, frozen=True, array_like=True):
    """The coding events of one episode, oldest first."""

    entries: tuple[Entry, ...] = ()

    @property
    def active(self) -> Coding | None:
        """What billing holds now."""
        if not self.entries or self.entries[-1].action is CodingAction.VOID:
            return None
        return self.entries[-1].coding

    def brought_to(
        self, coding: Coding | None, *, episode_id: str, decided_at_ms: int, filing_limit_days: int | None = None
    ) -> "Posting":
        """This ledger brought to *coding*; itself, and nothing to tell, where billing knows already.

        Args:
            coding: What the episode is to be coded with, or None for nothing.
            episode_id: The episode.
            decided_at_ms: The newest Kafka timestamp among the facts behind the decision.
            filing_limit_days: Of the payer of *coding*; None where none is stated.
        """
        active = self.active
        if coding is not None:
            if coding == active:
                return Posting(self, None)
            action, said = (CodingAction.NEW if active is None else CodingAction.REPLACE), coding
            past_limit = is_past_filing_limit(coding.service_date, decided_at_ms, filing_limit_days)
        elif active is not None:
            action, said, past_limit = CodingAction.VOID, active, self.entries[-1].past_filing_limit
        else:
            return Posting(self, None)
        told = content(said, episode_id, action, past_filing_limit=past_limit)
        earlier = [(entry.action, entry.coding, entry.past_filing_limit) for entry in self.entries]
        repetition = earlier.count((action, said, past_limit))
        entry = Entry(event_id_of(told, repetition), action, said, decided_at_ms, past_limit)
        ledger = Ledger((*self.entries, entry))
        return Posting(ledger, ledger._event(len(self.entries), told))

    def events(self, episode_id: str, *, after_revision: int = 0) -> Iterator[dict[str, Any]]:
        """The coding events with a revision greater than *after_revision*, as JSON values."""
        for index in range(after_revision, len(self.entries)):
            entry = self.entries[index]
            told = content(entry.coding, episode_id, entry.action, past_filing_limit=entry.past_filing_limit)
            yield self._event(index, told)

    def _event(self, index: int, told: dict[str, Any]) -> dict[str, Any]:
        entry = self.entries[index]
        follows = entry.action is not CodingAction.NEW
        return coding_event(
            told,
            event_id=entry.event_id,
            revision=index + 1,
            prior_event_id=self.entries[index - 1].event_id if follows else None,
            decided_at_ms=entry.decided_at_ms,
        )


class Posting(NamedTuple):
    """A ledger, and the coding event that its last entry is; None where nothing was added."""

    ledger: Ledger
    event: dict[str, Any] | None
