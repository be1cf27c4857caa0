"""What do readers from outside see, during a trial and after it?"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.kafka.connection import client_options
from streams.kafka.group_lag import group_lag
from streams.kafka.log_reader import read_log
from streams.processing.records import InputRecord
from streams.worker import step

_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 90.0
_Answer = TypeVar("_Answer")


class BillingReader:
    """A billing consumer that runs along: notes every event as it is seen."""

    def __init__(self, connection: Mapping[str, Any], topic: str, partition_count: int) -> None:
        self.records: list[ConsumerRecord[bytes, bytes]] = []
        self._connection = connection
        self._partitions = [TopicPartition(topic, partition) for partition in range(partition_count)]
        self._positions: dict[TopicPartition, int] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read until the block ends."""
        reading = asyncio.create_task(self._read())
        try:
            yield
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    def has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether everything before *ends* has been seen."""
        return all(self._positions.get(tp, 0) >= ends[tp] for tp in self._partitions)

    @property
    def partitions(self) -> Collection[TopicPartition]:
        """What it reads."""
        return self._partitions

    async def _read(self) -> None:
        while True:
            with suppress(kafka_errors.KafkaError):  # a broker that does not answer is asked again
                await self._read_on()

    async def _read_on(self) -> None:
        async with AIOKafkaConsumer(
            **self._connection,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
        ) as consumer:
            consumer.assign(self._partitions)
            for tp in self._partitions:
                consumer.seek(tp, self._positions.get(tp, 0))
            while True:
                fetched = await consumer.getmany(timeout_ms=200)
                for tp, records in fetched.items():
                    self.records += records
                    self._positions[tp] = records[-1].offset + 1
                for tp in self._partitions:
                    self._positions[tp] = await consumer.position(tp)


async def patiently(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """What *ask* answers; brokers that do not answer in time, on a machine that is short of it, are asked again.

    Raises:
        KafkaError: They do not answer for long.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_SECONDS
    while True:
        try:
            return await ask()
        except kafka_errors.KafkaError:
            if loop.time() > deadline:
                raise
            await asyncio.sleep(_POLL_SECONDS)


async def read_all(connection: Mapping[str, Any], topics: Collection[str]) -> list[InputRecord]:
    """Every committed record of *topics*, each partition in order."""

    async def ask() -> list[InputRecord]:
        return [record async for records in read_log(connection, topics) for record in records]

    return await patiently(ask)


class Ends:
    """Where topics end: for all, and for those who read committed records only."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
        self._connection = connection

    async def of(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The high watermarks."""
        return await self._ask(partitions, "read_uncommitted")

    async def stable(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The last stable offsets."""
        return await self._ask(partitions, "read_committed")

    async def _ask(self, partitions: Collection[TopicPartition], isolation_level: str) -> dict[TopicPartition, int]:
        async def ask() -> dict[TopicPartition, int]:
            async with AIOKafkaConsumer(
                **self._connection, isolation_level=isolation_level, enable_auto_commit=False
            ) as consumer:
                offsets: dict[TopicPartition, int] = await consumer.end_offsets(list(partitions))
                return offsets

        return await patiently(ask)

    async def open_ends(self, topics: Mapping[str, int]) -> list[str]:
        """The partitions in which a transaction is open."""
        partitions = [TopicPartition(topic, number) for topic, count in topics.items() for number in range(count)]
        stable = await self.stable(partitions)
        high = await self.of(partitions)
        return [f"{tp.topic}-{tp.partition} from {stable[tp]} on" for tp in partitions if stable[tp] < high[tp]]


async def unread(
    connection: Mapping[str, Any], group_id: str, topics: Collection[str]
) -> AsyncIterator[dict[TopicPartition, int]]:
    """What a group has not committed, asked for again and again; a broker that does not answer is asked again."""
    while True:
        with suppress(kafka_errors.KafkaError):
            async with group_lag(connection, group_id, topics) as lag:
                while True:
                    yield await lag.unread()
                    await asyncio.sleep(_POLL_SECONDS)
        await asyncio.sleep(_POLL_SECONDS)


async def committed_offsets(connection: Mapping[str, Any], group_id: str) -> dict[step.TopicPartition, int]:
    """The offsets that a group has committed."""

    async def ask() -> Mapping[TopicPartition, Any]:
        admin = AIOKafkaAdminClient(**client_options(connection))
        try:
            await admin.start()
            offsets: Mapping[TopicPartition, Any] = await admin.list_consumer_group_offsets(group_id)
            return offsets
        finally:
            await admin.close()

    offsets = await patiently(ask)
    return {step.TopicPartition(tp.topic, tp.partition): committed.offset for tp, committed in offsets.items()}
