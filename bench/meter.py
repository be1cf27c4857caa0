"""Measures a run: starts an engine afresh, watches it through the broker, and checks its outcome."""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.broker_view import BrokerView, broker_view
from bench.engine_processes import EngineProcesses
from bench.engines.engine import Engine, Launch, Run
from bench.input_topics import PARTITION_COUNT, create, send
from bench.latency import PACED_SECONDS, Latency, failed, summarized
from bench.measurement import Figures, Measurement
from bench.outcome import faults
from bench.pace import latencies_ms
from bench.plan import PlannedRun
from bench.process_tree import child_trees
from bench.topic_files import topic_bytes
from bench.watch import OnProgress, RunFailedError, Watch
from bench.workload import EVENTS_PER_EPISODE, Workload
from streams.kafka.topic_admin import topic_admin
from streams.processing.topology import Topology

RESTART_EPISODES = 1_000
"""So many episodes go on while the engine is down."""
_WAKING_EVENTS = 100
"""Sent before the rest, to see that the engine is at work."""


class Meter:
    """Measures runs on one broker; made before the first engine is started.

    Args:
        connection: Options of an aiokafka client.
        broker_data: Where the broker keeps its topics.
        folder: For logs and local state.
    """

    def __init__(self, connection: Mapping[str, Any], broker_data: Path, folder: Path) -> None:
        self._connection = connection
        self._broker_data = broker_data
        self._folder = folder
        self._broker = child_trees()

    async def measure(self, planned: PlannedRun, on_progress: OnProgress) -> Measurement:
        """Make the *planned* run; the input topics of its workload are full."""
        engine, workload, round_number, restarts = planned
        run = self._run(planned)
        launch = engine.launch(run)
        measurement = Measurement(engine.name, engine.family, workload, round_number, None)
        async with broker_view(self._connection) as view:
            topics_before = await view.topics()
            try:
                await self._create_topics(launch)
                figures = await self._figures(view, run, launch, workload, on_progress)
                measurement = replace(
                    measurement,
                    figures=figures,
                    faults=await faults(view, launch, workload),
                    bytes_per_event=self._bytes(await view.topics() - topics_before) / workload.event_count,
                )
                if restarts and not measurement.faults:
                    seconds = await self._restart_seconds(view, run, launch, workload)
                    measurement = replace(measurement, restart_seconds=seconds)
            except RunFailedError as error:
                measurement = replace(measurement, faults=(str(error),))
            finally:
                await view.delete(await view.topics() - topics_before)
        return measurement

    async def latency(self, engine: Engine, load: float, rate_max: float) -> Latency:
        """Send at *load* of *rate_max*, in events/s, and see how long the codes take.

        They begin after two fifths of the stream: until then an engine can get warm.
        """
        events_per_second = load * rate_max
        episode_count = int(events_per_second * PACED_SECONDS) // EVENTS_PER_EPISODE
        workload = Workload(episode_count, reader=f"{engine.name}-{load:.0%}".removesuffix("%"))
        run = self._run(PlannedRun(engine, workload, None))
        launch = engine.launch(run)
        async with broker_view(self._connection) as view:
            topics_before = await view.topics()
            try:
                await create(self._connection, workload)
                await self._create_topics(launch)
                with EngineProcesses(launch, _log(run)) as processes:
                    watch = Watch(view, launch, _inputs(workload), processes, self._broker, lambda _count: None)
                    events = list(workload.events())
                    await send(self._connection, workload, events[:_WAKING_EVENTS])
                    await watch.seconds_until(_WAKING_EVENTS, 0)
                    rest = events[_WAKING_EVENTS:]
                    found = await latencies_ms(self._connection, launch.output_topic, workload, rest, events_per_second)
                return summarized(engine, load, events_per_second, found)
            except RunFailedError as error:
                return failed(engine, load, events_per_second, str(error))
            finally:
                await view.delete(await view.topics() - topics_before)

    def _run(self, planned: PlannedRun) -> Run:
        workload = planned.workload
        run_id = f"{planned.engine.name}-{workload.topic_prefix}{planned.round_number or 'variant'}"
        folder = self._folder / run_id
        local_folder, durable_folder = folder / "local", folder / "durable"
        local_folder.mkdir(parents=True)
        durable_folder.mkdir()
        return Run(
            run_id,
            self._connection["bootstrap_servers"],
            workload.topic_prefix,
            workload.code_count / workload.event_count,
            local_folder,
            durable_folder,
        )

    async def _create_topics(self, launch: Launch) -> None:
        async with topic_admin(self._connection) as admin:
            for topic in launch.topics:
                await admin.create(topic.name, partition_count=PARTITION_COUNT, replication=1, config=topic.config)

    async def _figures(
        self, view: BrokerView, run: Run, launch: Launch, workload: Workload, on_progress: OnProgress
    ) -> Figures:
        with EngineProcesses(launch, _log(run)) as processes:
            watch = Watch(view, launch, _inputs(workload), processes, self._broker, on_progress)
            return await watch.figures(workload.event_count, workload.code_count)

    def _bytes(self, topics: Collection[str]) -> int:
        return sum(topic_bytes(self._broker_data, topic) for topic in topics)

    async def _restart_seconds(self, view: BrokerView, run: Run, launch: Launch, workload: Workload) -> float:
        """From the start, with nothing left on the machine, until what came in meanwhile is coded."""
        shutil.rmtree(run.local_folder)
        run.local_folder.mkdir()
        follow_ups = list(workload.follow_ups(RESTART_EPISODES))
        code_count = Workload(len(follow_ups)).code_count
        await send(self._connection, workload, follow_ups)
        with EngineProcesses(launch, _log(run)) as processes:
            watch = Watch(view, launch, _inputs(workload), processes, self._broker, lambda _count: None)
            seconds = await watch.seconds_until(workload.event_count + len(follow_ups), code_count)
        if len(await view.keys(launch.output_topic)) != code_count:
            message = "Started anew, it did not code what it should have: its state was not restored."
            raise RunFailedError(message)
        return seconds


def _inputs(workload: Workload) -> Collection[str]:
    return tuple(Topology(topic_prefix=workload.topic_prefix).kinds)


def _log(run: Run) -> Path:
    return run.local_folder.parent / "engine.log"
