"""The worker's stream tasks: which it has, what comes in for them, and one transaction per step.

Theory of operation. Records come in per partition (`receive`) and wait in the inbox. One loop takes what the
inbox lets go, lets each task process its part, and hands the sum to the writer as one step; while that commits,
the next step is computed. Memory may therefore run ahead of the log by the steps in flight, but nothing leaves
the process before it is committed, and a failure ends the process: the next one starts from the log.

On a rebalance everything is revoked (the eager protocol): the step in hand is finished and committed, the
rest of the inbox dropped, and the tasks are *parked*. If the very next generation of the group gives a
partition back to this member, nobody else can have had it in between, and its task goes on as it was.
Otherwise its state and its positions are restored from the changelog, together, from one place. A restore may take
minutes, so it runs beside whatever told of the assignment: the group hears heartbeats meanwhile, and a rebalance that
begins before it is done breaks it off.

It knows neither Faust nor aiokafka: the tests drive it without a broker.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

import structlog

from streams.processing.records import Batch, FetchedRecord, OutputRecord
from streams.processing.stream_task import StreamTask
from streams.processing.task_coder import Coder
from streams.processing.task_output import TaskOutput
from streams.worker.inbox import Backlog, Inbox
from streams.worker.observer import Unobserved, WorkObserver
from streams.worker.restorer import RestoredPartition
from streams.worker.step import Generation, Step, StepWriter, TopicPartition
from streams.worker.task_progress import Phase, TaskProgress
from streams.worker.tuning import Tuning

_log = structlog.get_logger(__name__)


class Restorer(Protocol):
    """Where the state of a partition comes from."""

    @property
    def records_read(self) -> int:
        """Of all restores together: how the watchdog sees that one comes forward."""

    @property
    def records_remaining(self) -> int:
        """Offsets that the restore under way has yet to pass."""

    async def restore(self, partitions: Collection[int]) -> dict[int, RestoredPartition]:
        """The state of *partitions* as of the last committed transaction of any worker."""


class _Parked(NamedTuple):
    generation: Generation
    tasks: dict[int, StreamTask]


class TaskManager:
    """Owns the stream tasks of one worker.

    Args:
        coder: What the tasks share.
        restorer: Reads the changelog.
        writer: Writes steps.
        backlog: What the inputs hold beyond what was received.
        on_failure: Called once with whatever made going on impossible; it should end the process.
        tuning: Sizes and the linger.
        observer: Is told what is done.
    """

    def __init__(  # noqa: PLR0913 - a manager has all parts
        self,
        coder: Coder,
        *,
        restorer: Restorer,
        writer: StepWriter,
        backlog: Backlog,
        on_failure: Callable[[BaseException], None],
        tuning: Tuning,
        observer: WorkObserver | None = None,
    ) -> None:
        self._observer = observer or Unobserved()
        self._coder = coder
        self._restorer = restorer
        self._writer = writer
        self._on_failure = on_failure
        self._tuning = tuning
        self._generation: Generation | None = None
        self._tasks: dict[int, StreamTask] = {}
        self._parked: _Parked | None = None
        self._inbox = Inbox(coder.topology.in_step, backlog, patience_seconds=tuning.out_of_step_seconds_max)
        self._arrived = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self._computing = asyncio.Lock()
        self._commit: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._loop: asyncio.Task[None] | None = None
        self._assignment: asyncio.Task[None] | None = None
        self._assigned = asyncio.Event()
        self._assignments = 0
        self._without_tasks_since: float | None = None
        self._steps_committed = 0

    @property
    def progress(self) -> TaskProgress:
        """How far this worker is."""
        restoring = self._assignment is not None and not self._assignment.done()
        working = Phase.WORKING if self._generation is not None else Phase.REBALANCING
        committing = self._commit is not None and not self._commit.done()
        return TaskProgress(
            phase=Phase.RESTORING if restoring else working,
            assignments=self._assignments,
            records_restored=self._restorer.records_read,
            steps_committed=self._steps_committed,
            records_in_hand=committing or self._computing.locked() or len(self._inbox) > 0,
        )

    @property
    def generation(self) -> Generation | None:
        """As of which the tasks are here; None while they are not."""
        return self._generation

    @property
    def tasks(self) -> Mapping[int, StreamTask]:
        """The tasks that are here, by partition."""
        return self._tasks

    @property
    def records_remaining(self) -> int:
        """Offsets of the changelog that the restore under way has yet to pass."""
        return self._restorer.records_remaining

    def next_offsets(self) -> dict[TopicPartition, int]:
        """Where to read on, for every source partition of every task; 0 where nothing was read yet."""
        counts, sources = self._coder.partition_counts, self._coder.topology.sources
        return {
            TopicPartition(topic, partition): task.next_offsets.get(topic, 0)
            for partition, task in self._tasks.items()
            for topic in sources
            if partition < counts[topic]
        }

    def begin_assignment(self, generation: Generation, partitions: Collection[int]) -> None:
        """Start to `assign`, and return at once; `until_assigned` waits for the end, `revoke` breaks it off."""
        self._assigned.clear()
        self._assignment = asyncio.create_task(
            self._assign_or_fail(generation, partitions), name="stream-task-assignment"
        )

    async def until_assigned(self) -> None:
        """Wait until the tasks of the latest generation are here, whichever that is by then."""
        await self._assigned.wait()

    async def assign(self, generation: Generation, partitions: Collection[int]) -> None:
        """Take over *partitions*, and only these, as of *generation*."""
        self._opening = self._opening or asyncio.create_task(self._open(), name="stream-task-opening")
        # Shielded: a rebalance that breaks the restore off must not leave a producer that is half there.
        await asyncio.shield(self._opening)
        kept = self._still_ours(generation, partitions)
        # Ours as of now, also if this is broken off.
        self._parked = _Parked(generation, dict(kept))
        restored = await self._restorer.restore([p for p in partitions if p not in kept])
        for partition, one in restored.items():
            kept[partition] = StreamTask(partition, self._coder, one.episodes, one.positions, one.forgotten, one.merges)
        self._generation, self._tasks, self._parked = generation, kept, None
        self._inbox.begin(self.next_offsets())
        self._assignments += 1
        now = asyncio.get_running_loop().time()
        self._observer.tasks_assigned(now - (self._without_tasks_since or now))
        self._assigned.set()
        _log.info("tasks_assigned", generation=generation.id, tasks=len(kept), restored=len(restored))

    async def revoke(self) -> None:
        """Finish the step in hand, forget what was not begun, and park the tasks."""
        self._assigned.clear()
        if self._assignment is not None and not self._assignment.done():
            self._assignment.cancel()
            await asyncio.wait([self._assignment])
        # At once with what follows: a run taken in behind those that are dropped here would leave a hole.
        generation, self._generation = self._generation, None
        self._without_tasks_since = asyncio.get_running_loop().time()
        self._inbox.begin({})
        self._space.set()
        await self.settle()
        if generation is not None:
            self._parked = _Parked(generation, self._tasks)
        self._tasks = {}

    def supplied(self) -> set[TopicPartition]:
        """The sources of which no more records are of use now: what is here of them waits for others to catch up."""
        return self._inbox.sources_with(self._tuning.source_records_max)

    async def receive(self, source: TopicPartition, records: Sequence[FetchedRecord], *, generation_id: int) -> None:
        """Put *records* into the inbox; waits while it is full. What belongs to another generation is dropped."""
        # What is full of records that wait must let in what they wait for; `supplied` bounds how many they are.
        while len(self._inbox) >= self._tuning.inbox_records_max and self._inbox.is_ready():
            self._space.clear()
            await self._space.wait()
        generation = self._generation
        if generation is None or generation.id != generation_id or source.partition not in self._tasks:
            return
        self._inbox.put(source, records)
        self._arrived.set()

    async def settle(self) -> None:
        """Wait until no step is being computed or committed."""
        async with self._computing:
            commit = self._commit
        if commit is not None:
            await asyncio.wait([commit])

    def fail(self, error: BaseException) -> None:
        """Stop working because of something that happened around the tasks."""
        self._on_failure(error)

    async def close(self) -> None:
        """Finish the step in hand, commit it, and let the producer go."""
        await self.revoke()
        if self._opening is None:
            return
        for task in filter(None, (self._opening, self._loop)):
            task.cancel()
            await asyncio.wait([task])
        await self._writer.close()

    async def _open(self) -> None:
        await self._writer.open()
        self._loop = asyncio.create_task(self._run(), name="stream-task-steps")

    async def _assign_or_fail(self, generation: Generation, partitions: Collection[int]) -> None:
        try:
            await self.assign(generation, partitions)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is nothing to work on
            self._on_failure(error)

    def _still_ours(self, generation: Generation, partitions: Collection[int]) -> dict[int, StreamTask]:
        parked = self._parked
        if parked is None:
            return {}
        same_member = parked.generation.member_id == generation.member_id
        # A rejoin that changes nothing leaves the generation as it was (static membership).
        if not same_member or generation.id - parked.generation.id not in {0, 1}:
            return {}
        return {partition: task for partition, task in parked.tasks.items() if partition in partitions}

    async def _run(self) -> None:
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                if len(self._inbox) < self._tuning.poll_records_max:
                    await asyncio.sleep(self._tuning.linger_seconds)
                begun = await self._step()
                if len(self._inbox) or any(task.is_behind_time for task in self._tasks.values()):
                    self._arrived.set()  # what waits may go on by nothing but time
                    if not begun:
                        await asyncio.sleep(self._tuning.linger_seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, going on is not safe
            self._on_failure(error)

    async def _step(self) -> bool:
        """Compute a step and begin to commit it; False where there is nothing to be done now."""
        async with self._computing:
            clock = asyncio.get_running_loop().time
            started = clock()
            inbox = self._inbox.take(started)
            inbox = {p: inbox.get(p, []) for p, task in self._tasks.items() if p in inbox or task.is_behind_time}
            if self._generation is None or not inbox:
                return False
            self._space.set()
            step = await self._computed(self._generation, inbox)
            self._observer.step_computed(clock() - started)
            if self._commit is not None:
                await self._commit
            self._commit = asyncio.create_task(self._committed(step), name="stream-task-commit")
            return True

    async def _computed(self, generation: Generation, inbox: dict[int, list[Batch]]) -> Step:
        records: list[OutputRecord] = []
        next_offsets: dict[TopicPartition, int] = {}
        outputs = []
        for partition, batches in inbox.items():
            output = TaskOutput()
            outputs.append(output)
            for _ in self._tasks[partition].processing(batches, output):
                await asyncio.sleep(0)  # the commit of the step before goes on meanwhile
            records += output.records
            for topic, offset in output.next_offsets.items():
                next_offsets[TopicPartition(topic, partition)] = offset
        return Step(generation, records, next_offsets, outputs)

    async def _committed(self, step: Step) -> None:
        try:
            await self._writer.write(step)
        except Exception as error:
            self._on_failure(error)
            raise
        self._steps_committed += 1
        self._observer.step_committed(step)
