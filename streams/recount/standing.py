"""What had the workers taken in of the input, when billing was looked at?

Workers go on while the recount reads. So the group is asked for its positions twice, once before the ends of what it
writes are looked up, and once after. What lies before the first was taken in for certain, with all that follows from
it; what lies behind the second was not; what lies between may show in what was written, or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from aiokafka import TopicPartition


class Coordinates(NamedTuple):
    """Where a record stands in the input."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}@{self.offset}"


class Standing(IntEnum):
    """Whether the workers had taken in a record of the input."""

    TAKEN_IN = 0
    MOVING = 1
    """They took it in while we looked."""
    WAITING = 2


@dataclass(frozen=True, slots=True)
class GroupPositions:
    """How far the group had come, before and after billing was looked at."""

    before: Mapping[TopicPartition, int]
    """The next offset; none where nothing was read."""
    after: Mapping[TopicPartition, int]
    travelling: Mapping[Coordinates, Standing] = field(default_factory=dict)
    """Records that were read away from home and had not arrived there, by where they were first read."""

    def standing(self, partition: TopicPartition, offset: int) -> Standing:
        """The standing of the record at *offset*."""
        if offset >= self.after.get(partition, 0):
            return Standing.WAITING
        if offset >= self.before.get(partition, 0):
            return Standing.MOVING
        if self.travelling:
            return self.travelling.get(Coordinates(partition.topic, partition.partition, offset), Standing.TAKEN_IN)
        return Standing.TAKEN_IN
