"""What the broker says of a run: how far it is, whether it is done, and what came out."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bench.input_topics import PARTITION_COUNT
from streams.kafka.log_reader import read_log


class BrokerView:
    """Asks the broker; made by `broker_view`."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        admin: AIOKafkaAdminClient,
        committed_reader: AIOKafkaConsumer,
        any_reader: AIOKafkaConsumer,
    ) -> None:
        self._connection = connection
        self._admin = admin
        self._committed_reader = committed_reader
        self._any_reader = any_reader

    async def committed_count(self, group_id: str, topics: Collection[str]) -> int:
        """How many records of *topics* the group has committed; the topics hold records and nothing else."""
        try:
            offsets = await self._admin.list_consumer_group_offsets(group_id, partitions=_partitions(topics))
        except kafka_errors.KafkaError:
            return 0  # the group has no coordinator yet
        return sum(max(committed.offset, 0) for committed in offsets.values())

    async def readable_count(self, topic: str) -> int | None:
        """Up to which offsets *topic* can be read, added up; None while a transaction is open in it."""
        partitions = _partitions([topic])
        readable = await self._committed_reader.end_offsets(partitions)
        written = await self._any_reader.end_offsets(partitions)
        return sum(readable.values()) if readable == written else None

    async def keys(self, topic: str, *, where: Callable[[bytes], bool] = lambda _key: True) -> list[str]:
        """The key of every committed record of *topic* that has one like that."""
        found = []
        async for records in read_log(self._connection, [topic]):
            found += [record.key.decode() for record in records if record.key is not None and where(record.key)]
        return found

    async def topics(self) -> set[str]:
        """The topics that there are, but for the broker's own."""
        return {topic for topic in await self._admin.list_topics() if not topic.startswith("__")}

    async def delete(self, topics: Collection[str]) -> None:
        """Remove topics, so that the next run may create them anew."""
        if topics:
            await self._admin.delete_topics(list(topics))


@asynccontextmanager
async def broker_view(connection: Mapping[str, Any]) -> AsyncIterator[BrokerView]:
    """A connected view."""
    async with AsyncExitStack() as stack:
        admin = AIOKafkaAdminClient(**connection)
        stack.push_async_callback(admin.close)
        await admin.start()
        committed = AIOKafkaConsumer(**connection, isolation_level="read_committed", enable_auto_commit=False)
        uncommitted = AIOKafkaConsumer(**connection, enable_auto_commit=False)
        await stack.enter_async_context(committed)
        await stack.enter_async_context(uncommitted)
        yield BrokerView(connection, admin, committed, uncommitted)


def _partitions(topics: Collection[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for topic in topics for partition in range(PARTITION_COUNT)]
