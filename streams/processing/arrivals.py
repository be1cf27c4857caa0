"""What has arrived for which episode in one step, and whether the episode has room for it.

A runaway producer that sends a million surveys of one episode must slow nobody else: every new fact writes the episode
anew. Past a bound, what an episode does not know is turned away. Corrections of what it knows are let in for longer,
for a code that stands on a mistake is a false claim.
"""

from collections.abc import Mapping

from streams.domain.episode import Arrival
from streams.domain.fact import Fact
from streams.intake.rejection import RejectedError, RejectionReason
from streams.processing.stored_episode import fact_count, may_hold_event, may_hold_version

FACTS_MAX = 1_000
"""A course of care has some dozens. What arrives in one step is counted for itself, so there may be twice as many."""
FACTS_AND_CORRECTIONS_MAX = 2 * FACTS_MAX


class Arrivals:
    """Facts by the changelog key of their episode.

    Args:
        episodes: What the task holds, encoded.
    """

    def __init__(self, episodes: Mapping[bytes, bytes]) -> None:
        self.by_key: dict[bytes, list[Arrival]] = {}
        self._episodes = episodes
        self._crowded: dict[bytes, bytes] = {}

    def __contains__(self, key: bytes) -> bool:
        return key in self.by_key or key in self._episodes

    def take(self, key: bytes, fact: Fact, timestamp_ms: int) -> None:
        """Add *fact* to the episode with *key*.

        Raises:
            RejectedError: The episode is full.
        """
        arrived = self.by_key.get(key)
        if arrived is None:
            arrived = []
            stored = self._episodes.get(key)
            if stored is not None and fact_count(stored) >= FACTS_MAX:
                self._crowded[key] = stored
        if key in self._crowded or len(arrived) >= FACTS_MAX:
            _require_room(self._crowded.get(key, b""), len(arrived), fact)
        arrived.append(Arrival(fact, timestamp_ms))
        self.by_key[key] = arrived


def _require_room(stored: bytes, arrived_count: int, fact: Fact) -> None:
    if may_hold_event(stored, fact):
        return  # seen before: it counts once
    count = arrived_count + (fact_count(stored) if stored else 0)
    if count < FACTS_AND_CORRECTIONS_MAX and may_hold_version(stored, fact):
        return
    detail = (
        f"the episode: it holds {FACTS_MAX} facts or more, and takes in none that is new; look for a sender that "
        "sends the same thing under new ids, or that uses one episode for many."
    )
    raise RejectedError(RejectionReason.EPISODE_FULL, detail)
