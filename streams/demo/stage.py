"""Runs the demonstration: two workers, a stream of records, a kill in the middle, a recount at the end."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.demo.backlog import Backlog, watch_backlog
from streams.demo.progress import DemoProgress
from streams.demo.source import DeliveredRecord, DemoSource
from streams.demo.worker_process import WorkerProcess
from streams.domain.policy import Policy
from streams.kafka.connection import client_options, connection_options
from streams.kafka.sealing import sealing
from streams.processing.topology import Topology
from streams.recount.comparison import Recount
from streams.recount.recount import recount
from streams.replay.replaying import OnProgress
from streams.settings import Settings

DELIVERY_SECONDS = 20.0
"""The records are spread over this time, so that the codes can be seen to come."""
_PACE_SECONDS = 0.1
_BURST_TICKS = 20
_POLL_SECONDS = 0.5
_CATCH_UP_SECONDS_MAX = 90.0


class DemoFailedError(Exception):
    """The demonstration did not come to its end; the message says where to look."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended."""

    recount: Recount
    exit_codes: dict[str, int]
    """Of the workers that were stopped in good order."""


class Stage:
    """One run of the demonstration.

    Args:
        settings: Where the broker and the topics are; the topics exist.
        source: What is sent.
        policy: What the workers judge by.
        folder: For logs and local state.
        progress: Kept up to date.
    """

    def __init__(
        self, settings: Settings, source: DemoSource, policy: Policy, folder: Path, progress: DemoProgress
    ) -> None:
        self._settings = settings
        self._source = source
        self._policy = policy
        self._folder = folder
        self._progress = progress
        self._connection = connection_options(settings)
        self._topology = Topology(settings.app_id, settings.topic_prefix)

    async def run(self, on_recount: OnProgress) -> Outcome:
        """Run to the end.

        Args:
            on_recount: Told how far the recount has come.

        Raises:
            DemoFailedError: The workers did not finish in time.
        """
        watch = asyncio.create_task(self._watch_billing())
        try:
            self._progress.workers += [self._start_worker("worker-1"), self._start_worker("worker-2")]
            # The stand-in is also the one broker whose checksums cannot be checked.
            keeps_offsets = self._settings.check_crcs
            async with watch_backlog(self._connection, self._topology, keeps_offsets=keeps_offsets) as backlog:
                await self._deliver(backlog)
                await self._catch_up(backlog)
        finally:
            exit_codes = await asyncio.to_thread(self._stop_workers)
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
        counted = await recount(
            self._connection,
            self._topology,
            self._policy,
            sealing=sealing(self._settings, self._topology),
            on_progress=on_recount,
        )
        return Outcome(counted, exit_codes)

    def _start_worker(self, name: str) -> WorkerProcess:
        return WorkerProcess(name, self._settings, self._folder / f"{name}.log")

    async def _deliver(self, backlog: Backlog) -> None:
        """Send everything, evenly over the delivery time but for a burst halfway, in which a worker is killed."""
        records = self._source.records
        per_tick = max(1, round(len(records) * _PACE_SECONDS / DELIVERY_SECONDS))
        middle = len(records) // 2
        burst = middle + _BURST_TICKS * per_tick
        async with AIOKafkaProducer(**client_options(self._connection), linger_ms=5) as producer:
            await self._send_paced(producer, records[:middle], per_tick)
            await self._send(producer, records[middle:burst])
            await producer.flush()
            await self._kill(backlog)
            await self._send_paced(producer, records[burst:], per_tick)
            await producer.flush()

    async def _send_paced(self, producer: AIOKafkaProducer, records: Sequence[DeliveredRecord], per_tick: int) -> None:
        for start in range(0, len(records), per_tick):
            tick = asyncio.create_task(asyncio.sleep(_PACE_SECONDS))
            await self._send(producer, records[start : start + per_tick])
            await tick

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[DeliveredRecord]) -> None:
        for record in records:
            topic = f"{self._settings.topic_prefix}{record.topic}"
            await producer.send(topic, record.value, key=record.key, headers=list(record.headers))
            self._progress.sent[record.kind] += 1

    async def _kill(self, backlog: Backlog) -> None:
        """Kill the first worker in the middle of its work."""
        victim = self._progress.workers[0]
        victim.kill()
        unread = sum((await backlog.unread()).values())
        self._progress.notes.append(
            f"{victim.name} (process {victim.pid}) was killed with SIGKILL, and left {unread} records undone. "
            "The other takes over its partitions when its session times out, 10 s later."
        )

    async def _catch_up(self, backlog: Backlog) -> None:
        """Wait until every record is committed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _CATCH_UP_SECONDS_MAX
        while unread := await backlog.unread():
            self._progress.unread = sum(unread.values())
            self._restart_those_in_doubt()
            if loop.time() > deadline:
                tails = "\n".join(f"{w.name}:\n{w.log_tail()}" for w in self._progress.workers if not w.killed)
                message = f"{self._progress.unread} records were not read in time. The workers' last words:\n{tails}"
                raise DemoFailedError(message)
            await asyncio.sleep(_POLL_SECONDS)
        self._progress.unread = 0

    def _restart_those_in_doubt(self) -> None:
        """Do what a supervisor does: start a worker again that stopped by itself."""
        for index, worker in enumerate(self._progress.workers):
            if not worker.running and not worker.killed:
                self._progress.notes.append(f"{worker.name} stopped by itself and was started again.")
                self._progress.workers[index] = self._start_worker(f"{worker.name}+")

    def _stop_workers(self) -> dict[str, int]:
        return {worker.name: worker.stop() for worker in self._progress.workers if not worker.killed}

    async def _watch_billing(self) -> None:
        """Be a billing consumer: see each coding event as it is committed."""
        async with AIOKafkaConsumer(
            self._topology.coding_events,
            **self._connection,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
        ) as consumer:
            async for record in consumer:
                self._progress.take(orjson.loads(record.value))
