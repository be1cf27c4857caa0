"""Reads topics from their start to where they end now, as a `read_committed` consumer sees them.

Where they end is the high watermark, which only a `read_uncommitted` client is told. The last stable offset would leave
out what is committed already but for its markers, and all that stands behind an open transaction; the reader waits for
both to be settled, which the transaction time-out bounds.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.processing.records import InputRecord

_FETCH_BYTES_MAX = 4 * 1024 * 1024
_RECORDS_MAX = 20_000


async def read_log(
    connection: Mapping[str, Any], topics: Collection[str], *, partition: int | None = None
) -> AsyncIterator[list[InputRecord]]:
    """Runs of committed records of *topics*, each partition in order, up to the ends as of now.

    Args:
        connection: Options of an aiokafka client.
        topics: They must exist.
        partition: Only this one; all where None.
    """
    async with AIOKafkaConsumer(
        **connection,
        isolation_level="read_committed",
        enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH_BYTES_MAX,
        fetch_max_wait_ms=50,
    ) as consumer:
        tps = await _partitions(consumer, topics, partition)
        if not tps:
            return
        ends = await _high_watermarks(connection, tps)
        begins = await consumer.beginning_offsets(tps)
        pending = {tp for tp in tps if ends[tp] > begins[tp]}
        if not pending:
            return
        consumer.assign(list(pending))
        for tp in pending:
            consumer.seek(tp, begins[tp])
        while pending:
            fetched = await consumer.getmany(*pending, timeout_ms=100, max_records=_RECORDS_MAX)
            for tp, records in fetched.items():
                yield [record for record in records if record.offset < ends[tp]]
            pending = {tp for tp in pending if await consumer.position(tp) < ends[tp]}


async def _high_watermarks(connection: Mapping[str, Any], tps: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    async with AIOKafkaConsumer(**connection, enable_auto_commit=False) as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(tps)
        return ends


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
