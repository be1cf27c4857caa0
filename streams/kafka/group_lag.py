"""How far a consumer group is behind, asked of the brokers."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.kafka.broker_access import ensure_access, unreachable
from streams.kafka.connection import client_options

_NO_OFFSET = -1


class GroupLag:
    """Compares a group's committed offsets with the ends of what it reads.

    Args:
        consumer: Reads committed records, and has what the group reads assigned and paused.
        ends: Is told the high watermarks: it does not ask for committed records only.
        admin: Asks for the group's offsets.
        group_id: The group.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, ends: AIOKafkaConsumer, admin: AIOKafkaAdminClient, group_id: str
    ) -> None:
        self._consumer = consumer
        self._ends = ends
        self._admin = admin
        self._group_id = group_id

    async def unread(self) -> dict[TopicPartition, int]:
        """Records not yet committed, by partition; only partitions that have some.

        Offsets that hold no record for a `read_committed` reader (the markers of transactions, what was
        aborted) are not counted where nothing else is left: a group would never be done with them.

        The ends are high watermarks. The last stable offset leaves out what is committed but for its markers, such
        as a record that was just sent home in the very transaction whose offsets are seen here already.
        """
        tps = sorted(self._consumer.assignment())
        if not tps:
            return {}
        committed = await self._committed(tps)
        ends = await self._ends.end_offsets(tps)
        begins = await self._consumer.beginning_offsets(tps)
        read_to = {tp: max(committed.get(tp, _NO_OFFSET), begins[tp]) for tp in tps}
        behind = {tp: (read_to[tp], ends[tp]) for tp in tps if read_to[tp] < ends[tp]}
        empty = await self._without_records(behind) if behind else set()
        return {tp: end - offset for tp, (offset, end) in behind.items() if tp not in empty}

    async def _committed(self, tps: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        try:
            offsets = await self._admin.list_consumer_group_offsets(self._group_id, partitions=list(tps))
        except kafka_errors.KafkaError:
            return {}  # the group has no coordinator yet
        return {tp: committed.offset for tp, committed in offsets.items()}

    async def _without_records(self, behind: Mapping[TopicPartition, tuple[int, int]]) -> set[TopicPartition]:
        """Those of *behind* in which a reader moves from the first offset to the second and gets nothing."""
        for tp, (offset, _end) in behind.items():
            self._consumer.seek(tp, offset)
        self._consumer.resume(*behind)
        fetched = await self._consumer.getmany(*behind, timeout_ms=200, max_records=1)
        self._consumer.pause(*behind)
        with_records = {tp for tp, records in fetched.items() if records}
        empty = set()
        for tp, (_offset, end) in behind.items():
            if tp not in with_records and await self._consumer.position(tp) >= end:
                empty.add(tp)
        return empty


@asynccontextmanager
async def group_lag(connection: Mapping[str, Any], group_id: str, topics: Collection[str]) -> AsyncIterator[GroupLag]:
    """A connected `GroupLag` for *group_id* and the *topics* that it reads; they must exist.

    Raises:
        BrokerUnreachableError: No broker answers.
        AccessDeniedError: One does not let us in; `ensure_access` has more.
    """
    await ensure_access(connection)
    consumer = AIOKafkaConsumer(**connection, isolation_level="read_committed", enable_auto_commit=False)
    ends = AIOKafkaConsumer(**connection, enable_auto_commit=False)
    admin = AIOKafkaAdminClient(**client_options(connection))
    try:
        try:
            await consumer.start()
            await ends.start()
            await admin.start()
        except kafka_errors.KafkaError as error:
            raise unreachable(str(connection["bootstrap_servers"])) from error
        # Once, and paused: a consumer of aiokafka 0.14 whose assignment was replaced shortly before may never stop.
        described = await admin.describe_topics(list(topics))
        tps = [TopicPartition(topic["topic"], p["partition"]) for topic in described for p in topic["partitions"]]
        consumer.assign(tps)
        consumer.pause(*tps)
        yield GroupLag(consumer, ends, admin, group_id)
    finally:
        await consumer.stop()
        await ends.stop()
        await admin.close()
