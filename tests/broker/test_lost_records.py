"""Records that are gone before they were read are told, never skipped in silence."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from streams.kafka.connection import client_options
from streams.kafka.topic_admin import topic_admin
from streams.local_kafka.local_broker import LocalKafka
from streams.worker.ending import EXIT_DOUBT, EXIT_REFUSED
from tests.fleet import Fleet, pause, resume

pytestmark = pytest.mark.kafka

PARTITION = 1
UNREADABLE = b"no JSON: it ends in the dead letters, one each, and so tells what was read"
LONG_SESSION: Mapping[str, float] = {"session_timeout_seconds": 300.0, "consumer_request_timeout_seconds": 310.0}


@pytest.fixture
async def fleet(kafka: LocalKafka, fresh_prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """An application of its own; its workers end with the test."""
    fleet = Fleet(kafka, fresh_prefix, tmp_path)
    await fleet.create_topics(2)
    yield fleet
    for worker in fleet.workers:
        worker.kill()


async def send(fleet: Fleet, count: int) -> None:
    """Put *count* records into one partition of the surveys."""
    async with AIOKafkaProducer(**client_options(fleet.connection)) as producer:
        for _ in range(count):
            await producer.send_and_wait(fleet.topology.survey_completed, UNREADABLE, partition=PARTITION)


async def delete_records(fleet: Fleet, before: int) -> None:
    """Do what retention does."""
    admin = AIOKafkaAdminClient(**client_options(fleet.connection))
    await admin.start()
    try:
        source = TopicPartition(fleet.topology.survey_completed, PARTITION)
        await admin.delete_records({source: RecordsToDelete(before)})
    finally:
        await admin.close()


async def dead_letters(fleet: Fleet) -> int:
    """How many records were read."""
    counted = await fleet.recounted_anyhow()
    return sum(counted.dead_letters.values())


async def worked_and_stopped(fleet: Fleet) -> None:
    """Three records are read, the worker stops, and seven more come, of which the first four are lost."""
    worker = fleet.start()
    await send(fleet, 3)
    await fleet.until_done()
    assert await asyncio.to_thread(worker.stop) == 0
    fleet.workers.remove(worker)
    await send(fleet, 7)
    await delete_records(fleet, before=7)


async def test_a_reader_that_retention_has_overtaken_is_refused(fleet: Fleet) -> None:
    """The worker says which records are gone, and what to set to go on; with that it goes on, and says so."""
    await worked_and_stopped(fleet)
    refused = fleet.start()

    assert await fleet.ended(refused) == EXIT_REFUSED
    name = f"{fleet.topology.survey_completed}-{PARTITION}"
    assert f"{name}: the records from offset 3 to 6 are gone and were never read" in refused.log_tail()
    (jump,) = re.findall(r"set G9603_READ_ON=(\S+?)\"", refused.log_tail())
    assert jump == f"{name}:3-7"

    deliberate = fleet.settings.model_copy(update={"read_on": jump})
    worker = fleet.start(deliberate)
    await fleet.until_done()
    assert '"event": "records_skipped"' in worker.log_text()
    assert await dead_letters(fleet) == 3 + 3

    assert await asyncio.to_thread(worker.stop) == 0
    fleet.workers.remove(worker)
    again = fleet.start(deliberate)  # the setting may stay: it has happened, and happens once
    await send(fleet, 1)
    await fleet.until_done()
    assert '"event": "records_skipped"' not in again.log_text()
    assert await dead_letters(fleet) == 3 + 3 + 1


async def test_a_reader_that_is_overtaken_while_it_runs_ends(fleet: Fleet) -> None:
    """It does not jump to where the log begins now; the next start says what is gone."""
    worker = fleet.start_faulty(tuning=LONG_SESSION)
    await send(fleet, 1)
    await fleet.until_done()
    pause(worker)
    await send(fleet, 1)  # may be on its way to the worker already
    await send(fleet, 3)
    await delete_records(fleet, before=5)
    resume(worker)

    assert await fleet.ended(worker) == EXIT_DOUBT
    assert "OffsetOutOfRangeError" in worker.log_tail()
    refused = fleet.start()
    assert await fleet.ended(refused) == EXIT_REFUSED
    assert "are gone and were never read" in refused.log_tail()


async def test_an_input_that_was_made_anew_is_refused(fleet: Fleet) -> None:
    """Its offsets are of another log: what they say of what was read is not true of this one."""
    worker = fleet.start()
    await send(fleet, 3)
    await fleet.until_done()
    assert await asyncio.to_thread(worker.stop) == 0
    fleet.workers.remove(worker)
    admin = AIOKafkaAdminClient(**client_options(fleet.connection))
    await admin.start()
    try:
        await admin.delete_topics([fleet.topology.survey_completed])
    finally:
        await admin.close()
    async with topic_admin(fleet.connection) as topics, asyncio.timeout(60):
        while await topics.describe([fleet.topology.survey_completed]):
            await asyncio.sleep(0.1)
    await fleet.create_topics(2)
    refused = fleet.start()

    assert await fleet.ended(refused) == EXIT_REFUSED
    assert "was read up to offset 3, but the log ends at 0" in refused.log_tail()


async def test_an_input_that_was_never_read_is_read_from_where_it_begins(fleet: Fleet) -> None:
    """A new application on an old topic: what retention took before is nobody's loss, and is said in the log."""
    await send(fleet, 5)
    await delete_records(fleet, before=2)
    worker = fleet.start()
    await fleet.until_done()

    assert '"read_to": null, "on_at": 2' in worker.log_text()
    assert await dead_letters(fleet) == 3
