"""What time had it become in each partition, when billing was looked at?

A window that closes changes a code as a fact does, so the recount decides as of the ticks that were taken in. A tick
that was not, or of which that is not certain, may show in what billing holds, or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.processing.partitioning import home_partition


class Span(NamedTuple):
    """The time as of the ticks that were taken in for certain, and of all that there are; in milliseconds."""

    certain_ms: int = 0
    latest_ms: int = 0


@dataclass(frozen=True, slots=True)
class PartitionTimes:
    """The times of all partitions."""

    partition_count: int = 1
    spans: Mapping[int, Span] = field(default_factory=dict)

    def of_episode(self, episode_id: str) -> Span:
        """The time where *episode_id* is at home."""
        return self.spans.get(home_partition(episode_id, self.partition_count), Span())
