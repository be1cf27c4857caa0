"""A whole worker but for Faust and Kafka: its task manager, on topics that are lists.

What it shows: which records go into which step, what a rebalance drops, keeps and restores, and that going on
stops where it must. What it cannot show, because it is assumed here: that Kafka writes a step at once or not at
all, that a group refuses the step of a worker that it has left behind, that a restore reads all that is
committed; and when Faust calls what. The tests in ``tests/broker`` show these on the real ones.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import count

from streams.domain.policy import Policy
from streams.intake.decoder import Decoder
from streams.kafka.sealing import Sealing
from streams.processing.task_coder import Coder
from streams.processing.topology import Topology
from streams.worker.inbox import Backlog
from streams.worker.restorer import RestoredPartition
from streams.worker.sealed_state import SealedRestorer, SealedWriter
from streams.worker.step import Generation, Step, TopicPartition
from streams.worker.task_manager import TaskManager
from streams.worker.tuning import Tuning
from tests.policies_for_tests import DEFAULT, INSTRUMENTS
from tests.tasks_in_memory import FORWARDED_AT_MS, Record

TOPOLOGY = Topology()
AT_ONCE = Tuning(linger_seconds=0)
NOTHING_SEALED = Sealing(None, TOPOLOGY)
_PATIENCE_SECONDS = 5.0


class StaleGenerationError(Exception):
    """What the group tells a worker that it has left behind."""


class TopicsInMemory:
    """All topics of an application, and the generation of its group. State comes from here: it is a `Restorer`."""

    def __init__(self, *, task_count: int = 2, policy: Policy = DEFAULT) -> None:
        counts = {specification.name: task_count for specification in TOPOLOGY.specifications}
        self.coder = Coder(Decoder(INSTRUMENTS), policy, TOPOLOGY, counts)
        self.log: dict[TopicPartition, list[Record]] = defaultdict(list)
        self.steps: list[Step] = []
        self.restored: list[set[int]] = []
        """The partitions of each restore that had any."""
        self.generation_id = 0
        self.records_read = 0
        self.records_remaining = 0
        self.may_restore = asyncio.Event()
        """While it is cleared, restores wait as if there were much to read."""
        self.may_restore.set()
        self.fault: Exception | None = None
        """What a restore fails with."""

    def send(self, topic: str, partition: int, value: bytes | None, *, timestamp_ms: int = 0) -> None:
        """Append a producer's record."""
        self._append(topic, partition, timestamp_ms, b"any", value, ())

    def records(self, topic: str) -> list[Record]:
        """All records of *topic*, each partition in order of offset."""
        return [record for source, log in sorted(self.log.items()) if source.topic == topic for record in log]

    def committed(self) -> dict[TopicPartition, int]:
        """The group's offsets."""
        return {source: offset for step in self.steps for source, offset in step.next_offsets.items()}

    def has_more(self, source: TopicPartition, next_offset: int) -> bool:
        """Whether there are records of *source* from *next_offset* on: the topics are a `Backlog`."""
        return len(self.log[source]) > next_offset

    def commit(self, step: Step) -> None:
        """Append what *step* says, all of it or nothing.

        Raises:
            StaleGenerationError: The group has moved on.
        """
        if step.generation.id != self.generation_id:
            raise StaleGenerationError
        self.steps.append(step)
        for written in step.records:
            self._append(written.topic, written.partition, FORWARDED_AT_MS, written.key, written.value, written.headers)

    async def restore(self, partitions: Collection[int]) -> dict[int, RestoredPartition]:
        """Fold the changelog."""
        if partitions:
            self.restored.append(set(partitions))
        await self.may_restore.wait()
        if self.fault is not None:
            raise self.fault
        restored = {}
        for partition in partitions:
            restored[partition] = RestoredPartition()
            for record in self.log[TopicPartition(TOPOLOGY.episodes_changelog, partition)]:
                restored[partition].take(record)
        return restored

    def _append(  # noqa: PLR0913, PLR0917 - the parts of a record
        self,
        topic: str,
        partition: int,
        timestamp_ms: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> None:
        log = self.log[TopicPartition(topic, partition)]
        log.append(Record(topic, partition, len(log), timestamp_ms, key, value, headers))


class WriterInMemory:
    """A worker's own way to the topics, which can be blocked or broken."""

    def __init__(self, topics: TopicsInMemory) -> None:
        self.may_commit = asyncio.Event()
        """While it is cleared, steps wait as if the broker took its time; what waits may still fail."""
        self.may_commit.set()
        self.fault: Exception | None = None
        self.is_open = False
        self._topics = topics

    async def open(self) -> None:
        """Begin."""
        self.is_open = True

    async def write(self, step: Step) -> None:
        """Commit *step*."""
        await self.may_commit.wait()
        if self.fault is not None:
            raise self.fault
        self._topics.commit(step)

    async def close(self) -> None:
        """End."""
        self.is_open = False


class WorkerDriver:
    """One worker: does with its task manager what Faust would, step by step.

    Args:
        topics: Where it reads and writes; workers of one application share them.
        tuning: Its sizes.
        sealing: What it seals and opens; nothing where left out.
        backlog: What it knows of the topics; all where left out.
    """

    _numbers = count(1)

    def __init__(
        self,
        topics: TopicsInMemory,
        tuning: Tuning = AT_ONCE,
        sealing: Sealing = NOTHING_SEALED,
        backlog: Backlog | None = None,
    ) -> None:
        self.failures: list[BaseException] = []
        self.member_id = f"member-{next(self._numbers)}"
        self.writer = WriterInMemory(topics)
        self.manager = TaskManager(
            topics.coder,
            restorer=SealedRestorer(topics, sealing),
            writer=SealedWriter(self.writer, sealing),
            backlog=backlog or topics,
            on_failure=self.failures.append,
            tuning=tuning,
        )
        self._topics = topics
        self._generation_id = -1
        self._next_offsets: dict[TopicPartition, int] = {}

    async def revoke(self) -> None:
        """Have everything taken away, as at the begin of a rebalance."""
        await self.manager.revoke()

    async def assign(self, *partitions: int) -> None:
        """Get *partitions* in the group's generation of now, and seek as the tasks say."""
        self._generation_id = self._topics.generation_id
        await self.manager.assign(Generation(self._generation_id, self.member_id), partitions)
        self._next_offsets = self.manager.next_offsets()

    async def rebalance(self, *partitions: int) -> None:
        """Take part in a rebalance, alone."""
        await self.revoke()
        self._topics.generation_id += 1
        await self.assign(*partitions)

    async def deliver(self, *, records_max: int = 1_000_000) -> int:
        """Fetch once from each partition, and hand over what came; how many records came."""
        delivered = 0
        generation_id, next_offsets = self._generation_id, self._next_offsets  # a rebalance may come in between
        for source, offset in next_offsets.items():
            records = self._topics.log[source][offset : offset + records_max]
            if records:
                await self.manager.receive(source, records, generation_id=generation_id)
                next_offsets[source] += len(records)
                delivered += len(records)
        return delivered

    async def drain(self) -> None:
        """Read until nothing is left, what was re-keyed on the way included, and all is committed."""
        while await self.deliver():
            await self.until_committed()

    async def until_committed(self) -> None:
        """Wait until all that was handed over is committed, or until the worker has failed."""
        await until(lambda: bool(self.failures) or self._is_committed())

    def _is_committed(self) -> bool:
        committed = self._topics.committed()
        return all(committed.get(source, 0) >= offset for source, offset in self._next_offsets.items())


async def until(condition: Callable[[], bool]) -> None:
    """Let everything run until *condition* holds; some seconds at most."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0)


async def at_rest(topics: TopicsInMemory) -> None:
    """Let everything run until no step has been written for a good while."""
    written = -1
    while written != len(topics.steps):
        written = len(topics.steps)
        for _ in range(50):
            await asyncio.sleep(0)


async def finishes(waiting: Awaitable[object]) -> None:
    """Wait for *waiting*; some seconds at most."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await waiting
