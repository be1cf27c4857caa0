"""One step of the worker: all that goes into one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from streams.processing.records import OutputRecord
from streams.processing.task_output import TaskOutput


class TopicPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Generation(NamedTuple):
    """A worker's membership in its group, as of one rebalance."""

    id: int
    member_id: str
    group_instance_id: str | None = None
    """The worker's place, which outlives it; None for a member without one."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is written at once, or not at all."""

    generation: Generation
    """Under which the records were fetched; a worker that the group has left behind cannot commit."""
    records: Sequence[OutputRecord]
    next_offsets: Mapping[TopicPartition, int]
    outputs: Sequence[TaskOutput] = ()
    """What it is the sum of, for whoever counts."""


class StepWriter(Protocol):
    """Where steps go."""

    async def open(self) -> None:
        """Become the one writer under this name: fence a former one, and end its transaction."""

    async def write(self, step: Step) -> None:
        """Commit *step* as one transaction. Any error means that its outcome is not known."""

    async def close(self) -> None:
        """Let go; an open transaction is left to the broker."""
