"""What the brokers say of a group at one instant."""

from typing import NamedTuple


class PartitionReading(NamedTuple):
    """A partition of an input, as the brokers tell it."""

    topic: str
    partition: int
    read_to: int
    """The committed offset, or where the partition begins, whichever is later."""
    end: int
    """The high watermark."""
    lag_records: int
    """Offsets between the two; 0 where they hold no record for the group (markers, what was aborted)."""
    oldest_ms: int | None
    """Kafka timestamp of the oldest record that waits; None where none does, or where its producer's transaction is
    still open, so that nobody may read it yet."""

    def lag_seconds(self, now_ms: int) -> float:
        """The age of the oldest record that waits."""
        return max(0, now_ms - self.oldest_ms) / 1000 if self.oldest_ms is not None and self.lag_records else 0.0


class MemberReading(NamedTuple):
    """A member of the group, as the coordinator tells it."""

    place: str
    """The worker's place (`streams.worker.slot`); a member without one goes by its member id."""
    host: str
    partitions: tuple[int, ...]
    member_id: str = ""
    """The name that the coordinator gave to this membership."""


class GroupReading(NamedTuple):
    """The group and what it reads."""

    read_at_ms: int
    state: str
    """Kafka's word: ``Stable``, ``PreparingRebalance``, ``CompletingRebalance``, ``Empty``, ``Dead``."""
    members: tuple[MemberReading, ...]
    partitions: tuple[PartitionReading, ...]
    """In order of topic and partition."""

    @property
    def lag_records(self) -> int:
        """Of all partitions together."""
        return sum(partition.lag_records for partition in self.partitions)

    def lag_seconds(self, now_ms: int) -> float:
        """The age of the oldest record that waits anywhere."""
        return max((partition.lag_seconds(now_ms) for partition in self.partitions), default=0.0)
