"""Reads topics from their start to where they end now, as a `read_committed` consumer sees them.

Where they end is the high watermark, which only a `read_uncommitted` client is told. The last stable offset would leave
out what is committed already but for its markers, and all that stands behind an open transaction; the reader waits for
both to be settled, which the transaction time-out bounds.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.processing.records import InputRecord

_FETCH_BYTES_MAX = 4 * 1024 * 1024
_RECORDS_MAX = 20_000


class OffsetRange(NamedTuple):
    """A part of a partition, the end not included."""

    begin: int
    end: int


class Run(NamedTuple):
    """Committed records of one partition, in order, and where the reader stands after them."""

    partition: TopicPartition
    records: list[InputRecord]
    next_offset: int


async def read_log(
    connection: Mapping[str, Any], topics: Collection[str], *, partition: int | None = None
) -> AsyncIterator[list[InputRecord]]:
    """Runs of committed records of *topics*, each partition in order, up to the ends as of now.

    Args:
        connection: Options of an aiokafka client.
        topics: They must exist.
        partition: Only this one; all where None.
    """
    async for run in read_ranges(connection, await log_ranges(connection, topics, partition=partition)):
        yield run.records


async def log_ranges(
    connection: Mapping[str, Any], topics: Collection[str], *, partition: int | None = None
) -> dict[TopicPartition, OffsetRange]:
    """From where to where the partitions of *topics* have records, as of now; an empty partition is among them.

    Args:
        connection: Options of an aiokafka client.
        topics: They must exist.
        partition: Only this one; all where None.
    """
    async with AIOKafkaConsumer(**connection, enable_auto_commit=False) as consumer:
        tps = await _partitions(consumer, topics, partition)
        begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        return {tp: OffsetRange(begins[tp], ends[tp]) for tp in tps}


async def offsets_at(
    connection: Mapping[str, Any], partitions: Collection[TopicPartition], timestamp_ms: int
) -> dict[TopicPartition, int]:
    """The first offset of each of *partitions* with a Kafka timestamp from *timestamp_ms* on, where there is one."""
    async with AIOKafkaConsumer(**connection, enable_auto_commit=False) as consumer:
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, timestamp_ms))
        return {tp: at.offset for tp, at in found.items() if at is not None}


async def read_ranges(
    connection: Mapping[str, Any], ranges: Mapping[TopicPartition, OffsetRange]
) -> AsyncIterator[Run]:
    """The committed records of *ranges*, in runs; each partition in order."""
    pending = {tp for tp, wanted in ranges.items() if wanted.end > wanted.begin}
    if not pending:
        return
    async with AIOKafkaConsumer(
        **connection,
        isolation_level="read_committed",
        enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH_BYTES_MAX,
        fetch_max_wait_ms=50,
    ) as consumer:
        consumer.assign(list(pending))
        for tp in pending:
            consumer.seek(tp, ranges[tp].begin)
        while pending:
            fetched = await consumer.getmany(*pending, timeout_ms=100, max_records=_RECORDS_MAX)
            for tp, records in fetched.items():
                end = ranges[tp].end
                within = records if records[-1].offset < end else [r for r in records if r.offset < end]
                yield Run(tp, within, min(records[-1].offset + 1, end))
            pending = {tp for tp in pending if await consumer.position(tp) < ranges[tp].end}


async def _partitions(
    consumer: AIOKafkaConsumer, topics: Collection[str], partition: int | None
) -> list[TopicPartition]:
    # A consumer without a subscription learns of a topic when it is asked for.
    tps: list[TopicPartition] = []
    for topic in topics:
        consumer._client.add_topic(topic)  # noqa: SLF001 - aiokafka has no public way to ask for one topic
        await consumer._client.force_metadata_update()  # noqa: SLF001
        found = sorted(consumer.partitions_for_topic(topic) or ())
        tps.extend(TopicPartition(topic, number) for number in found if partition in (None, number))
    return tps
