"""A process's writer and restorer, request by request, as `TransactionalWriter` and `ChangelogRestorer` are on Kafka.

A request without an answer is repeated, as aiokafka does; the broker knows a batch again by its sequence. Only
EndTxn is asked once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from streams.worker.restorer import RestoredPartition
from streams.worker.step import Generation, Step, TopicPartition
from tests.simulation.audit import Audit
from tests.simulation.broker import Broker
from tests.simulation.network import Network
from tests.simulation.partition_log import Producer, Unit
from tests.simulation.protocol import Protocol
from tests.simulation.refusals import ConnectionLostError, OutcomeUnknownError
from tests.simulation.transaction_coordinator import GROUP_OFFSETS
from tests.tasks_in_memory import TOPOLOGY

if TYPE_CHECKING:
    from streams.processing.records import OutputRecord

AnswerT = TypeVar("AnswerT")


class Connection:
    """One process's way to the broker."""

    def __init__(self, name: str, network: Network, broker: Broker) -> None:
        self.name = name
        self.broker = broker
        self._network = network
        self._is_open = True

    def close(self) -> None:
        """The process is no more: what it has sent is on its way, and nothing else ever happens to it."""
        self._is_open = False
        self._network.abandon(self.name)

    async def ask(self, request: str, act: Callable[[], AnswerT]) -> AnswerT:
        """The answer to *request*, which is repeated until one comes."""
        while True:
            try:
                return await self.ask_once(request, act)
            except ConnectionLostError:
                continue

    async def ask_once(self, request: str, act: Callable[[], AnswerT]) -> AnswerT:
        """The answer to *request*.

        Raises:
            ConnectionLostError: None came.
        """
        if not self._is_open:
            await asyncio.get_running_loop().create_future()
        return await self._network.ask(self.name, request, act)

    async def pass_on(self, what: str) -> None:
        """Wait until it is the turn of *what*, inside the process."""
        if self._is_open:
            await self._network.pass_on(self.name, what)


class SimulatedWriter:
    """Writes each step as one transaction."""

    def __init__(  # noqa: PLR0913 - what a process consists of
        self,
        connection: Connection,
        *,
        audit: Audit,
        protocol: Protocol,
        transactional_id: str,
        process: int,
        current_generation: Callable[[], Generation],
    ) -> None:
        self._connection = connection
        self._audit = audit
        self._protocol = protocol
        self._transactional_id = transactional_id
        self._process = process
        self._current_generation = current_generation
        self._producer = Producer(-1, -1)
        self._steps = 0
        self._sequences: dict[TopicPartition, int] = defaultdict(int)

    async def open(self) -> None:
        """InitProducerId."""
        init = partial(self._connection.broker.transactions.init_producer_id, self._transactional_id)
        self._producer = await self._connection.ask("InitProducerId", init)
        self._audit.note_fenced(self._transactional_id, before=self._process)

    async def write(self, step: Step) -> None:
        """Commit *step* as one transaction."""
        unit = Unit(self._transactional_id, self._process, self._steps)
        self._steps += 1
        self._audit.note_begun(unit, step)
        if self._protocol.sends_before_offsets:
            await self._send(unit, step)
        if self._protocol.commits_offsets_inside:
            await self._add_offsets(step)
        if not self._protocol.sends_before_offsets:
            await self._send(unit, step)
        self._audit.note_ending(unit)
        await self._end()
        if not self._protocol.commits_offsets_inside:
            offset_commit = partial(self._connection.broker.group.commit, step.generation, step.next_offsets)
            await self._connection.ask("OffsetCommit", offset_commit)

    async def close(self) -> None:
        """Nothing to let go."""

    async def _send(self, unit: Unit, step: Step) -> None:
        by_partition: dict[TopicPartition, list[OutputRecord]] = defaultdict(list)
        for record in step.records:
            by_partition[TopicPartition(record.topic, record.partition)].append(record)
        await self._add_partitions(*by_partition)
        sent = []
        for tp, records in by_partition.items():
            first_sequence = self._sequences[tp]
            self._sequences[tp] += len(records)
            produce = partial(self._connection.broker.produce, tp, records, self._producer, first_sequence, unit)
            sent.append(self._connection.ask(f"Produce({len(records)}) to {tp.topic}-{tp.partition}", produce))
        await asyncio.gather(*sent)

    async def _add_partitions(self, *participants: TopicPartition) -> None:
        transactions = self._connection.broker.transactions
        add = partial(transactions.add_partitions, self._transactional_id, self._producer, participants)
        name = "AddOffsetsToTxn" if participants == (GROUP_OFFSETS,) else "AddPartitionsToTxn"
        await self._connection.ask(name, add)

    async def _add_offsets(self, step: Step) -> None:
        await self._add_partitions(GROUP_OFFSETS)
        broker = self._connection.broker

        def commit() -> None:
            broker.add_offsets(self._producer, generation, step.next_offsets)

        generation = step.generation if self._protocol.commits_for_the_batch else self._current_generation()
        await self._connection.ask(f"TxnOffsetCommit in generation {generation.id}", commit)

    async def _end(self) -> None:
        end = partial(self._connection.broker.transactions.end, self._transactional_id, self._producer)
        if not self._protocol.ends_once:
            await self._connection.ask("EndTxn", end)
            return
        try:
            await self._connection.ask_once("EndTxn", end)
        except ConnectionLostError as error:
            raise OutcomeUnknownError from error


class SimulatedRestorer:
    """Reads partitions of the changelog."""

    def __init__(self, connection: Connection, protocol: Protocol) -> None:
        self.records_read = 0
        self.records_remaining = 0
        self._connection = connection
        self._protocol = protocol

    async def restore(self, partitions: Collection[int]) -> dict[int, RestoredPartition]:
        """The state of *partitions* as of the last committed transaction of any worker."""
        if not partitions:
            return {}
        broker = self._connection.broker
        tps = [TopicPartition(TOPOLOGY.episodes_changelog, partition) for partition in sorted(partitions)]
        stable = not self._protocol.restores_to_high_watermark
        ends = await self._connection.ask("ListOffsets", partial(broker.ends, tps, stable=stable))
        restored = {}
        for tp, end in ends.items():
            restored[tp.partition] = RestoredPartition()
            position = 0
            while position < end:
                name = f"Fetch of {tp.topic}-{tp.partition}@{position}"
                records, position = await self._connection.ask(name, partial(broker.fetch, tp, position))
                self.records_read += len(records)
                for record in records:
                    restored[tp.partition].take(record)
        return restored
