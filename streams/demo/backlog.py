"""When the workers are done: asked of the group's offsets, or, on the stand-in, seen from the outputs at rest."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.kafka.group_lag import group_lag
from streams.processing.topology import Topology

_REST_SECONDS = 15.0
"""Longer than a takeover: a session time-out and a restore."""


class Backlog(Protocol):
    """What is still to be done."""

    async def unread(self) -> Mapping[TopicPartition, int]:
        """Records not yet committed, by partition; empty when all is done."""


class OutputsAtRest:
    """For a broker that forgets the offsets of transactions: done is when nothing has been written for a while."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        self._consumer = consumer
        self._partitions = partitions
        self._ends: dict[TopicPartition, int] = {}
        self._moved_at = 0.0

    async def unread(self) -> Mapping[TopicPartition, int]:
        """One record in each partition that was written to of late, for it is not known how many are left."""
        ends = await self._consumer.end_offsets(self._partitions)
        now = asyncio.get_running_loop().time()
        if ends != self._ends:
            self._ends, self._moved_at = ends, now
        return {} if now - self._moved_at > _REST_SECONDS else dict.fromkeys(self._partitions, 1)


@asynccontextmanager
async def watch_backlog(
    connection: Mapping[str, Any], topology: Topology, *, keeps_offsets: bool
) -> AsyncIterator[Backlog]:
    """The backlog of the application of *topology*.

    Args:
        connection: Options of an aiokafka client.
        topology: Its topics.
        keeps_offsets: Whether the broker keeps the offsets that a transaction commits, as Kafka does.

    Raises:
        BrokerUnreachableError: No broker answers.
    """
    if keeps_offsets:
        async with group_lag(connection, topology.app_id, topology.sources) as lag:
            yield lag
        return
    async with AIOKafkaConsumer(topology.episodes_changelog, **connection, enable_auto_commit=False) as consumer:
        partitions = sorted(consumer.partitions_for_topic(topology.episodes_changelog) or ())
        yield OutputsAtRest(consumer, [TopicPartition(topology.episodes_changelog, p) for p in partitions])
