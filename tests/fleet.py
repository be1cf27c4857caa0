"""Workers as processes on a real Kafka, fed and killed by a test, and the proof that nothing was lost or doubled."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.demo.source import DeliveredRecord
from streams.demo.worker_process import WORKER, WorkerProcess
from streams.instruments.registry import load_registry
from streams.kafka.connection import client_options, connection_options
from streams.kafka.group_lag import GroupLag, group_lag
from streams.kafka.provisioning import create_missing_topics
from streams.kafka.sealing import sealing
from streams.kafka.topic_admin import topic_admin
from streams.local_kafka.local_broker import LocalKafka
from streams.policies.policy_loading import load_policy
from streams.processing.topology import Topology
from streams.recount.comparison import Recount
from streams.recount.recount import recount
from streams.settings import Settings
from streams.worker.ending import EXIT_DOUBT

WAIT_SECONDS_MAX = 90.0
_POLL_SECONDS = 0.2
_FAULTY_WORKER = Path(__file__).with_name("faulty_worker.py")


class Fleet:
    """The workers of one application of its own.

    Args:
        kafka: The broker.
        prefix: For its topics, its group and its transactional ids.
        folder: For logs and local state.
    """

    def __init__(self, kafka: LocalKafka, prefix: str, folder: Path) -> None:
        self._folder = folder
        self.settings = Settings(
            bootstrap_servers=kafka.bootstrap_servers,
            app_id=f"{prefix}coder",
            topic_prefix=prefix,
            data_dir=folder / "state",
        )
        self.topology = Topology(self.settings.app_id, self.settings.topic_prefix)
        self.connection = connection_options(self.settings)
        self.policy = load_policy(None, load_registry())
        self.workers: list[WorkerProcess] = []
        self.release = folder / "released"
        """Where it exists, faulty workers go on that hold something."""
        self._started = 0

    async def create_topics(self, partitions: int = 4) -> None:
        """Make the topics that are not there."""
        async with topic_admin(self.connection) as admin:
            await create_missing_topics(admin, self.topology, partition_count=partitions, replication=1)

    def start(self, settings: Settings | None = None) -> WorkerProcess:
        """Start one more worker."""
        return self._start(settings, WORKER)

    def start_faulty(
        self, *faults: str, settings: Settings | None = None, tuning: Mapping[str, float] = MappingProxyType({})
    ) -> WorkerProcess:
        """Start one more worker, with *faults* of `faulty_worker` and a *tuning* of its own."""
        options = ("--tuning", json.dumps(dict(tuning)), "--release", str(self.release))
        return self._start(settings, (sys.executable, str(_FAULTY_WORKER), ",".join(faults) or "none", *options))

    def _start(self, settings: Settings | None, command: Sequence[str]) -> WorkerProcess:
        self._started += 1
        name = f"worker-{self._started}"
        worker = WorkerProcess(name, settings or self.settings, self._folder / f"{name}.log", command)
        self.workers.append(worker)
        return worker

    async def until_logged(self, worker: WorkerProcess, words: str) -> None:
        """Wait until *worker* has logged *words*."""

        async def logged(_lag: GroupLag) -> bool:
            return words in worker.log_text()

        await self.until(logged, f"{worker.name} logs {words}")

    async def pages_of(self, worker: WorkerProcess) -> str:
        """Where the pages of *worker* are, once they are."""
        await self.until_logged(worker, '"event": "web_started"')
        lines = (json.loads(line) for line in worker.log_text().splitlines() if line.startswith("{"))
        (started,) = (line for line in lines if line["event"] == "web_started")
        return f"http://{started['host']}:{started['port']}"

    async def ended(self, worker: WorkerProcess) -> int:
        """The exit code of *worker*, which ends by itself; nobody starts it again."""
        self.workers.remove(worker)
        exit_code = await asyncio.to_thread(worker.wait, WAIT_SECONDS_MAX)
        assert exit_code is not None, f"{worker.name} did not end\n{self.logs()}"
        return exit_code

    async def send(self, records: Iterable[DeliveredRecord]) -> None:
        """Put *records* on the bus as their systems would."""
        async with AIOKafkaProducer(**client_options(self.connection), linger_ms=5) as producer:
            for record in records:
                topic = f"{self.settings.topic_prefix}{record.topic}"
                await producer.send(topic, record.value, key=record.key, headers=list(record.headers))
            await producer.flush()

    async def until(self, condition: Callable[[GroupLag], Awaitable[bool]], what: str) -> None:
        """Wait until *condition* holds; meanwhile do what a supervisor does."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_SECONDS_MAX
        async with group_lag(self.connection, self.settings.app_id, self.topology.sources) as lag:
            while not await condition(lag):
                self._supervise()
                assert loop.time() < deadline, f"{what}: not within {WAIT_SECONDS_MAX} s\n{self.logs()}"
                await asyncio.sleep(_POLL_SECONDS)

    async def until_working(self) -> None:
        """Wait until something is committed, and something is left to do."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_SECONDS_MAX
        async with AIOKafkaConsumer(
            self.topology.episodes_changelog,
            **self.connection,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        ) as consumer:
            while not await consumer.getmany(timeout_ms=100, max_records=1):
                self._supervise()
                assert loop.time() < deadline, f"nothing was committed\n{self.logs()}"

    async def until_tasks(self, worker: WorkerProcess, count: int) -> None:
        """Wait until *worker* has *count* tasks, by its last word on the matter."""

        async def assigned(_lag: GroupLag) -> bool:
            told = re.findall(r'"tasks": (\d+)', worker.log_text())
            return bool(told) and int(told[-1]) == count

        await self.until(assigned, f"{worker.name} has {count} tasks")

    async def until_done(self) -> None:
        """Wait until everything that was sent is committed."""

        async def done(lag: GroupLag) -> bool:
            return not await lag.unread()

        await self.until(done, "everything read")

    async def recounted_anyhow(self) -> Recount:
        """The recount, whether it agrees or not."""
        opening = sealing(self.settings, self.topology)
        return await recount(self.connection, self.topology, self.policy, sealing=opening)

    async def recounted(self) -> Recount:
        """The recount, after asserting that it agrees to the last event."""
        counted = await self.recounted_anyhow()
        assert counted.agrees, f"{counted}\n{self.logs()}"
        return counted

    def stop_all(self) -> list[int]:
        """SIGTERM to all; their exit codes."""
        return [worker.stop() for worker in self.workers if not worker.killed]

    def logs(self) -> str:
        """The last words of every worker."""
        return "\n".join(f"--- {worker.name}\n{worker.log_tail()}" for worker in self.workers)

    def _supervise(self) -> None:
        """Start a worker again that ended in doubt; any other end is a fault."""
        for worker in [w for w in self.workers if not w.running and not w.killed]:
            assert worker.stop() == EXIT_DOUBT, self.logs()
            self.workers.remove(worker)
            self.start()


def pause(worker: WorkerProcess) -> None:
    """SIGSTOP: the worker lives and does nothing, and does not know it."""
    os.kill(worker.pid, signal.SIGSTOP)


def resume(worker: WorkerProcess) -> None:
    """SIGCONT."""
    os.kill(worker.pid, signal.SIGCONT)


def in_parts(records: Sequence[DeliveredRecord], count: int) -> list[Sequence[DeliveredRecord]]:
    """*records* in *count* runs of about equal length."""
    size = -(-len(records) // count)
    return [records[start : start + size] for start in range(0, len(records), size)]
