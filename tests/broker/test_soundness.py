"""Two guards of exactly-once, each shown by a history that goes wrong without it, on every Kafka that is supported.

A test that only ever passes could be looking at something else. So each history is run twice: as it is, and with the
guard taken out (`tests.faulty_worker`), where the recount must find what the guard prevents.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.demo.health_system.generation import generate
from streams.demo.worker_process import WorkerProcess
from streams.kafka.connection import client_options
from streams.kafka.group_lag import GroupLag
from streams.local_kafka.local_broker import LocalKafka
from streams.worker.ending import EXIT_DOUBT
from tests.fleet import Fleet, in_parts, pause, resume

pytestmark = pytest.mark.kafka

TASKS = 4
RECORDS = generate(seed=447, episodes=60).records
SHORT_SESSION = {"session_timeout_seconds": 6.0}
TRANSACTION_MS_MAX = 600_000


@pytest.fixture
async def fleet(each_kafka: LocalKafka, fresh_prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """An application of its own; its workers end with the test."""
    fleet = Fleet(each_kafka, fresh_prefix, tmp_path)
    await fleet.create_topics(TASKS)
    yield fleet
    for worker in fleet.workers:
        worker.kill()


# ---------------------------------------------------------------------------------------------
# Generation fencing (KIP-447)
# ---------------------------------------------------------------------------------------------
async def a_zombie_wakes_with_a_step_in_hand(fleet: Fleet, *without: str) -> WorkerProcess:
    """A worker is frozen after it has computed a step; others take over and code everything; it wakes and writes.

    In none of the runs it ends by itself when it finds that the group does not know it: only the group's own
    refusal stands between the step and the log.
    """
    zombie = fleet.start_faulty("holds-writes", "without-ending-when-unknown", *without, tuning=SHORT_SESSION)
    await fleet.until_tasks(zombie, TASKS)
    await fleet.send(RECORDS)
    await fleet.until_logged(zombie, "step_held")
    pause(zombie)
    survivor = fleet.start()
    await fleet.until_tasks(survivor, TASKS)
    await fleet.until_done()
    fleet.release.touch()
    resume(zombie)
    return zombie


async def test_a_zombie_cannot_commit(fleet: Fleet) -> None:
    """Its offsets carry the generation under which it fetched: they are refused, and with them the whole step."""
    zombie = await a_zombie_wakes_with_a_step_in_hand(fleet)

    assert await fleet.ended(zombie) == EXIT_DOUBT
    assert "FencedByGroupError" in zombie.log_tail()
    await fleet.recounted()


async def test_without_generation_fencing_a_zombie_doubles_codes(fleet: Fleet) -> None:
    """The same history, with offsets in nobody's name, as aiokafka sends them."""
    zombie = await a_zombie_wakes_with_a_step_in_hand(fleet, "without-group-fencing")

    await fleet.until_logged(zombie, "step_written")
    assert not (await fleet.recounted_anyhow()).agrees


# ---------------------------------------------------------------------------------------------
# Restore to the high watermark
# ---------------------------------------------------------------------------------------------
@asynccontextmanager
async def open_transaction(fleet: Fleet) -> AsyncIterator[None]:
    """Somebody's transaction, open in every partition of the changelog: the last stable offset stays before it.

    It stands for the markers of any transaction that are still on their way when the next owner restores.
    """
    producer = AIOKafkaProducer(
        **client_options(fleet.connection),
        transactional_id=f"{fleet.settings.app_id}-somebody",
        transaction_timeout_ms=TRANSACTION_MS_MAX,
    )
    async with producer:
        await producer.begin_transaction()
        for partition in range(TASKS):
            topic = fleet.topology.episodes_changelog
            await producer.send_and_wait(topic, None, key=b"Eof-nobody", partition=partition)
        yield
        await producer.abort_transaction()


async def codes_written(fleet: Fleet) -> int:
    """The end of the billing topic, over all partitions."""
    async with AIOKafkaConsumer(**fleet.connection) as consumer:
        tps = [TopicPartition(fleet.topology.coding_events, partition) for partition in range(TASKS)]
        return sum((await consumer.end_offsets(tps)).values())


async def test_a_restore_waits_for_the_high_watermark(fleet: Fleet) -> None:
    """What was committed behind an open transaction is part of the state, also if that takes until it ends."""
    parts = in_parts(RECORDS, 2)
    first = fleet.start()
    await fleet.until_tasks(first, TASKS)
    async with open_transaction(fleet):
        await fleet.send(parts[0])
        await fleet.until_done()
        first.kill()
        second = fleet.start()
        await fleet.until_logged(second, "state_restoring")
    await fleet.send(parts[1])
    await fleet.until_done()

    await fleet.recounted()


async def test_without_the_high_watermark_a_restore_doubles_codes(fleet: Fleet) -> None:
    """The same history, with a restore that ends at the last stable offset, before what was committed."""
    first = fleet.start()
    await fleet.until_tasks(first, TASKS)
    async with open_transaction(fleet):
        await fleet.send(RECORDS)
        await fleet.until_done()
        first.kill()
        before = await codes_written(fleet)
        fleet.start_faulty("without-high-watermark")

        async def coded_again(_lag: GroupLag) -> bool:
            return await codes_written(fleet) > before

        await fleet.until(coded_again, "codes are written a second time")

    assert not (await fleet.recounted_anyhow()).agrees
