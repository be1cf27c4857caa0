"""How far a consumer group is behind, asked of the brokers: what the group itself says of that may be wrong."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.kafka.broker_access import ensure_access, unreachable
from streams.kafka.connection import client_options
from streams.kafka.group_description import described_group
from streams.monitoring.reading import GroupReading, PartitionReading

_NO_OFFSET = -1
_FETCH_WAIT_MS = 100
_OLDEST_SECONDS_MAX = 1.0
"""How long a reading may take to look for the oldest records; what was not found by then is found the next time."""
_FETCH_BYTES = 16 * 1024
"""Of a partition only the first record is wanted; a larger batch comes all the same."""


class _Oldest(NamedTuple):
    """What lies at the offset that a group has read to."""

    read_to: int
    timestamp_ms: int


class _Span(NamedTuple):
    read_to: int
    end: int


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
        self._oldest: dict[TopicPartition, _Oldest] = {}

    async def unread(self) -> dict[TopicPartition, int]:
        """Records not yet committed, by partition; only partitions that have some."""
        readings = await self._partitions()
        return {TopicPartition(r.topic, r.partition): r.lag_records for r in readings if r.lag_records}

    async def read(self, now_ms: int) -> GroupReading:
        """The group and all that it reads, as of *now_ms*."""
        described = await described_group(self._admin, self._group_id)
        return GroupReading(now_ms, described.state, described.members, await self._partitions())

    async def _partitions(self) -> tuple[PartitionReading, ...]:
        """Every partition.

        Offsets that hold no record for a `read_committed` reader (the markers of transactions, what was
        aborted) are not counted where nothing else is left: a group would never be done with them.

        The ends are high watermarks. The last stable offset leaves out what is committed but for its markers, such
        as a record that was just sent home in the very transaction whose offsets are seen here already.
        """
        tps = sorted(self._consumer.assignment())
        if not tps:
            return ()
        committed = await self._committed(tps)
        ends = await self._ends.end_offsets(tps)
        begins = await self._consumer.beginning_offsets(tps)
        spans = {tp: _Span(max(committed.get(tp, _NO_OFFSET), begins[tp]), ends[tp]) for tp in tps}
        empty = await self._look({tp: span for tp, span in spans.items() if span.read_to < span.end})
        return tuple(self._reading(tp, span, is_empty=tp in empty) for tp, span in spans.items())

    def _reading(self, tp: TopicPartition, span: _Span, *, is_empty: bool) -> PartitionReading:
        lag_records = 0 if is_empty else max(0, span.end - span.read_to)
        oldest = self._oldest.get(tp) if lag_records else None
        # One from before the group moved on is older than what waits now, but nearer to the truth than nothing.
        oldest_ms = oldest.timestamp_ms if oldest is not None else None
        return PartitionReading(tp.topic, tp.partition, span.read_to, span.end, lag_records, oldest_ms)

    async def _committed(self, tps: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        try:
            offsets = await self._admin.list_consumer_group_offsets(self._group_id, partitions=list(tps))
        except kafka_errors.KafkaError:
            return {}  # the group has no coordinator yet
        return {tp: committed.offset for tp, committed in offsets.items()}

    async def _look(self, behind: Mapping[TopicPartition, _Span]) -> set[TopicPartition]:
        """Learn the oldest record of each of *behind*.

        Returns:
            Those in which a reader moves from the one end of the span to the other and gets nothing.
        """
        self._oldest = {tp: oldest for tp, oldest in self._oldest.items() if tp in behind}
        wanted = {tp: span for tp, span in behind.items() if not self._is_known(tp, span)}
        if not wanted:
            return set()
        for tp, span in wanted.items():
            self._consumer.seek(tp, span.read_to)
        self._consumer.resume(*wanted)
        try:
            return await self._look_into(wanted)
        finally:
            self._consumer.pause(*wanted)

    def _is_known(self, tp: TopicPartition, span: _Span) -> bool:
        oldest = self._oldest.get(tp)
        return oldest is not None and oldest.read_to == span.read_to

    async def _look_into(self, wanted: Mapping[TopicPartition, _Span]) -> set[TopicPartition]:
        open_ones, empty = dict(wanted), set()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _OLDEST_SECONDS_MAX
        while open_ones and loop.time() < deadline:
            fetched = await self._consumer.getmany(*open_ones, timeout_ms=_FETCH_WAIT_MS, max_records=1)
            for tp, span in list(open_ones.items()):
                records = fetched.get(tp) or (await self._consumer.getmany(tp, timeout_ms=0, max_records=1)).get(tp)
                if records:
                    self._oldest[tp] = _Oldest(span.read_to, records[0].timestamp)
                elif await self._consumer.position(tp) >= span.end:
                    empty.add(tp)
                else:
                    continue
                del open_ones[tp]
        return empty


@asynccontextmanager
async def group_lag(connection: Mapping[str, Any], group_id: str, topics: Collection[str]) -> AsyncIterator[GroupLag]:
    """A connected `GroupLag` for *group_id* and the *topics* that it reads; they must exist.

    Raises:
        BrokerUnreachableError: No broker answers.
        AccessDeniedError: One does not let us in; `ensure_access` has more.
    """
    await ensure_access(connection)
    consumer = AIOKafkaConsumer(
        **connection,
        isolation_level="read_committed",
        enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
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
