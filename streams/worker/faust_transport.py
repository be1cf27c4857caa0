"""Faust with batches: the part of Faust that this worker does its own way.

Faust stays the engine (group membership, fetching, flow control, agents, lifecycle). What is replaced, and why
(reliability.md has the evidence):

* a message is a run of records, so that Faust's cost per message becomes a cost per batch;
* commits: Faust's own lose and repeat records (F1-F5); offsets go into the step's transaction instead;
* fetching: what waits for others to catch up is left with the client;
* seeks: to the positions that came with the state, not to the group's committed offsets;
* the assignor: tasks, not partitions;
* waiting: what must be waited for at a rebalance is the step in hand;
* the restore: in the background, so that the membership outlives it (F9);
* the wait for it: without a time-out, which would silently end the only loop that resumes the flow (F8);
* errors: they end the process. Faust would commit, leave the group, or go on (F6, F18).

These are private parts of Faust and of its aiokafka driver, hence the pinned version.
"""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, cast

import aiokafka
import aiokafka.errors as kafka_errors
import faust
import structlog
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.consumer import TransactionManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.kafka.fetch_progress import FetchProgress
from streams.kafka.group_member import static_member
from streams.kafka.seeking_fetcher import only_seeking
from streams.worker.assignor import StreamTaskAssignor
from streams.worker.stall import ConsumerProgress
from streams.worker.step import Generation, TopicPartition
from streams.worker.task_manager import TaskManager
from streams.worker.tuning import Tuning

_log = structlog.get_logger(__name__)


class TaskTransactions(TransactionManager):
    """Where Faust tells of rebalances while it is "in a transaction"; it always is, here."""

    @property
    def _task_manager(self) -> TaskManager:
        return cast("BatchTransport", self.transport).tasks

    async def flush(self) -> None:
        """Nothing is buffered outside a step."""

    async def on_rebalance(self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP]) -> None:
        """Begin to take over what was assigned.

        aiokafka sends no heartbeat until this returns: a restore in here that took longer than the session would
        be thrown out of the group, and begin again, for ever.
        """
        del revoked, newly_assigned  # the eager protocol: `assigned` is everything
        thread = cast("BatchConsumer", self.consumer).consumer_thread
        coordinator = thread._ensure_consumer()._coordinator  # noqa: SLF001 - aiokafka tells it nowhere else
        instance_id = self.app.conf.consumer_group_instance_id
        generation = Generation(coordinator.generation, coordinator.member_id, instance_id)
        self._task_manager.begin_assignment(generation, {tp.partition for tp in assigned})

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish the step in hand and park the tasks."""
        del revoked
        await self._task_manager.revoke()


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    async def on_start(self) -> None:
        await super().on_start()
        transport = cast("BatchTransport", self.transport)
        consumer = self._ensure_consumer()
        static_member(consumer, on_failure=transport.on_failure, leaves_on_close=transport.leaves_group)
        only_seeking(
            consumer, on_failure=transport.on_failure, fetch_wait_seconds_max=transport.tuning.fetch_wait_seconds_max
        )
        transport.fetch_progress.watch(consumer)
        transport.consumer_thread = self

    def on_crash(self, msg: str, *fmt: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust's own signature
        # Faust's own prints the error's text, and the lines of code, past the logs.
        del msg, kwargs
        _log.critical(
            "consumer_thread_crashed", error=next((word for word in fmt if isinstance(word, BaseException)), None)
        )

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Read when the group is joined, which is not before start().
        consumer._partition_assignment_strategy = (StreamTaskAssignor(),)  # noqa: SLF001
        return consumer

    def progress(self) -> ConsumerProgress:
        """How far the consumer is; to be asked on its own loop."""
        consumer = self._ensure_consumer()
        assignment = consumer._subscription.subscription and consumer._subscription.subscription.assignment  # noqa: SLF001
        states = [assignment.state_value(tp) for tp in assignment.tps] if assignment else []
        return ConsumerProgress(
            # What stands behind the last stable offset waits for somebody else's transaction.
            records_wait=any(s.has_valid_position and s.lso is not None and s.position < s.lso for s in states),
            rejoin_needed=consumer._coordinator._rejoin_needed_fut.done(),  # noqa: SLF001
        )


class BatchConsumer(driver.Consumer):
    """A consumer whose messages are runs of records of one partition."""

    @property
    def consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        """The thread that the aiokafka consumer lives in."""
        return self._thread

    @property
    def _task_manager(self) -> TaskManager:
        return cast("BatchTransport", self.transport).tasks

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ANN401, ASYNC109
        transport = cast("BatchTransport", self.transport)
        assigned = active_partitions or set()
        wanted = assigned.difference(transport.tasks.supplied())
        if len(wanted) < len(assigned):
            timeout = transport.tuning.linger_seconds  # the next step may make room for the others
        if not wanted:
            await asyncio.sleep(timeout)
            return {}
        try:
            fetched = await super()._getmany(wanted, timeout)
        except kafka_errors.KafkaError as error:
            transport.tasks.fail(error)  # Faust would go on without its fetcher for a while
            raise
        for tp, records in fetched.items():
            transport.fetch_progress.handed_over(tp, records[-1].offset + 1)
        return {tp: [records] for tp, records in fetched.items()}

    def _to_message(self, tp: TP, records: Any) -> ConsumerMessage:  # noqa: ANN401 - Faust's record map is untyped
        last = records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            None,
            None,
            records,
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def perform_seek(self) -> None:
        """Seek every source partition to where its task has read to, once the tasks are here."""
        await self._task_manager.until_assigned()
        for (topic, partition), offset in self._task_manager.next_offsets().items():
            tp = TP(topic, partition)
            await self._seek(tp, offset)
            self._read_offset[tp] = offset or None

    async def wait_empty(self) -> None:
        """Wait for the step in hand; unlike Faust's, this ends."""
        await self._task_manager.settle()

    async def on_stop(self) -> None:
        """Finish the step in hand while the membership still holds, so that it can be committed."""
        await self._task_manager.close()
        await super().on_stop()

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ANN401, FBT001, FBT002
        """Nothing: offsets are part of the step."""
        del topics, start_new_transaction
        return False

    def track_message(self, message: Any) -> None:  # noqa: ANN401
        """Nothing: no acknowledgement is awaited."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing: gaps in offsets are the log's business, not ours."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust's stall detector looks at commits of its own."""


class _PatientRecovery(Recovery):
    async def _wait(self, coro: Any, timeout: Any = None) -> None:  # noqa: ANN401, ASYNC109
        del timeout
        await super()._wait(coro)


class PatientTableManager(TableManager):
    """Faust's, without tables, for what it does after a rebalance: it resumes the flow."""

    @property
    def recovery(self) -> Recovery:
        """Waits for the tasks as long as it takes; the watchdog bounds it."""
        if self._recovery is None:
            self._recovery = _PatientRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


class BatchTransport(driver.Transport):
    """The transport of this worker's Faust app.

    Args:
        app: Whose it is.
        tasks: Where records go.
        fetch_progress: Is told what was handed over.
        tuning: Time-outs.
        on_failure: Called where going on is not safe; it should end the process.
        leaves_group: Whether a stop in good order gives the partitions to others at once.
    """

    Consumer: ClassVar[type[FaustConsumer]] = BatchConsumer
    TransactionManager: ClassVar[type[TransactionManager]] = TaskTransactions

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        app: faust.App,
        tasks: TaskManager,
        *,
        fetch_progress: FetchProgress,
        tuning: Tuning,
        on_failure: Callable[[BaseException], None],
        leaves_group: bool,
    ) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self.tasks = tasks
        self.fetch_progress = fetch_progress
        self.tuning = tuning
        self.on_failure = on_failure
        self.leaves_group = leaves_group
        self.consumer_thread: _ConsumerThread | None = None

    def consumer_loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop of the consumer's thread; None before it is connected."""
        return self.consumer_thread.thread_loop if self.consumer_thread is not None else None

    def consumer_progress(self) -> ConsumerProgress | None:
        """How far the consumer is; to be asked on its loop. None before it is connected."""
        return self.consumer_thread.progress() if self.consumer_thread is not None else None


async def receive_batches(stream: Any, tasks: TaskManager) -> None:  # noqa: ANN401 - Faust's streams are untyped
    """The agent: hands each run of records to the tasks."""
    async for event in stream.noack().events():
        message = event.message
        source = TopicPartition(message.topic, message.partition)
        await tasks.receive(source, message.value, generation_id=message.generation_id)
