"""One run of one scenario: its workers, its load, its timeline, and what is left behind."""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import aiokafka.errors as kafka_errors
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.demo.source import DeliveredRecord
from streams.instruments.registry import load_registry
from streams.kafka.connection import client_options, connection_options
from streams.kafka.provisioning import create_missing_topics
from streams.kafka.topic_admin import topic_admin
from streams.policies.policy_loading import load_policy
from streams.processing.topology import Topology
from streams.settings import Settings
from tests.chaos.kafka_under_test import KafkaUnderTest
from tests.chaos.load import Partitioner, health_system, send
from tests.chaos.observation import BillingReader, Ends, read_all, unread
from tests.chaos.scenario import Scenario
from tests.chaos.supervised_workers import SupervisedWorkers
from tests.chaos.worker_under_test import WorkerUnderTest

if TYPE_CHECKING:
    from streams.processing.records import InputRecord

WAIT_SECONDS_MAX = 120.0
_POLL_SECONDS = 0.1
_REQUEST_TIMEOUT_MS = 5_000
"""Of our own clients: a frozen broker is not waited for as long as by default."""


class TrialFailedError(Exception):
    """The trial did not come to its end."""


class Trial(SupervisedWorkers):
    """What a scenario is handed.

    Args:
        scenario: What is run.
        seed: Of everything that is drawn.
        kafka: The Kafka that is attacked.
        folder: For logs and local state.
    """

    def __init__(self, scenario: Scenario, seed: int, kafka: KafkaUnderTest, folder: Path) -> None:
        prefix = f"{scenario.name}-{seed}-"
        settings = Settings(
            bootstrap_servers=kafka.bootstrap_servers,
            app_id=f"{prefix}coder",
            topic_prefix=prefix,
            data_dir=folder / "state",
        )
        super().__init__(scenario, settings, folder)
        self.random = Random(f"{scenario.name}-{seed}")  # noqa: S311 - to be repeatable, not unguessable
        self.load: Sequence[DeliveredRecord] = health_system(seed, scenario.episodes)
        self.cluster: Any = kafka
        """The Kafka, with all that it can be made to do."""
        self.topology = Topology(self.settings.app_id, self.settings.topic_prefix)
        self.policy = load_policy(None, load_registry())
        direct = self.settings.model_copy(update={"bootstrap_servers": kafka.direct_bootstrap_servers})
        self.connection = connection_options(direct) | {"request_timeout_ms": _REQUEST_TIMEOUT_MS}
        self.unbounded: list[str] = []
        """What has grown that should not."""
        self.changelog_is_whole = True
        """A scenario that lets the changelog be compacted says so."""
        self.is_refused = False
        """A scenario that the workers rightly refuse to go on with says so: nobody then waits for the end."""
        self.remembered_inputs: list[InputRecord] = []
        """Of input topics, before a scenario deletes some."""
        self.billing = BillingReader(self.connection, self.topology.coding_events, scenario.partitions)
        self._ends_before: Mapping[TopicPartition, int] = {}
        self._replication = kafka.replication
        self._further_topics: set[str] = set()

    # -- what a scenario does ------------------------------------------------------------------------------

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

    def parts(self, count: int) -> list[Sequence[DeliveredRecord]]:
        """The load in *count* runs of about equal length."""
        size = -(-len(self.load) // count)
        return [self.load[start : start + size] for start in range(0, len(self.load), size)]

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

    async def until_listening(self, worker: WorkerUnderTest) -> None:
        """Wait until *worker* takes SIGTERM: before its first line has run that is the kernel's alone."""

        async def listening() -> bool:
            return worker.catches(signal.SIGTERM) or not worker.running

        await self.until(listening, f"{worker.name} takes signals")

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

    async def delete_topics(self) -> None:
        """Have the topics go: brokers that are killed look through every log that there is when they come back."""
        admin = AIOKafkaAdminClient(**client_options(self.connection))
        try:
            await admin.start()
            names = {specification.name for specification in self.topology.specifications} | self._further_topics
            await admin.delete_topics(sorted(names))
        except kafka_errors.KafkaError as error:
            self.note(f"the topics stay: {type(error).__name__}")
        finally:
            await admin.close()

    async def create_topic(self, name: str, config: Mapping[str, str], *, replication: int | None = None) -> None:
        """Make a topic with as many partitions as all others, and as many replicas where nothing else is said."""
        self._further_topics.add(name)
        async with topic_admin(self.connection) as admin:
            await admin.create(
                name,
                partition_count=self.scenario.partitions,
                replication=replication or self._replication,
                config=config,
            )

    async def create_topics(self) -> None:
        """Make the topics."""
        if self.scenario.changelog_config:
            changelog = next(s for s in self.topology.specifications if s.name == self.topology.episodes_changelog)
            await self.create_topic(changelog.name, {**changelog.config, **self.scenario.changelog_config})
        async with topic_admin(self.connection) as admin:
            await create_missing_topics(
                admin, self.topology, partition_count=self.scenario.partitions, replication=self._replication
            )
