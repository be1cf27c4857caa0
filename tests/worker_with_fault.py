"""A worker with one fault that is made to tell everything it knows: ``python -m tests.worker_with_fault NAME``.

Each fault raises, or logs, what a careless line of code might: whole records, in the text of an error.
"""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

from faust.transport.drivers import aiokafka as driver

from streams.__main__ import main
from streams.cli import worker as command
from streams.processing.stream_task import StreamTask
from streams.worker.task_manager import TaskManager
from streams.worker.transactional_writer import TransactionalWriter
from tests.canaries import CANARY, HEADERS, KEY


class _Careless:
    """Fails where Python can only print that it did."""

    def __init__(self, told: str) -> None:
        self._told = told

    def __del__(self) -> None:
        raise ValueError(self._told)


def _raises(*told: object, **named: object) -> None:
    """Fail as codecs do: the text shows the whole input."""
    try:
        _ = f"{told}{named}".encode() + b"\xff" * (len(told) + 1)
        _.decode()
    except UnicodeDecodeError as error:
        raise ValueError(repr(told) + repr(named)) from error


async def _raises_later(*told: object, **named: object) -> None:
    _raises(*told, **named)


def _replace(owner: object, name: str, faulty: Callable[..., object]) -> None:
    getattr(owner, name)  # a fault in a part that is gone would show nothing
    setattr(owner, name, faulty)


def _step() -> None:
    _replace(StreamTask, "processing", _raises)


def _agent() -> None:
    _replace(TaskManager, "receive", _raises_later)


def _assignment() -> None:
    async def assign(self: TaskManager, *told: object) -> None:
        _raises(CANARY, self, *told)

    _replace(TaskManager, "assign", assign)


def _writer() -> None:
    _replace(TransactionalWriter, "write", _raises_later)


def _consumer_thread() -> None:
    async def on_thread_started(self: object) -> None:
        _raises(CANARY, self, KEY, HEADERS)

    _replace(driver.AIOKafkaConsumerThread, "on_thread_started", on_thread_started)


def _start() -> None:
    def run_worker(*told: object) -> None:
        _raises(CANARY, *told)

    _replace(command, "run_worker", run_worker)


def _aside() -> None:
    """Everything that does not end the worker: it goes on, and what it says is looked at."""
    receive = TaskManager.receive
    kept: list[Any] = []

    async def careless(self: TaskManager, source: Any, records: Any, *, generation_id: int) -> None:  # noqa: ANN401
        log = logging.getLogger("faust.careless")
        log.error("DROPPED MESSAGE k=%r v=%r", records[0].key, records[0])
        log.error("one argument: %s", {"records": records})
        log.error("cannot be formatted: %d", str(records)[:0] or records)
        try:
            _raises(records)
        except ValueError as error:
            log.exception("crashed: %r", error)  # noqa: TRY401 - as Faust does
        failing = asyncio.create_task(_raises_later(records))
        asyncio.get_running_loop().call_soon(_raises, records)
        await asyncio.wait([failing])
        del failing
        thread = threading.Thread(target=_raises, args=(records,))
        thread.start()
        thread.join()
        kept.append(_Careless(repr(records)))
        kept.clear()
        await receive(self, source, records, generation_id=generation_id)

    _replace(TaskManager, "receive", careless)


FAULTS: dict[str, Callable[[], None]] = {
    "step": _step,
    "agent": _agent,
    "assignment": _assignment,
    "writer": _writer,
    "consumer_thread": _consumer_thread,
    "start": _start,
    "aside": _aside,
}

if __name__ == "__main__":
    FAULTS[sys.argv.pop()]()
    sys.argv.append("worker")
    main()
