"""Whether the inputs still hold what a task is to read next; where they do not, nobody goes on unasked."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaTopicPartition
from msgspec.structs import replace

from streams.processing.changelog import Positions
from streams.worker.refusal import RefusedError
from streams.worker.restorer import RestoredPartition
from streams.worker.step import TopicPartition
from streams.worker.task_manager import Restorer

_log = structlog.get_logger(__name__)

READ_ON = "G9603_READ_ON"


class Bounds(NamedTuple):
    """Of a partition: its first offset, and the one after its last."""

    begin: int
    end: int


class Jump(NamedTuple):
    """A move that somebody has decided on: from the position where records are gone to where reading goes on."""

    position: int
    to: int


class Gap(NamedTuple):
    """Between what was read and what there is: a sentence, and the entry of the setting that accepts it."""

    sentence: str
    jump: str


def starting_position(source: TopicPartition, position: int | None, bounds: Bounds, jump: Jump | None) -> int | Gap:
    """Where to read *source* on, or why that must be decided by somebody.

    Args:
        source: For the sentence.
        position: Up to where it was read; None where it never was, and reading begins where the log does.
        bounds: Of the log as it is.
        jump: Applies only where it starts at *position*, so that it can stay in the settings and happens once.
    """
    if position is None:
        return bounds.begin
    start = jump.to if jump is not None and jump.position == position else position
    if bounds.begin <= start <= bounds.end:
        return start
    name = f"{source.topic}-{source.partition}"
    if position < bounds.begin:
        sentence = (
            f"{name}: the records from offset {position} to {bounds.begin - 1} are gone and were never read; the log "
            f"begins at {bounds.begin}. Retention was shorter than the time without a worker: have them sent again."
        )
    else:
        sentence = (
            f"{name}: was read up to offset {position}, but the log ends at {bounds.end}. It was made anew, or has "
            "lost records."
        )
    return Gap(sentence, f"{name}:{position}-{bounds.begin}")


def parse_jumps(setting: str) -> dict[TopicPartition, Jump]:
    """The jumps of ``G9603_READ_ON``, which `Settings` has checked for its form."""
    jumps = {}
    for entry in filter(None, setting.split(",")):
        name, _, offsets = entry.strip().rpartition(":")
        topic, _, partition = name.rpartition("-")
        position, _, to = offsets.partition("-")
        jumps[TopicPartition(topic, int(partition))] = Jump(int(position), int(to))
    return jumps


class PositionCheckedRestorer:
    """Restores state from another restorer, and holds its positions against the inputs.

    Args:
        restorer: Where state and positions come from.
        connection: Options of an aiokafka consumer.
        partition_counts: Of the source topics.
        task_count: Written into positions.
        jumps: What somebody has decided to go on without.
    """

    def __init__(
        self,
        restorer: Restorer,
        connection: Mapping[str, Any],
        *,
        partition_counts: Mapping[str, int],
        task_count: int,
        jumps: Mapping[TopicPartition, Jump],
    ) -> None:
        self._restorer = restorer
        self._connection = connection
        self._partition_counts = partition_counts
        self._task_count = task_count
        self._jumps = jumps

    @property
    def records_read(self) -> int:
        """Of all restores together."""
        return self._restorer.records_read

    @property
    def records_remaining(self) -> int:
        """Offsets that the restore under way has yet to pass."""
        return self._restorer.records_remaining

    async def restore(self, partitions: Collection[int]) -> dict[int, RestoredPartition]:
        """The state of *partitions*, with a position in every one of their inputs.

        Raises:
            RefusedError: An input does not have what is to be read next.
        """
        restored = await self._restorer.restore(partitions)
        bounds = await self._bounds(partitions)
        gaps = []
        for partition, state in restored.items():
            known = state.positions or Positions(self._task_count, {})
            offsets = dict(known.next_offsets)
            for source in [source for source in bounds if source.partition == partition]:
                position = offsets.get(source.topic)
                start = starting_position(source, position, bounds[source], self._jumps.get(source))
                if isinstance(start, Gap):
                    gaps.append(start)
                    continue
                if start != (position or 0):
                    _log.warning("records_skipped", source=f"{source.topic}-{partition}", read_to=position, on_at=start)
                offsets[source.topic] = start
            # All of them: once the first step has written them down, a gap can be told from a begin.
            state.positions = replace(known, next_offsets=offsets)
        if gaps:
            raise RefusedError(_refusal(gaps))
        return restored

    async def _bounds(self, partitions: Collection[int]) -> dict[TopicPartition, Bounds]:
        tps = [
            KafkaTopicPartition(topic, partition)
            for topic, count in self._partition_counts.items()
            for partition in partitions
            if partition < count
        ]
        if not tps:
            return {}  # aiokafka, asked for the offsets of no partition, never answers
        # read_uncommitted: the last stable offset may be before a position that another worker has just committed.
        async with AIOKafkaConsumer(**self._connection, enable_auto_commit=False) as consumer:
            begins = await consumer.beginning_offsets(tps)
            ends = await consumer.end_offsets(tps)
        return {TopicPartition(*tp): Bounds(begins[tp], ends[tp]) for tp in tps}


def _refusal(gaps: Sequence[Gap]) -> str:
    jumps = ",".join(gap.jump for gap in gaps)
    return "\n".join([*(gap.sentence for gap in gaps), f"To go on with what there is set {READ_ON}={jumps}"])
