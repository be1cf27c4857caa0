"""A worker with a fault built in, as a program: ``faulty_worker.py FAULTS [--tuning JSON] [--release FILE]``.

Each fault is the smallest change that makes a real one happen at will. Some take a guard of ours out instead, to show
that it is needed.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer.sender import Sender

from streams.kafka import group_fenced_producer, group_member
from streams.logs import configure_logs
from streams.processing.stream_task import StreamTask
from streams.settings import load_settings
from streams.worker.faust_transport import BatchConsumer, TaskTransactions
from streams.worker.restorer import ChangelogRestorer
from streams.worker.run import run_worker
from streams.worker.step import Generation
from streams.worker.task_manager import TaskManager
from streams.worker.transactional_writer import TransactionalWriter
from streams.worker.tuning import Tuning

_log = structlog.get_logger(__name__)


class FaultError(Exception):
    """Raised on purpose."""


def fail(*_arguments: Any) -> NoReturn:  # noqa: ANN401 - stands for any function
    """Stand for a function that has a fault."""
    raise FaultError


async def fail_later(*_arguments: Any, **_more: Any) -> NoReturn:  # noqa: ANN401 - stands for any coroutine
    """Stand for a coroutine that has a fault."""
    raise FaultError


async def never(*_arguments: Any) -> None:  # noqa: ANN401 - stands for any coroutine
    """Stand for a coroutine that waits for an answer that does not come."""
    await asyncio.Event().wait()


def block(*_arguments: Any) -> None:  # noqa: ANN401 - stands for any function
    """Stand for a function that does not come to an end."""
    time.sleep(3600)


async def until_released(release: Path, what: str) -> None:
    """Wait for the test."""
    _log.info(what)
    while not os.path.exists(release):  # noqa: PTH110, ASYNC240 - 100 times a second
        await asyncio.sleep(0.01)


def hold_writes(release: Path) -> None:
    """Steps are written once the test says so, and each says when it is."""
    write = TransactionalWriter.write

    async def held(writer: TransactionalWriter, step: Any) -> None:  # noqa: ANN401
        await until_released(release, "step_held")
        await write(writer, step)
        _log.info("step_written")

    put(TransactionalWriter, "write", held)(release)


def hold_restores(release: Path) -> None:
    """State is restored once the test says so."""
    restore = ChangelogRestorer.restore

    async def held(restorer: ChangelogRestorer, partitions: Any) -> Any:  # noqa: ANN401
        await until_released(release, "restore_held")
        return await restore(restorer, partitions)

    put(ChangelogRestorer, "restore", held)(release)


def never_rejoin(_release: Path) -> None:
    """What aiokafka does where it takes the consumer for idle: it gives everything up, and joins no more."""
    rejoin = GroupCoordinator._do_rejoin_group  # noqa: SLF001

    async def once(coordinator: Any, subscription: Any) -> Any:  # noqa: ANN401
        if coordinator.generation > 0:
            await asyncio.sleep(0.1)
            return False
        return await rejoin(coordinator, subscription)

    GroupCoordinator._do_rejoin_group = once  # noqa: SLF001


def never_begin_rejoining(_release: Path) -> None:
    """A coordinator that hangs before it gives anything up."""
    ensure = GroupCoordinator.ensure_active_group

    async def once(coordinator: Any, subscription: Any, assignment: Any) -> Any:  # noqa: ANN401
        return await (ensure(coordinator, subscription, assignment) if assignment is None else never())

    GroupCoordinator.ensure_active_group = once


def restore_in_callback(release: Path) -> None:
    """Without the guard: the restore runs where no heartbeat does."""

    async def on_rebalance(transactions: Any, assigned: Any, _revoked: Any, _new: Any) -> None:  # noqa: ANN401
        coordinator = transactions.consumer.consumer_thread._ensure_consumer()._coordinator  # noqa: SLF001
        generation = Generation(coordinator.generation, coordinator.member_id)
        await transactions._task_manager.assign(generation, {tp.partition for tp in assigned})  # noqa: SLF001

    put(TaskTransactions, "on_rebalance", on_rebalance)(release)


def restore_to_last_stable_offset(release: Path) -> None:
    """Without the guard: a restore ends where a ``read_committed`` client is told that the log does."""

    async def last_stable_offsets(restorer: ChangelogRestorer, wanted: Any) -> Any:  # noqa: ANN401
        options = {**restorer._connection, "isolation_level": "read_committed"}  # noqa: SLF001
        async with AIOKafkaConsumer(**options, enable_auto_commit=False) as consumer:
            return await consumer.end_offsets(wanted)

    put(ChangelogRestorer, "_high_watermarks", last_stable_offsets)(release)


def commit_in_nobodys_name(_release: Path) -> None:
    """Without the guard: offsets are committed without a word of member and generation."""
    del group_fenced_producer._Sender._do_txn_offset_commit  # noqa: SLF001


def join_anew(_release: Path) -> None:
    """Without the guard: a member that the group does not know joins as somebody else."""
    del group_member._StaticMember.reset_generation  # noqa: SLF001


def put(owner: Any, name: str, value: object) -> Callable[[Path], None]:  # noqa: ANN401 - any class
    """A fault that is one attribute."""
    return lambda _release: setattr(owner, name, value)


FAULTS: dict[str, Callable[[Path], None]] = {
    "none": lambda _release: None,
    "blocks": put(StreamTask, "processing", block),
    "is-never-answered": put(TransactionalWriter, "write", never),
    "never-rejoins": never_rejoin,
    "never-begins-rejoining": never_begin_rejoining,
    "holds-writes": hold_writes,
    "holds-restores": hold_restores,
    "agent-fails": put(TaskManager, "receive", fail_later),
    "fetch-fails": put(BatchConsumer, "_getmany", fail_later),
    "restore-fails": put(ChangelogRestorer, "restore", fail_later),
    "producer-fails": put(Sender, "_send_produce_req", fail_later),
    "step-fails": put(StreamTask, "processing", fail),
    "revocation-fails": put(TaskManager, "revoke", fail_later),
    "without-heartbeats-in-restore": restore_in_callback,
    "without-high-watermark": restore_to_last_stable_offset,
    "without-group-fencing": commit_in_nobodys_name,
    "without-ending-when-unknown": join_anew,
}


def main() -> None:
    """Run the worker of the environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("faults")
    parser.add_argument("--tuning", type=json.loads, default={})
    parser.add_argument("--release", type=Path, default=Path("/nonexistent"))
    arguments = parser.parse_args()
    configure_logs()
    for fault in arguments.faults.split(","):
        FAULTS[fault](arguments.release)
    run_worker(load_settings(), Tuning(**arguments.tuning))


if __name__ == "__main__":
    main()
