"""How far a consumer group is behind, asked of the brokers."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.kafka.connection import client_options
from streams.kafka.topic_admin import BrokerUnreachableError, unreachable

_NO_OFFSET = -1


class GroupLag:
    """Compares a group's committed offsets with the ends of what it reads."""

    def __init__(
        self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient, group_id: str, topics: Collection[str]
    ) -> None:
        self._consumer = consumer
        self._admin = admin
        self._group_id = group_id
        self._topics = topics

    async def unread(self) -> dict[TopicPartition, int]:
        """Records not yet committed, by partition; only partitions that have some.

        Offsets that hold no record for a `read_committed` reader (the markers of transactions, what was
        aborted) are not counted where nothing else is left: a group would never be done with them.
        """
        tps = [
            TopicPartition(topic, partition)
            for topic in self._topics
            for partition in sorted(self._consumer.partitions_for_topic(topic) or ())
        ]
        committed = await self._committed(tps)
        ends = await self._consumer.end_offsets(tps)
        begins = await self._consumer.beginning_offsets(tps)
        behind = {
            tp: (max(committed.get(tp, _NO_OFFSET), begins[tp]), ends[tp])
            for tp in tps
            if max(committed.get(tp, _NO_OFFSET), begins[tp]) < ends[tp]
        }
        empty = await self._without_records(behind)
        return {tp: end - offset for tp, (offset, end) in behind.items() if tp not in empty}

    async def _committed(self, tps: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        try:
            offsets = await self._admin.list_consumer_group_offsets(self._group_id, partitions=list(tps))
        except kafka_errors.KafkaError:
            return {}  # the group has no coordinator yet
        return {tp: committed.offset for tp, committed in offsets.items()}

    async def _without_records(self, behind: Mapping[TopicPartition, tuple[int, int]]) -> set[TopicPartition]:
        """Those of *behind* in which a reader moves from the first offset to the second and gets nothing."""
        self._consumer.assign(list(behind))
        if not behind:
            return set()
        for tp, (offset, _end) in behind.items():
            self._consumer.seek(tp, offset)
        fetched = await self._consumer.getmany(timeout_ms=200, max_records=1)
        with_records = {tp for tp, records in fetched.items() if records}
        empty = set()
        for tp, (_offset, end) in behind.items():
            if tp not in with_records and await self._consumer.position(tp) >= end:
                empty.add(tp)
        return empty


@asynccontextmanager
async def group_lag(connection: Mapping[str, Any], group_id: str, topics: Collection[str]) -> AsyncIterator[GroupLag]:
    """A connected `GroupLag` for *group_id* and the *topics* that it reads.

    Raises:
        BrokerUnreachableError: No broker answers.
    """
    consumer = AIOKafkaConsumer(*topics, **connection, isolation_level="read_committed", enable_auto_commit=False)
    admin = AIOKafkaAdminClient(**client_options(connection))
    try:
        try:
            await consumer.start()
            await admin.start()
        except kafka_errors.KafkaError as error:
            raise BrokerUnreachableError(unreachable(str(connection["bootstrap_servers"]))) from error
        consumer.unsubscribe()
        yield GroupLag(consumer, admin, group_id, topics)
    finally:
        await consumer.stop()
        await admin.close()
