"""Measures a run: starts an engine afresh, watches it through the broker, and checks its outcome."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.broker_view import BrokerView, broker_view
from bench.engine_process import EngineProcess
from bench.engines.engine import Launch, Run
from bench.input_topics import PARTITION_COUNT
from bench.measurement import Figures, Measurement
from bench.plan import PlannedRun
from bench.process_tree import ProcessTree, child_trees
from bench.processor_time import ProcessorBooks, ProcessorTime
from bench.workload import Workload
from streams.kafka.topic_admin import topic_admin
from streams.processing.topology import Topology

OnProgress = Callable[[int], None]
"""Told how many records are committed."""

_POLL_SECONDS = 0.05
_STALL_SECONDS_MAX = 90
_OUTPUT_SECONDS_MAX = 20


class RunFailedError(Exception):
    """The engine did not commit everything; the message says how far it came."""


class Meter:
    """Measures runs on one broker; made before the first engine is started.

    Args:
        connection: Options of an aiokafka client.
        folder: For logs and local state.
    """

    def __init__(self, connection: Mapping[str, Any], folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._broker = child_trees()

    async def measure(self, planned: PlannedRun, on_progress: OnProgress) -> Measurement:
        """Make the *planned* run; the input topics of its workload are full."""
        engine, workload, round_number = planned
        run_id = f"{engine.name}-{workload.topic_prefix}{round_number or 'variant'}"
        folder = self._folder / run_id
        folder.mkdir()
        run = Run(run_id, self._connection["bootstrap_servers"], workload.topic_prefix, folder)
        launch = engine.launch(run)
        inputs = tuple(Topology(topic_prefix=workload.topic_prefix).kinds)
        await self._create_topics(launch, inputs)
        async with broker_view(self._connection) as view:
            watch = _Watch(view, launch, workload, on_progress)
            try:
                with EngineProcess(launch, folder / "engine.log") as process:
                    figures = await watch.follow(process, inputs, self._broker)
                faults = await _faults(view, launch, workload)
                measurement = Measurement(engine.name, workload, round_number, figures, faults)
            except RunFailedError as error:
                measurement = Measurement(engine.name, workload, round_number, None, (str(error),))
            created = {launch.output_topic, launch.state_topic, *(topic.name for topic in launch.topics)}
            await view.delete(created.difference(inputs))
        return measurement

    async def _create_topics(self, launch: Launch, inputs: Collection[str]) -> None:
        async with topic_admin(self._connection) as admin:
            for topic in launch.topics:
                if topic.name not in inputs:
                    await admin.create(topic.name, partition_count=PARTITION_COUNT, replication=1, config=topic.config)


class _Mark(NamedTuple):
    at: float
    committed_count: int
    processor_time: ProcessorTime


class _Watch:
    """Follows one run from its first commit to its last."""

    def __init__(self, view: BrokerView, launch: Launch, workload: Workload, on_progress: OnProgress) -> None:
        self._view = view
        self._launch = launch
        self._workload = workload
        self._on_progress = on_progress

    async def follow(self, process: EngineProcess, inputs: Collection[str], broker: Collection[ProcessTree]) -> Figures:
        tree = ProcessTree(process.id)
        books = ProcessorBooks(tree, broker)
        started_at = time.perf_counter()
        first = await self._reached(1, process, inputs, books)
        last = await self._reached(self._workload.event_count, process, inputs, books)
        if first.committed_count == last.committed_count:
            message = "Everything was committed at once, and there is nothing to measure: give it more --events."
            raise RunFailedError(message)
        await self._output_readable()
        if not process.is_running:
            message = f"It ended by itself when all was committed. Its log says:\n{process.log_tail()}"
            raise RunFailedError(message)
        return Figures(
            event_count=last.committed_count - first.committed_count,
            seconds=last.at - first.at,
            processor_time=last.processor_time.since(first.processor_time),
            start_up_seconds=first.at - started_at,
            peak_resident_mib=tree.peak_resident_mib(),
        )

    async def _reached(
        self, count: int, process: EngineProcess, inputs: Collection[str], books: ProcessorBooks
    ) -> _Mark:
        """Wait until *count* records are committed."""
        committed_count, moved_at = 0, time.perf_counter()
        while True:
            before = committed_count
            committed_count = await self._view.committed_count(self._launch.group_id, inputs)
            now = time.perf_counter()
            if committed_count >= count:
                self._on_progress(committed_count)
                return _Mark(now, committed_count, books.read())
            if committed_count != before:
                moved_at = now
                self._on_progress(committed_count)
            if not process.is_running or now - moved_at > _STALL_SECONDS_MAX:
                what = f"stood still for {_STALL_SECONDS_MAX} s" if process.is_running else "ended"
                message = (
                    f"It {what} with {committed_count} of {self._workload.event_count} records committed. "
                    f"Its log says:\n{process.log_tail()}"
                )
                raise RunFailedError(message)
            await asyncio.sleep(_POLL_SECONDS)

    async def _output_readable(self) -> None:
        """Wait until no transaction is open; who commits before it has sent gets some more time."""
        deadline = time.perf_counter() + _OUTPUT_SECONDS_MAX
        while time.perf_counter() < deadline:
            readable_count = await self._view.readable_count(self._launch.output_topic)
            if readable_count is not None and readable_count >= self._workload.code_count:
                return
            await asyncio.sleep(_POLL_SECONDS)


async def _faults(view: BrokerView, launch: Launch, workload: Workload) -> tuple[str, ...]:
    """What is wrong with the codes and, where all episodes stay open, with the state; empty if nothing."""
    faults = []
    if await view.readable_count(launch.output_topic) is None:
        faults.append("A transaction is still open in the output.")
    coded = await view.keys(launch.output_topic)
    if len(coded) != workload.code_count:
        faults.append(f"{len(coded)} codes came out, not {workload.code_count}.")
    if wrong := set(coded) ^ workload.coded_episodes():
        faults.append(f"{len(wrong)} episodes are coded and should not be, or the other way round.")
    if workload.open_only:
        held = set(await view.keys(launch.state_topic, where=launch.is_episode))
        if len(held) != workload.episode_count:
            faults.append(f"The state holds {len(held)} episodes, not {workload.episode_count}.")
    return tuple(faults)
