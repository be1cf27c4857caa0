"""Faust with batches: the part of Faust that this worker does its own way.

Faust stays the engine (group membership, fetching, flow control, agents, lifecycle). What is replaced, and why
(reliability.md has the evidence):

* a message is a run of records, so that Faust's cost per message becomes a cost per batch;
* commits: Faust's own lose and repeat records (F1-F5); offsets go into the step's transaction instead;
* seeks: to the positions that came with the state, not to the group's committed offsets;
* the assignor: tasks, not partitions;
* waiting: what must be waited for at a rebalance is the step in hand.

These are private parts of Faust and of its aiokafka driver, hence the pinned version.
"""

from typing import Any, ClassVar, cast

import aiokafka
import faust
import structlog
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.consumer import TransactionManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.worker.assignor import StreamTaskAssignor
from streams.worker.step import Generation, TopicPartition
from streams.worker.task_manager import TaskManager

_log = structlog.get_logger(__name__)


class TaskTransactions(TransactionManager):
    """Where Faust tells of rebalances while it is "in a transaction"; it always is, here."""

    @property
    def _task_manager(self) -> TaskManager:
        return cast("BatchTransport", self.transport).tasks

    async def flush(self) -> None:
        """Nothing is buffered outside a step."""

    async def on_rebalance(self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP]) -> None:
        """Take over what was assigned; Faust resumes the flow when this returns."""
        del revoked, newly_assigned  # the eager protocol: `assigned` is everything
        thread = cast("BatchConsumer", self.consumer).consumer_thread
        coordinator = thread._ensure_consumer()._coordinator  # noqa: SLF001 - aiokafka tells it nowhere else
        generation = Generation(coordinator.generation, coordinator.member_id)
        await self._task_manager.assign(generation, {tp.partition for tp in assigned})

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish the step in hand and park the tasks."""
        del revoked
        await self._task_manager.revoke()


class _ConsumerThread(driver.AIOKafkaConsumerThread):
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
        fetched = await super()._getmany(active_partitions, timeout)
        return {tp: [records] for tp, records in fetched.items() if records}

    def _to_message(self, tp: TP, records: Any) -> ConsumerMessage:  # noqa: ANN401 - Faust's record map is untyped
        last = records[-1]
        return ConsumerMessage(
            last.topic,
            last.partition,
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
        """Seek every source partition to where its task has read to."""
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


class BatchTransport(driver.Transport):
    """The transport of this worker's Faust app."""

    Consumer: ClassVar[type[FaustConsumer]] = BatchConsumer
    TransactionManager: ClassVar[type[TransactionManager]] = TaskTransactions

    def __init__(self, app: faust.App, tasks: TaskManager) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self.tasks = tasks


async def receive_batches(stream: Any, tasks: TaskManager) -> None:  # noqa: ANN401 - Faust's streams are untyped
    """The agent: hands each run of records to the tasks."""
    async for event in stream.noack().events():
        message = event.message
        source = TopicPartition(message.topic, message.partition)
        await tasks.receive(source, message.value, generation_id=message.generation_id)
