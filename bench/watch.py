"""Follows one run through the broker: when was the first record committed, and when the last?"""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import NamedTuple

from bench.broker_view import BrokerView
from bench.engine_processes import EngineProcesses
from bench.engines.engine import Launch
from bench.measurement import Figures
from bench.process_tree import ProcessTree
from bench.processor_time import ProcessorBooks, ProcessorTime

OnProgress = Callable[[int], None]
"""Told how many records are committed."""

_POLL_SECONDS = 0.05
_STALL_SECONDS_MAX = 90
_OUTPUT_SECONDS_MAX = 20


class RunFailedError(Exception):
    """The engine did not commit everything; the message says how far it came."""


class _Mark(NamedTuple):
    at: float
    committed_count: int
    processor_time: ProcessorTime


class Watch:
    """Watches an engine that was just started.

    Args:
        view: The broker's.
        launch: How the engine was started.
        inputs: The topics that it reads.
        processes: The engine's.
        broker: The broker's processes.
        on_progress: Told of commits.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what there is to look at
        self,
        view: BrokerView,
        launch: Launch,
        inputs: Collection[str],
        processes: EngineProcesses,
        broker: Collection[ProcessTree],
        on_progress: OnProgress,
    ) -> None:
        self._view = view
        self._launch = launch
        self._inputs = inputs
        self._processes = processes
        self._books = ProcessorBooks(processes.trees, broker)
        self._on_progress = on_progress
        self._started_at = time.perf_counter()

    async def figures(self, event_count: int, code_count: int) -> Figures:
        """Follow it until *event_count* records are committed and *code_count* codes can be read.

        Raises:
            RunFailedError: It ended or stood still before; or all was committed in one step.
        """
        first = await self._reached(1, of=event_count)
        last = await self._reached(event_count, of=event_count)
        if first.committed_count == last.committed_count:
            message = "Everything was committed at once, and there is nothing to measure: give it more --events."
            raise RunFailedError(message)
        await self._output_readable(code_count)
        if not self._processes.are_running:
            message = f"It ended by itself when all was committed. Its log says:\n{self._processes.log_tail()}"
            raise RunFailedError(message)
        trees = self._processes.trees
        return Figures(
            event_count=last.committed_count - first.committed_count,
            seconds=last.at - first.at,
            processor_time=last.processor_time.since(first.processor_time),
            start_up_seconds=first.at - self._started_at,
            peak_resident_mib=sum(tree.peak_resident_mib() for tree in trees),
        )

    async def seconds_until(self, event_count: int, code_count: int) -> float:
        """How long after its start *event_count* records are committed and *code_count* codes can be read.

        Raises:
            RunFailedError: It ended or stood still before.
        """
        await self._reached(event_count, of=event_count)
        await self._output_readable(code_count)
        return time.perf_counter() - self._started_at

    async def _reached(self, count: int, *, of: int) -> _Mark:
        """Wait until *count* records are committed."""
        committed_count, moved_at = 0, time.perf_counter()
        while True:
            before = committed_count
            committed_count = await self._view.committed_count(self._launch.group_id, self._inputs)
            now = time.perf_counter()
            if committed_count >= count:
                self._on_progress(committed_count)
                return _Mark(now, committed_count, self._books.read())
            if committed_count != before:
                moved_at = now
                self._on_progress(committed_count)
            if not self._processes.are_running or now - moved_at > _STALL_SECONDS_MAX:
                what = f"stood still for {_STALL_SECONDS_MAX} s" if self._processes.are_running else "ended"
                message = (
                    f"It {what} with {committed_count} of {of} records committed. "
                    f"Its log says:\n{self._processes.log_tail()}"
                )
                raise RunFailedError(message)
            await asyncio.sleep(_POLL_SECONDS)

    async def _output_readable(self, code_count: int) -> None:
        """Wait until no transaction is open; who commits before it has sent gets some more time."""
        deadline = time.perf_counter() + _OUTPUT_SECONDS_MAX
        while time.perf_counter() < deadline:
            readable_count = await self._view.readable_count(self._launch.output_topic)
            if readable_count is not None and readable_count >= code_count:
                return
            await asyncio.sleep(_POLL_SECONDS)
