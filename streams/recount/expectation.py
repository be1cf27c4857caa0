"""What should have come out, by the input alone: the episodes' codes, and the dead letters."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.vocabulary import CodingAction
from streams.domain.coding import coding_of, content
from streams.domain.decision import Coded, decide
from streams.domain.episode import Arrival, Episode
from streams.domain.policy import Policy
from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError, RejectionReason
from streams.processing.records import InputRecord
from streams.processing.topology import InputKind


class Coordinates(NamedTuple):
    """Where a record stands in the input."""

    topic: str
    partition: int
    offset: int


@dataclass(slots=True)
class Expectation:
    """Folds input records, in any order, and says what they amount to.

    It shares the pure core with the worker and nothing else: no state, no step, no ledger.
    """

    decoder: Decoder
    policy: Policy
    episodes: dict[str, Episode] = field(default_factory=lambda: defaultdict(Episode))
    rejected: dict[Coordinates, RejectionReason] = field(default_factory=dict)
    record_count: int = 0

    def take(self, records: Iterable[InputRecord], kind: InputKind) -> None:
        """Fold *records* of a topic of *kind*."""
        decode = self.decoder.decode_survey if kind is InputKind.SURVEY else self.decoder.decode_treatment
        for record in records:
            self.record_count += 1
            try:
                decoded = decode(record.value, record.headers)
            except RejectedError as error:
                self.rejected[Coordinates(record.topic, record.partition, record.offset)] = error.reason
                continue
            arrival = Arrival(decoded.fact, max(record.timestamp, 0))
            episode = self.episodes[decoded.episode_id]
            self.episodes[decoded.episode_id] = episode.with_arrivals([arrival])

    def codes(self) -> dict[str, dict[str, Any]]:
        """The content of the code of every episode that has earned one, without the action."""
        codes = {}
        for episode_id, episode in self.episodes.items():
            decision = decide(episode.facts, self.policy)
            if isinstance(decision, Coded):
                coding = coding_of(decision, self.policy)
                codes[episode_id] = without_action(content(coding, episode_id, CodingAction.NEW))
        return codes


def without_action(told: dict[str, Any]) -> dict[str, Any]:
    """The content alone: which code, and why; not what to do with it, nor its place in the ledger."""
    bookkeeping = ("event_id", "action", "revision", "prior_event_id", "decided_at")
    return {name: value for name, value in told.items() if name not in bookkeeping}
