"""Reads a topic as one of a group, and writes what is made of it: records and offsets are one transaction.

It is the loop of Kafka's own design (https://kafka.apache.org/documentation/#usingtransactions) for who keeps no state.
A member's name is its transactional id and its group instance id. Whoever comes back under it ends what its last run
left open, and has its partitions at once; where the group has moved on, what it still holds is refused.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

from streams.kafka.broker_access import is_denial
from streams.kafka.connection import client_options
from streams.kafka.group_fenced_producer import GroupMetadata, group_fenced, sender_failure
from streams.kafka.group_member import static_member
from streams.kafka.log_reader import OffsetRange, log_ranges
from streams.kafka.seeking_fetcher import only_seeking
from streams.kafka.stable_offsets import stable_offsets
from streams.processing.records import InputRecord, OutputRecord, PlacedRecord
from streams.processing.topology import RECORD_BYTES_MAX
from streams.redaction import told_error

_RECORDS_MAX = 500
_WAIT_MS = 250
_FETCH_WAIT_SECONDS_MAX = 0.25
_ASSIGNMENT_POLL_SECONDS = 0.02
_TRANSACTION_SECONDS_MAX = 10
"""So long what is left open by a member that never comes back keeps readers of committed records waiting."""
_STOP_SECONDS_MAX = 5


class StepInDoubtError(Exception):
    """Whether the last step was committed only the brokers know; the message says what to do."""


class RecordsGoneError(Exception):
    """What is to be read next is not there any more; the message says where."""


class Membership(NamedTuple):
    """Who reads what.

    Attributes:
        topic: The topic that the group reads.
        group_id: The group.
        name: Of the member; no two have the same at a time.
    """

    topic: str
    group_id: str
    name: str


class Output(Protocol):
    """What a run of records comes to."""

    @property
    def records(self) -> Sequence[OutputRecord]:
        """To be written."""


OutputT = TypeVar("OutputT", bound=Output)


class ReadProcessWrite(ConsumerRebalanceListener, Generic[OutputT]):
    """One member at work.

    Args:
        connection: Options of an aiokafka consumer.
        membership: Who it is.
        process: Pure; runs beside the event loop, one run at a time.
        on_committed: Told of each run, once it is committed.
    """

    def __init__(
        self,
        connection: Mapping[str, Any],
        membership: Membership,
        process: Callable[[Sequence[InputRecord]], OutputT],
        on_committed: Callable[[OutputT], None],
    ) -> None:
        self._connection = connection
        self._membership = membership
        self._process = process
        self._on_committed = on_committed
        self._step = asyncio.Lock()
        """Held from the fetch of a run to its commit; a rebalance waits for it."""
        self._generation: GroupMetadata | None = None
        self._failure: BaseException | None = None

    async def run(self, *, once: bool, stop: asyncio.Event) -> None:
        """Work until *stop*, or *once* up to where the topic ends now, as far as it is ours.

        Raises:
            StepInDoubtError: Start it again.
            RecordsGoneError: Somebody must say where to read on.
            KafkaError: The brokers do not let us.
        """
        ends = await log_ranges(self._connection, [self._membership.topic]) if once else {}
        self._producer = self._created_producer()
        await self._producer.start()  # ends what the last run left open
        self._consumer = AIOKafkaConsumer(
            **self._connection,
            group_id=self._membership.group_id,
            group_instance_id=self._membership.name,
            isolation_level="read_committed",
            enable_auto_commit=False,
        )
        try:
            await self._consumer.start()
            static_member(self._consumer, on_failure=self._fail, leaves_on_close=True)
            only_seeking(self._consumer, on_failure=self._fail, fetch_wait_seconds_max=_FETCH_WAIT_SECONDS_MAX)
            self._consumer.subscribe([self._membership.topic], listener=self)
            while not stop.is_set() and not (once and await self._has_reached(ends)):
                self._raise_failure()
                async with self._step:
                    # Without partitions aiokafka would wait for some, and the rebalance that brings them for us.
                    if self._generation is not None:
                        await self._take_step()
                if self._generation is None:
                    await asyncio.sleep(_ASSIGNMENT_POLL_SECONDS)
        finally:
            with suppress(TimeoutError, kafka_errors.KafkaError):
                async with asyncio.timeout(_STOP_SECONDS_MAX):
                    await self._consumer.stop()
                    await self._producer.stop()

    # -----------------------------------------------------------------------------------------
    # The group
    # -----------------------------------------------------------------------------------------
    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Called before the group shares out anew: let the step in hand end."""
        del revoked
        async with self._step:
            self._generation = None

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Called when it has: go on from what is committed, with nothing left open; else from the begin."""
        coordinator = self._consumer._coordinator  # noqa: SLF001 - aiokafka tells it nowhere else
        generation = GroupMetadata(coordinator.generation, coordinator.member_id, self._membership.name)
        try:
            committed = await stable_offsets(self._connection, self._membership.group_id, assigned)
            begins = await self._consumer.beginning_offsets(list(assigned)) if assigned else {}
        except Exception as error:  # noqa: BLE001 - aiokafka would log it, and read nothing
            self._fail(error)
            return
        self._generation = generation
        for tp in assigned:
            self._consumer.seek(tp, committed.get(tp, begins[tp]))

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error

    async def _has_reached(self, ends: Mapping[TopicPartition, OffsetRange]) -> bool:
        if self._generation is None:
            return False
        ours = self._consumer.assignment()
        return all([await self._consumer.position(tp) >= ends[tp].end for tp in ours if tp in ends])

    # -----------------------------------------------------------------------------------------
    # A step
    # -----------------------------------------------------------------------------------------
    async def _take_step(self) -> None:
        fetched = await self._consumer.getmany(timeout_ms=_WAIT_MS, max_records=_RECORDS_MAX)
        self._raise_failure()
        if not fetched:
            return
        records = [PlacedRecord.of(record, tp.topic, tp.partition) for tp, run in fetched.items() for record in run]
        output = await asyncio.to_thread(self._process, records)
        await self._commit(output.records, {tp: run[-1].offset + 1 for tp, run in fetched.items()})
        self._on_committed(output)

    async def _commit(self, records: Sequence[OutputRecord], next_offsets: Mapping[TopicPartition, int]) -> None:
        producer = self._producer
        try:
            async with asyncio.timeout(_TRANSACTION_SECONDS_MAX):
                await producer.begin_transaction()
                sent = [
                    await producer.send(r.topic, r.value, r.key, partition=r.partition, headers=list(r.headers))
                    for r in records
                ]
                await asyncio.gather(*sent)  # aiokafka would commit a transaction in which a batch failed
                await producer.send_offsets_to_transaction(next_offsets, self._membership.group_id)
                await producer.commit_transaction()
        except (TimeoutError, kafka_errors.KafkaError) as error:
            self._fail(sender_failure(producer) or error)
            self._raise_failure()

    def _raise_failure(self) -> None:
        failure = self._failure
        if failure is None:
            return
        if isinstance(failure, kafka_errors.OffsetOutOfRangeError):
            message = (
                f"{self._membership.topic} does not have what the group {self._membership.group_id} is to read next: "
                "records are gone, or the topic was made anew. Move the group to where it shall read on "
                "(kafka-consumer-groups.sh --reset-offsets), and see what was lost."
            )
            raise RecordsGoneError(message) from None
        if is_denial(failure):
            raise failure
        message = f"The last step may not be committed ({told_error(failure)}): start it again, which asks the brokers."
        raise StepInDoubtError(message) from failure

    def _created_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **client_options(self._connection),
            transactional_id=self._membership.name,
            transaction_timeout_ms=_TRANSACTION_SECONDS_MAX * 1000,
            max_request_size=2 * RECORD_BYTES_MAX,
            retry_backoff_ms=10,  # the broker says "not yet" while the last transaction's markers are being written
        )
        return group_fenced(producer, self._current_generation)

    def _current_generation(self) -> GroupMetadata:
        if self._generation is None:
            message = "Offsets are committed within a generation."
            raise RuntimeError(message)
        return self._generation
