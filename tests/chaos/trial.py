"""One run of one scenario: its workers, its load, its timeline, and what is left behind."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition

from streams.cli.console import ExitCode
from streams.demo.source import DeliveredRecord
from streams.instruments.registry import load_registry
from streams.kafka.connection import connection_options
from streams.kafka.provisioning import create_missing_topics
from streams.kafka.topic_admin import topic_admin
from streams.policies.policy_loading import load_policy
from streams.processing.topology import Topology
from streams.settings import Settings
from tests.chaos.failpoint import Failpoint
from tests.chaos.kafka_under_test import KafkaUnderTest
from tests.chaos.load import Partitioner, health_system, send
from tests.chaos.observation import BillingReader, Ends, read_all, unread
from tests.chaos.scenario import Scenario
from tests.chaos.timeline import Kind, Timeline
from tests.chaos.worker_under_test import WorkerUnderTest

if TYPE_CHECKING:
    from streams.processing.records import InputRecord

WAIT_SECONDS_MAX = 120.0
_POLL_SECONDS = 0.1
_REQUEST_TIMEOUT_MS = 5_000
"""Of our own clients: a frozen broker is not waited for as long as by default."""
_RESTARTED = {ExitCode.DOUBT, ExitCode.UNAVAILABLE}
"""After these a supervisor starts a worker again, as the README says."""


class TrialFailedError(Exception):
    """The trial did not come to its end."""


class Trial:
    """What a scenario is handed.

    Args:
        scenario: What is run.
        seed: Of everything that is drawn.
        kafka: The Kafka that is attacked.
        folder: For logs and local state.
    """

    def __init__(self, scenario: Scenario, seed: int, kafka: KafkaUnderTest, folder: Path) -> None:
        self.scenario = scenario
        self.timeline = Timeline()
        self.random = Random(f"{scenario.name}-{seed}")  # noqa: S311 - to be repeatable, not unguessable
        self.load: Sequence[DeliveredRecord] = health_system(seed, scenario.episodes)
        self.cluster: Any = kafka
        """The Kafka, with all that it can be made to do."""
        self.folder = folder
        prefix = f"{scenario.name}-{seed}-"
        self.settings = Settings(
            bootstrap_servers=kafka.bootstrap_servers,
            app_id=f"{prefix}coder",
            topic_prefix=prefix,
            data_dir=folder / "state",
        )
        self.topology = Topology(self.settings.app_id, self.settings.topic_prefix)
        self.policy = load_policy(None, load_registry())
        direct = self.settings.model_copy(update={"bootstrap_servers": kafka.direct_bootstrap_servers})
        self.connection = connection_options(direct) | {"request_timeout_ms": _REQUEST_TIMEOUT_MS}
        self.workers: list[WorkerUnderTest] = []
        """Those that live or should."""
        self.former_workers: list[WorkerUnderTest] = []
        self.faults_of_processes: list[str] = []
        self.unbounded: list[str] = []
        """What has grown that should not."""
        self.restart_count = 0
        self.changelog_is_whole = True
        """A scenario that lets the changelog be compacted says so."""
        self.is_refused = False
        """A scenario that the workers rightly refuse to go on with says so: nobody then waits for the end."""
        self.remembered_inputs: list[InputRecord] = []
        """Of input topics, before a scenario deletes some."""
        self.billing = BillingReader(self.connection, self.topology.coding_events, scenario.partitions)
        self._ends_before: Mapping[TopicPartition, int] = {}
        self._started_count = 0
        self._replication = kafka.replication

    # -- what a scenario does ------------------------------------------------------------------------------

    def start(
        self,
        failpoint: Failpoint | None = None,
        *,
        settings: Settings | None = None,
        poll_records_max: int = 100,
        command: Sequence[str] | None = None,
    ) -> WorkerUnderTest:
        """Start one more worker: that of production, one that fails at *failpoint*, or another program."""
        self._started_count += 1
        name = f"worker-{self._started_count}"
        started = failpoint.command(poll_records_max=poll_records_max) if failpoint is not None else command
        worker = WorkerUnderTest(name, settings or self.settings, self.folder / f"{name}.log", started)
        worker.restart_command = command
        self.workers.append(worker)
        told = "" if failpoint is None else f", to {failpoint.action} at {failpoint.point}, {failpoint.moment}"
        self.note(f"{name} started (process {worker.pid}){told}")
        return worker

    def kill(self, worker: WorkerUnderTest) -> None:
        """SIGKILL."""
        self.fault(f"SIGKILL {worker.name}")
        worker.kill()
        self.dismiss(worker)

    def dismiss(self, worker: WorkerUnderTest) -> None:
        """*worker* has ended as the scenario wanted; nobody starts it again."""
        if worker in self.workers:
            self.workers.remove(worker)
            self.former_workers.append(worker)

    async def send(
        self,
        records: Iterable[DeliveredRecord],
        *,
        partitioner: Partitioner = Partitioner.MIXED,
        skew_seconds_max: float = 0.0,
        noted: bool = True,
    ) -> None:
        """Put *records* on the bus, past the proxies."""
        sent = list(records)
        if noted:
            self._ends_before = await self._changelog_ends()
        await send(
            self.connection,
            sent,
            topic_prefix=self.settings.topic_prefix,
            partition_count=self.scenario.partitions,
            partitioner=partitioner,
            random=self.random,
            skew_seconds_max=skew_seconds_max,
        )
        if noted:
            self.note(f"{len(sent)} records sent")

    async def remember_inputs(self) -> None:
        """Keep what the inputs hold: the oracle needs it, and it is about to be deleted."""
        self.remembered_inputs += await read_all(self.connection, list(self.topology.kinds))

    def expect(self, worker: WorkerUnderTest, code: int, *words: str) -> None:
        """Hold that *worker* ended with *code*, and that its last words say *words*."""
        if worker.exit_code != code:
            self.faults_of_processes.append(f"{worker.name} ended with {worker.exit_code}, not with {code}")
        said = worker.log_text()
        self.faults_of_processes += [f"{worker.name} does not say: {word}" for word in words if word not in said]

    def parts(self, count: int) -> list[Sequence[DeliveredRecord]]:
        """The load in *count* runs of about equal length."""
        size = -(-len(self.load) // count)
        return [self.load[start : start + size] for start in range(0, len(self.load), size)]

    def note(self, text: str) -> None:
        """A line of the timeline."""
        self.timeline.add(Kind.NOTE, text)

    def fault(self, text: str) -> None:
        """A fault is injected now."""
        self.timeline.add(Kind.FAULT, text)

    def healed(self, text: str) -> None:
        """A fault is taken back now."""
        self.timeline.add(Kind.HEALED, text)

    # -- what a scenario waits for -------------------------------------------------------------------------

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait until *condition* holds.

        Raises:
            TrialFailedError: It does not.
        """
        try:
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                while not await condition():
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            message = f"{what}: not within {WAIT_SECONDS_MAX:.0f} s"
            raise TrialFailedError(message) from None

    async def until_working(self) -> None:
        """Wait until more has been committed than was when this was asked."""
        await self._until_moved(await self._changelog_ends())

    async def until_begun(self) -> None:
        """Wait until more has been committed than was when the last records were sent."""
        await self._until_moved(self._ends_before)

    async def _until_moved(self, before: Mapping[TopicPartition, int]) -> None:
        async def moved() -> bool:
            return await self._changelog_ends() != before

        await self.until(moved, "something is committed")

    async def _changelog_ends(self) -> Mapping[TopicPartition, int]:
        topic = self.topology.episodes_changelog
        partitions = [TopicPartition(topic, partition) for partition in range(self.scenario.partitions)]
        return await Ends(self.connection).stable(partitions)

    async def until_ended(self, worker: WorkerUnderTest) -> int:
        """Wait until *worker* has ended, and take note that it should."""
        self.dismiss(worker)  # so that no supervisor starts it again

        async def ended() -> bool:
            return worker.exit_code is not None

        await self.until(ended, f"{worker.name} ends")
        code = worker.exit_code
        self.fault(f"{worker.name} ended with {code}")
        return code if code is not None else 0

    async def until_killed_by_itself(self, worker: WorkerUnderTest) -> None:
        """Wait until *worker* has died at its failpoint.

        Raises:
            TrialFailedError: It ended in another way: the point was not passed.
        """
        worker.excused.add(-signal.SIGKILL)
        code = await self.until_ended(worker)
        if code != -signal.SIGKILL:
            message = f"{worker.name} ended with {code}, not at its failpoint"
            raise TrialFailedError(message)

    async def until_said(self, worker: WorkerUnderTest, word: str) -> None:
        """Wait until *word* stands in the log of *worker*."""

        async def said() -> bool:
            return word in worker.log_text()

        await self.until(said, f"{worker.name} says {word}")

    async def pause(self, seconds: float) -> None:
        """Let everything run for *seconds*: a fault at random needs a time at random."""
        await asyncio.sleep(seconds)

    async def until_frozen(self, worker: WorkerUnderTest) -> None:
        """Wait until *worker* has stopped itself."""

        async def frozen() -> bool:
            return worker.is_frozen

        await self.until(frozen, f"{worker.name} stops itself")
        self.fault(f"{worker.name} has stopped itself")

    async def until_tasks(self, worker: WorkerUnderTest, count: int) -> None:
        """Wait until *worker* has *count* tasks, by its last word on the matter."""

        async def assigned() -> bool:
            told = re.findall(r'"tasks": (\d+)', worker.log_text())
            return bool(told) and int(told[-1]) == count

        await self.until(assigned, f"{worker.name} has {count} tasks")

    async def until_done(self) -> None:
        """Wait until everything that was sent is committed."""
        try:
            async with (
                asyncio.timeout(WAIT_SECONDS_MAX),
                aclosing(unread(self.connection, self.settings.app_id, self.topology.sources)) as asked,  # type: ignore[type-var]
            ):
                async for left in asked:
                    if not left:
                        return
        except TimeoutError:
            message = f"everything read: not within {WAIT_SECONDS_MAX:.0f} s"
            raise TrialFailedError(message) from None

    # -- what the frame does -------------------------------------------------------------------------------

    async def create_topics(self) -> None:
        """Make the topics."""
        async with topic_admin(self.connection) as admin:
            if self.scenario.changelog_config:
                changelog = next(s for s in self.topology.specifications if s.name == self.topology.episodes_changelog)
                await admin.create(
                    changelog.name,
                    partition_count=self.scenario.partitions,
                    replication=self._replication,
                    config={**changelog.config, **self.scenario.changelog_config},
                )
            await create_missing_topics(
                admin, self.topology, partition_count=self.scenario.partitions, replication=self._replication
            )

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        """Do what a supervisor does while the block runs, and leave no worker behind it."""
        supervision = asyncio.create_task(self._supervise())
        try:
            yield
        finally:
            supervision.cancel()
            with suppress(asyncio.CancelledError):
                await supervision
            for worker in (*self.workers, *self.former_workers):
                if worker.running:
                    worker.kill()

    async def stop_workers(self) -> None:
        """SIGTERM to all; each should end with 0."""
        workers, self.workers = self.workers, []
        self.former_workers += workers
        codes = await asyncio.gather(*(asyncio.to_thread(worker.stop) for worker in workers))
        for worker, code in zip(workers, codes, strict=True):
            # Before it has said that it started there is nothing that it could leave in good order.
            if code == -signal.SIGTERM and "worker_started" not in worker.log_text():
                continue
            if code != ExitCode.DONE and code not in worker.excused:
                self.faults_of_processes.append(f"{worker.name} ended with {code} after SIGTERM")

    def log_texts(self) -> Mapping[str, str]:
        """All that every worker has said."""
        return {worker.name: worker.log_text() for worker in (*self.former_workers, *self.workers)}

    async def _supervise(self) -> None:
        while True:
            for worker in [worker for worker in self.workers if not worker.running]:
                self._attend_to(worker)
            await asyncio.sleep(_POLL_SECONDS)

    def _attend_to(self, worker: WorkerUnderTest) -> None:
        code = worker.exit_code
        self.dismiss(worker)
        self.note(f"{worker.name} ended with {code}")
        if code in worker.excused:
            return
        if code not in _RESTARTED and self.scenario.examine is None:
            self.faults_of_processes.append(f"{worker.name} ended with {code}, and nobody had asked it to")
        elif self.restart_count >= self.scenario.restarts_max:
            self.faults_of_processes.append(f"workers ended in doubt more than {self.scenario.restarts_max} times")
        else:
            self.restart_count += 1
            self.start(settings=worker.settings, command=worker.restart_command)
