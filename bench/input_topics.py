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
    await create(connection, workload)
    await send(connection, workload, workload.events(), on_progress)


async def create(connection: Mapping[str, Any], workload: Workload) -> None:
    """Create the input topics of *workload*, empty."""
    async with topic_admin(connection) as admin:
        for topic in _topics(workload).values():
            await admin.create(topic, partition_count=PARTITION_COUNT, replication=1, config={"retention.ms": "-1"})


async def send(
    connection: Mapping[str, Any],
    workload: Workload,
    events: Iterable[Event],
    on_progress: Callable[[int], None] = lambda _count: None,
) -> None:
    """Send *events* to the input topics of *workload*, which exist."""
    number = 0
    async with producer_of(connection) as producer:
        writer = EventWriter(producer, workload)
        for number, event in enumerate(events, start=1):
            await writer.append(event)
            if number % _PROGRESS_EVENTS == 0:
                on_progress(_PROGRESS_EVENTS)
                await asyncio.sleep(0)
        await writer.finish()
        on_progress(number % _PROGRESS_EVENTS)


def producer_of(connection: Mapping[str, Any]) -> AIOKafkaProducer:
    """A producer for an `EventWriter`."""
    return AIOKafkaProducer(**connection, enable_idempotence=True, max_batch_size=_BATCH_BYTES_MAX)


def _topics(workload: Workload) -> Mapping[InputKind, str]:
    return {kind: topic for topic, kind in Topology(topic_prefix=workload.topic_prefix).kinds.items()}


class EventWriter:
    """Whole batches by hand: a send for each record would take most of the bench's time."""

    def __init__(self, producer: AIOKafkaProducer, workload: Workload) -> None:
        self._producer = producer
        self._topics = _topics(workload)
        self._open: dict[tuple[str, int], BatchBuilder] = {}
        self._sent: list[asyncio.Future[Any]] = []

    async def append(self, event: Event) -> None:
        """Take *event* in; it goes out with the rest of its batch."""
        place = self._topics[event.kind], home_partition(event.episode_id, PARTITION_COUNT)
        key = event.episode_id.encode()
        batch = self._open.get(place)
        if batch is not None and batch.append(timestamp=None, key=key, value=event.value) is not None:
            return
        if batch is not None:
            await self._send(batch, *place)
        batch = self._open[place] = self._producer.create_batch()
        batch.append(timestamp=None, key=key, value=event.value)

    async def finish(self) -> None:
        """Send what is still here, and wait until the broker has all."""
        for place, batch in self._open.items():
            await self._send(batch, *place)
        self._open.clear()
        await asyncio.gather(*self._sent)
        self._sent.clear()

    async def _send(self, batch: BatchBuilder, topic: str, partition: int) -> None:
        batch.close()
        self._sent.append(await self._producer.send_batch(batch, topic, partition=partition))
