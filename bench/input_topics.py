"""Fills the input topics of a workload: murmur2 by episode, as a Java producer would."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from bench.workload import Event, Workload
from streams.kafka.topic_admin import topic_admin
from streams.processing.partitioning import home_partition
from streams.processing.topology import InputKind, Topology

PARTITION_COUNT = 4

_BATCH_BYTES_MAX = 256 * 1024
_PROGRESS_EVENTS = 5_000


async def fill(connection: Mapping[str, Any], workload: Workload, on_progress: Callable[[int], None]) -> None:
    """Create the input topics of *workload* and send its events.

    Args:
        connection: Options of an aiokafka client.
        workload: What is sent.
        on_progress: Called with the number of events sent since the last call.
    """
    async with topic_admin(connection) as admin:
        for topic in _topics(workload).values():
            await admin.create(topic, partition_count=PARTITION_COUNT, replication=1, config={"retention.ms": "-1"})
    await send(connection, workload, workload.events(), on_progress)


async def send(
    connection: Mapping[str, Any],
    workload: Workload,
    events: Iterable[Event],
    on_progress: Callable[[int], None] = lambda _count: None,
) -> None:
    """Send *events* to the input topics of *workload*, which exist."""
    topics = _topics(workload)
    number = 0
    async with AIOKafkaProducer(**connection, enable_idempotence=True, max_batch_size=_BATCH_BYTES_MAX) as producer:
        writer = _Writer(producer)
        for number, event in enumerate(events, start=1):
            partition = home_partition(event.episode_id, PARTITION_COUNT)
            await writer.append(topics[event.kind], partition, event.episode_id.encode(), event.value)
            if number % _PROGRESS_EVENTS == 0:
                on_progress(_PROGRESS_EVENTS)
                await asyncio.sleep(0)
        await writer.finish()
        on_progress(number % _PROGRESS_EVENTS)


def _topics(workload: Workload) -> Mapping[InputKind, str]:
    return {kind: topic for topic, kind in Topology(topic_prefix=workload.topic_prefix).kinds.items()}


class _Writer:
    """Whole batches by hand: a send for each record would take most of the bench's time."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._open: dict[tuple[str, int], BatchBuilder] = {}
        self._sent: list[asyncio.Future[Any]] = []

    async def append(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        batch = self._open.get((topic, partition))
        if batch is not None and batch.append(timestamp=None, key=key, value=value) is not None:
            return
        if batch is not None:
            await self._send(batch, topic, partition)
        batch = self._open[topic, partition] = self._producer.create_batch()
        batch.append(timestamp=None, key=key, value=value)

    async def finish(self) -> None:
        for (topic, partition), batch in self._open.items():
            await self._send(batch, topic, partition)
        await asyncio.gather(*self._sent)

    async def _send(self, batch: BatchBuilder, topic: str, partition: int) -> None:
        batch.close()
        self._sent.append(await self._producer.send_batch(batch, topic, partition=partition))
