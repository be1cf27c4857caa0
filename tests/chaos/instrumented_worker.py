"""A worker that fails at a point that it is told; otherwise the worker of production, part by part.

The composition root makes its parts from the classes that stand in its namespace. Here subclasses stand there, which
do the same and pass the points on the way. Nothing of this is in the worker that is shipped.
"""

import os
import signal
import time
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection

from streams.kafka.group_fenced_producer import group_fenced
from streams.logs import configure_logs
from streams.settings import load_settings
from streams.worker import app
from streams.worker.early_stop import stop_at_once_when_told
from streams.worker.faust_transport import BatchConsumer, BatchTransport
from streams.worker.restorer import ChangelogRestorer, RestoredPartition
from streams.worker.run import run_worker
from streams.worker.step import Step, TopicPartition
from streams.worker.task_manager import TaskManager
from streams.worker.transactional_writer import TransactionalWriter
from streams.worker.tuning import Tuning
from tests.chaos.failpoint import Action, Failpoint, Guard, Moment, Point

_FAILPOINT, _POLL_RECORDS_MAX = Failpoint.from_command()
_END_TXN, _TXN_OFFSET_COMMIT = 26, 28
_log = structlog.get_logger(__name__)


class Passage:
    """Knows which points have been passed, and fails at the one that was told, once."""

    def __init__(self, failpoint: Failpoint) -> None:
        self._failpoint = failpoint
        self._read_to: dict[TopicPartition, int] = {}
        self._has_failed = False

    def begin(self, step: Step) -> None:
        """A step begins."""
        inputs = {tp: offset for tp, offset in step.next_offsets.items() if not tp.topic.endswith("-rekey")}
        self._read_to.update(inputs)

    def step_point(self, point: Point) -> None:
        """A point that every step passes."""
        if self._failpoint.is_step(sum(self._read_to.values())):
            self.at(point, self._failpoint.moment)

    def at(self, point: Point, moment: Moment) -> None:
        """A point that comes now."""
        if self._has_failed or (point, moment) != (self._failpoint.point, self._failpoint.moment):
            return
        self._has_failed = True
        _log.warning("failpoint", point=point, moment=moment, action=self._failpoint.action)
        match self._failpoint.action:
            case Action.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Action.STOP:
                os.kill(os.getpid(), signal.SIGSTOP)
            case Action.BLOCK:
                time.sleep(self._failpoint.block_seconds)


_passage = Passage(_FAILPOINT)


class _Writer(TransactionalWriter):
    async def open(self) -> None:
        await super().open()
        _passage.at(Point.IN_ASSIGNMENT, Moment.FIRST)
        producer: Any = self._producer
        send_batch, send_offsets = producer.send_batch, producer.send_offsets_to_transaction

        async def pointed_send_batch(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on as they are
            sent = await send_batch(*args, **kwargs)
            if _FAILPOINT.point is Point.AFTER_FIRST_SEND:
                await sent
                _passage.step_point(Point.AFTER_FIRST_SEND)
            return sent

        async def pointed_send_offsets(*args: Any) -> None:  # noqa: ANN401 - passed on as they are
            _passage.step_point(Point.AFTER_ALL_SENDS)
            await send_offsets(*args)
            _passage.step_point(Point.AFTER_OFFSETS)

        producer.send_batch, producer.send_offsets_to_transaction = pointed_send_batch, pointed_send_offsets

    async def write(self, step: Step) -> None:
        _passage.begin(step)
        _passage.step_point(Point.BEFORE_BEGIN)
        await super().write(step)
        _passage.step_point(Point.END_ANSWERED)


class _Counted:
    """A partition that is being restored, and the point within."""

    def __init__(self, partition: RestoredPartition, count: list[int], half: int) -> None:
        self._partition, self._count, self._half = partition, count, half

    def take(self, record: Any) -> None:  # noqa: ANN401 - passed on as it is
        self._partition.take(record)
        self._count[0] += 1
        if self._count[0] >= self._half:
            _passage.at(Point.IN_RESTORE, Moment.MIDDLE)


class _Restorer(ChangelogRestorer):
    async def _read(self, pending: Any, high_watermarks: Mapping[Any, int], restored: Any) -> None:  # noqa: ANN401
        _passage.at(Point.IN_RESTORE, Moment.FIRST)
        count, half = [0], sum(high_watermarks.values()) // 2
        counted: Any = {tp: _Counted(partition, count, half) for tp, partition in restored.items()}
        await super()._read(pending, high_watermarks, counted)
        _passage.at(Point.IN_RESTORE, Moment.LAST)


class _Tasks(TaskManager):
    _is_revoking = False

    async def assign(self, *args: Any) -> None:  # noqa: ANN401 - passed on as they are
        await super().assign(*args)
        _passage.at(Point.IN_ASSIGNMENT, Moment.MIDDLE)

    async def revoke(self) -> None:
        self._is_revoking = self._generation is not None
        if self._is_revoking:
            _passage.at(Point.IN_REVOCATION, Moment.FIRST)
        await super().revoke()
        if self._is_revoking:
            _passage.at(Point.IN_REVOCATION, Moment.LAST)
        self._is_revoking = False

    async def settle(self) -> None:
        if self._is_revoking and self._commit is not None:
            _passage.at(Point.IN_REVOCATION, Moment.MIDDLE)
        await super().settle()


class _Consumer(BatchConsumer):
    async def perform_seek(self) -> None:
        _passage.at(Point.IN_ASSIGNMENT, Moment.LAST)
        await super().perform_seek()


_send = AIOKafkaConnection.send


def _pointed_send(connection: AIOKafkaConnection, request: Any, **kwargs: Any) -> Any:  # noqa: ANN401
    answer = _send(connection, request, **kwargs)
    # The bytes are with the kernel now, which sends them also for a process that is no more.
    if request.API_KEY == _END_TXN:
        _passage.step_point(Point.END_SENT)
    elif request.API_KEY == _TXN_OFFSET_COMMIT:
        _passage.step_point(Point.OFFSETS_SENT)
    return answer


def _unguarded(producer: AIOKafkaProducer, _group_metadata: object) -> AIOKafkaProducer:
    """In place of `group_fenced`: aiokafka as it comes."""
    return producer


def main() -> None:
    """Run it."""
    stop_at_once_when_told()
    configure_logs()
    fencing = _unguarded if _FAILPOINT.without is Guard.GROUP_FENCING else group_fenced
    with (
        patch("streams.worker.transactional_writer.group_fenced", fencing),
        patch.multiple(app, TransactionalWriter=_Writer, ChangelogRestorer=_Restorer, TaskManager=_Tasks),
        patch.object(BatchTransport, "Consumer", _Consumer),
        patch.object(AIOKafkaConnection, "send", _pointed_send),
    ):
        tuning = Tuning(poll_records_max=_POLL_RECORDS_MAX, inbox_records_max=2 * _POLL_RECORDS_MAX)
        run_worker(load_settings(), tuning)


if __name__ == "__main__":
    main()
