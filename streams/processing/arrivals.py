"""What has arrived for which episode in one step, and whether the episode has room for it.

A runaway producer that sends a million surveys of one episode must slow nobody else: every new fact writes the episode
anew. Past a bound, what an episode does not know is turned away. Corrections of what it knows are let in for longer,
for a code that stands on a mistake is a false claim.
"""

import msgspec

from streams.domain.fact import Fact
from streams.intake.rejection import RejectedError, RejectionReason
from streams.processing.stored_episode import EncodedArrival, fact_count, may_hold_event, may_hold_version
from streams.processing.trace_context import TraceContext

FACTS_MAX = 1_000
"""A course of care has some dozens. What arrives in one step is counted for itself, so there may be twice as many."""
FACTS_AND_CORRECTIONS_MAX = 2 * FACTS_MAX
FACTS_CORRECTIONS_AND_MOVES_MAX = 3 * FACTS_MAX
_FULL = (
    f"the episode: it holds {FACTS_MAX} facts or more, and takes in none that is new; look for a sender that "
    "sends the same thing under new ids, or that uses one episode for many."
)
_CROWDED_BYTES_MIN = 16 * FACTS_MAX
"""A fact has no fewer fields, each of a byte or more: a shorter episode need not be asked for its count."""


class Gathering(msgspec.Struct):
    """What has arrived for one episode."""

    stored: bytes | None
    """The episode so far; None where there is none."""
    arrivals: list[EncodedArrival] = []
    cause: TraceContext | None = None
    """The trace that the last of them belongs to, where traces are followed."""
    merged_at_ms: int | None = None
    """Where a patient of the episode was merged: the Kafka timestamp of what touched the episode in this step."""

    def newest_timestamp_ms(self, *, otherwise: int) -> int:
        """The newest Kafka timestamp of what has arrived or of who was merged; *otherwise* where neither has."""
        arrived = [arrival.timestamp_ms for arrival in self.arrivals]
        return max(arrived + ([self.merged_at_ms] if self.merged_at_ms is not None else []), default=otherwise)

    def take(self, fact: Fact, timestamp_ms: int) -> None:
        """Add *fact*.

        Raises:
            RejectedError: The episode is full.
        """
        stored, arrivals = self.stored, self.arrivals
        if len(arrivals) >= FACTS_MAX or (
            stored is not None and len(stored) > _CROWDED_BYTES_MIN and fact_count(stored) >= FACTS_MAX
        ):
            _require_room(stored or b"", len(arrivals), fact)
        arrivals.append(EncodedArrival.of(fact, timestamp_ms))

    def take_back(self, left: Fact, timestamp_ms: int) -> None:
        """Add what a fact that moved to another episode leaves behind; for what takes away there is room for longest.

        Raises:
            RejectedError: The episode is full all the same.
        """
        stored = self.stored or b""
        count = len(self.arrivals) + (fact_count(stored) if stored else 0)
        if count >= FACTS_CORRECTIONS_AND_MOVES_MAX and not may_hold_event(stored, left):
            raise RejectedError(RejectionReason.EPISODE_FULL, _FULL)
        self.arrivals.append(EncodedArrival.of(left, timestamp_ms))


def _require_room(stored: bytes, arrived_count: int, fact: Fact) -> None:
    if may_hold_event(stored, fact):
        return  # seen before: it counts once
    count = arrived_count + (fact_count(stored) if stored else 0)
    if count < FACTS_AND_CORRECTIONS_MAX and may_hold_version(stored, fact):
        return
    raise RejectedError(RejectionReason.EPISODE_FULL, _FULL)


def not_taken_back(rejected: RejectedError) -> RejectedError:
    """Why a fact, which was taken in where it has moved to, could not be taken out of the episode that it was in."""
    detail = (
        "moved_from_episode_id: what this record tells counts where it is linked to now, and could not be taken out of "
        f"the episode that it was in, whose code stands: look at that by hand. {rejected.detail}"
    )
    return RejectedError(RejectionReason.NOT_TAKEN_BACK, detail)
