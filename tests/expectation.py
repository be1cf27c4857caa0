"""What should have come out, by the input alone: the episodes' codes, and the dead letters."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.vocabulary import CodingAction
from streams.domain.coding import coding_of, content
from streams.domain.decision import Coded, decide
from streams.domain.episode import Arrival, Episode
from streams.domain.policy import Policy
from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError, RejectionReason
from streams.processing.arrivals import FACTS_MAX
from streams.processing.records import InputRecord
from streams.processing.topology import InputKind
from streams.recount.billing_view import without_action
from streams.recount.standing import Coordinates


@dataclass(slots=True)
class Expectation:
    """Folds input records, in any order, and says what they amount to.

    It shares the pure core with the worker and nothing else: no state, no step, no ledger.
    """

    decoder: Decoder
    policy: Policy
    turned_away: Collection[Coordinates] = ()
    """Dead letters of full episodes: which facts were there first, only the worker that took them in can say."""
    episodes: dict[str, Episode] = field(default_factory=lambda: defaultdict(Episode))
    rejected: dict[Coordinates, RejectionReason] = field(default_factory=dict)
    crowded: dict[str, Coordinates] = field(default_factory=dict)
    """Episodes that turned facts away, each with the last of these."""
    record_count: int = 0

    def take(self, records: Iterable[InputRecord], kind: InputKind) -> None:
        """Fold *records* of a topic of *kind*."""
        decode = self.decoder.decode_survey if kind is InputKind.SURVEY else self.decoder.decode_treatment
        for record in records:
            self.record_count += 1
            source = Coordinates(record.topic, record.partition, record.offset)
            try:
                decoded = decode(record.value, record.headers)
            except RejectedError as error:
                self.rejected[source] = error.reason
                continue
            if source in self.turned_away:
                self.rejected[source] = RejectionReason.EPISODE_FULL
                self.crowded[decoded.episode_id] = source
                continue
            arrival = Arrival(decoded.fact, max(record.timestamp, 0))
            episode = self.episodes[decoded.episode_id]
            self.episodes[decoded.episode_id] = episode.with_arrivals([arrival])

    def wrongly_turned_away(self) -> list[Coordinates]:
        """Of each episode that turned facts away and was not full, the last of these."""
        return [
            source for episode_id, source in self.crowded.items() if len(self.episodes[episode_id].facts) < FACTS_MAX
        ]

    def codes(self) -> dict[str, dict[str, Any]]:
        """The content of the code of every episode that has earned one, without the action."""
        codes = {}
        for episode_id, episode in self.episodes.items():
            decision = decide(episode.facts, self.policy)
            if isinstance(decision, Coded):
                coding = coding_of(decision, self.policy)
                codes[episode_id] = without_action(content(coding, episode_id, CodingAction.NEW))
        return codes
