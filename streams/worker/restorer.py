"""Reads a partition of the changelog back into episodes and positions."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaTopicPartition

from streams.processing.changelog import POSITIONS_KEY, Positions, decode_positions, is_forgotten_key, is_merge_key
from streams.processing.records import FetchedRecord
from streams.worker.refusal import RefusedError
from streams.worker.tuning import Tuning

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class RestoredPartition:
    """What a partition of the changelog holds."""

    episodes: dict[bytes, bytes] = field(default_factory=dict)
    positions: Positions | None = None
    forgotten: set[bytes] = field(default_factory=set)
    """What is left of episodes that were forgotten, by key."""
    merges: dict[bytes, bytes] = field(default_factory=dict)
    """Merges of patients, by key."""

    def take(self, record: FetchedRecord) -> None:
        """Apply one changelog record: the last value of a key counts, and none removes it."""
        key, value = record.key or b"", record.value
        if value is None:
            self.episodes.pop(key, None)
        elif key == POSITIONS_KEY:
            self.positions = decode_positions(value)
        elif is_forgotten_key(key):
            self.forgotten.add(key)
        elif is_merge_key(key):
            self.merges[key] = value
        else:
            self.episodes[key] = value


class ChangelogRestorer:
    """Restores partitions of the changelog from Kafka."""

    def __init__(self, connection: Mapping[str, Any], *, topic: str, task_count: int, tuning: Tuning) -> None:
        self._connection = connection
        self._topic = topic
        self._task_count = task_count
        self._tuning = tuning
        self.records_read = 0
        """Of all restores together."""
        self.records_remaining = 0
        """Offsets that the restore under way has yet to pass."""

    async def restore(self, partitions: Collection[int]) -> dict[int, RestoredPartition]:
        """The state of *partitions*, as of the last committed transaction of any worker.

        Raises:
            RefusedError: The partition count of the changelog has changed since it was written, or there is a
                partition without one: an input was made wider than the state.
        """
        if not partitions:
            return {}  # aiokafka, asked for the ends of no partition, never answers
        if max(partitions) >= self._task_count:
            # aiokafka, asked for the end of a partition that there is not, looks for it until it times out.
            raise RefusedError(input_widened(self._topic, max(partitions), self._task_count))
        wanted = [KafkaTopicPartition(self._topic, partition) for partition in sorted(partitions)]
        high_watermarks = await self._high_watermarks(wanted)
        restored = {tp: RestoredPartition() for tp in wanted}
        _log.info("state_restoring", partitions=len(wanted))
        pending = {tp for tp in wanted if high_watermarks[tp] > 0}
        if pending:
            await self._read(pending, high_watermarks, restored)
        for tp, state in restored.items():
            self._check_partition_count(tp.partition, state.positions)
        return {tp.partition: state for tp, state in restored.items()}

    async def _high_watermarks(self, wanted: Collection[KafkaTopicPartition]) -> dict[KafkaTopicPartition, int]:
        # read_uncommitted on purpose. A read_committed client is told the last stable offset, and since EndTxn
        # is answered before the markers are written, the last transaction of the former owner would be missed.
        async with AIOKafkaConsumer(**self._connection, enable_auto_commit=False) as consumer:
            offsets: dict[KafkaTopicPartition, int] = await consumer.end_offsets(wanted)
            return offsets

    async def _read(
        self,
        pending: set[KafkaTopicPartition],
        high_watermarks: Mapping[KafkaTopicPartition, int],
        restored: Mapping[KafkaTopicPartition, RestoredPartition],
    ) -> None:
        async with AIOKafkaConsumer(
            **self._connection,
            isolation_level="read_committed",
            enable_auto_commit=False,
            max_partition_fetch_bytes=self._tuning.fetch_bytes_max,
            fetch_max_wait_ms=20,
        ) as consumer:
            consumer.assign(list(pending))
            await consumer.seek_to_beginning()
            count = 0
            loop = asyncio.get_running_loop()
            moved_at = loop.time()
            while pending:
                fetched = await consumer.getmany(timeout_ms=50, max_records=self._tuning.poll_records_max)
                for tp, records in fetched.items():
                    count += len(records)
                    self.records_read += len(records)
                    for record in records:
                        restored[tp].take(record)
                remaining = {tp: high_watermarks[tp] - await consumer.position(tp) for tp in pending}
                done = {tp for tp, offsets in remaining.items() if offsets <= 0}
                pending -= done
                self.records_remaining = sum(remaining[tp] for tp in pending)
                if fetched or done:
                    moved_at = loop.time()
                elif loop.time() - moved_at > self._tuning.restore_stall_seconds:
                    names = ", ".join(f"{tp.topic}-{tp.partition}" for tp in sorted(pending))
                    message = (
                        f"{names} gave no record for {self._tuning.restore_stall_seconds:.0f} s while it was being "
                        "restored: look for a transaction that nobody ends (kafka-transactions.sh find-hanging)."
                    )
                    raise RefusedError(message)
        _log.info("state_restored", records=count, partitions=len(restored))

    def _check_partition_count(self, partition: int, positions: Positions | None) -> None:
        if positions is not None and positions.partition_count != self._task_count:
            raise RefusedError(partition_count_changed(self._topic, partition, positions, self._task_count))


def input_widened(topic: str, partition: int, count: int) -> str:
    """The sentence for an input that has got more partitions than the changelog, while workers ran."""
    return (
        f"The group was given partition {partition} of an input, and {topic} has no more than {count} partitions: an "
        "input may not be wider than the state. Move the application to a wider changelog."
    )


def partition_count_changed(topic: str, partition: int, positions: Positions, count: int) -> str:
    """The sentence for a changelog whose partition count is not what it was."""
    return (
        f"{topic} has {count} partitions, but partition {partition} was written when it had "
        f"{positions.partition_count}: episodes would be looked for in the wrong place and coded twice. "
        f"Create the topic anew with {positions.partition_count} partitions, from a copy of its records."
    )
