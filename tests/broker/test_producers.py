"""However producers write: by any key, to any partition, in transactions or not, it meets in its episode."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka import Producer

from schemas.coding_event import CodingEvent
from streams.demo.health_system.generation import generate
from streams.demo.source import DeliveredRecord
from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError
from streams.kafka.connection import client_options
from streams.kafka.topic_admin import topic_admin
from streams.local_kafka.local_broker import LocalKafka
from tests.fleet import Fleet, in_parts

pytestmark = pytest.mark.kafka

SYSTEM = generate(seed=42, episodes=300)


@pytest.fixture
async def fleet(kafka: LocalKafka, fresh_prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """An application of its own; its workers end with the test."""
    fleet = Fleet(kafka, fresh_prefix, tmp_path)
    yield fleet
    await asyncio.to_thread(fleet.stop_all)


def send_by_crc32(fleet: Fleet, records: Sequence[DeliveredRecord]) -> None:
    """Send as a librdkafka client does by default: CRC32 of the key, and any partition without one."""
    producer = Producer({"bootstrap.servers": fleet.settings.bootstrap_servers, "partitioner": "consistent_random"})
    for record in records:
        topic = f"{fleet.settings.topic_prefix}{record.topic}"
        producer.produce(topic, value=record.value, key=record.key, headers=list(record.headers))
        producer.poll(0)
    assert producer.flush(30) == 0


async def test_another_partitioner_and_other_widths(fleet: Fleet) -> None:
    """Surveys on 3 partitions, treatments on 6, keys hashed by CRC32: all are joined, and most were re-keyed."""
    async with topic_admin(fleet.connection) as admin:
        for name, width in ((fleet.topology.survey_completed, 3), (fleet.topology.treatment_recorded, 6)):
            await admin.create(name, partition_count=width, replication=1, config={})
    await fleet.create_topics(partitions=4)
    fleet.start()
    fleet.start()
    await asyncio.to_thread(send_by_crc32, fleet, SYSTEM.records)
    await fleet.until_done()

    counted = await fleet.recounted()
    assert counted.record_count == len(SYSTEM.records)
    async with AIOKafkaConsumer(**fleet.connection) as consumer:
        ends = await consumer.end_offsets([TopicPartition(fleet.topology.episodes_rekey, p) for p in range(6)])
    assert sum(ends.values()) > len(SYSTEM.records) // 2


async def test_aborted_transactions_never_count(fleet: Fleet) -> None:
    """Of a transactional producer only what it committed is coded; gaps in the offsets hold nothing up."""
    await fleet.create_topics()
    fleet.start()
    async with AIOKafkaProducer(
        **client_options(fleet.connection), transactional_id=f"{fleet.settings.app_id}-producer"
    ) as producer:
        committed = 0
        for number, records in enumerate(in_parts(SYSTEM.records, 30)):
            await producer.begin_transaction()
            for record in records:
                topic = f"{fleet.settings.topic_prefix}{record.topic}"
                await producer.send(topic, record.value, key=record.key, headers=list(record.headers))
            if number % 3 == 1:
                await producer.flush()
                await producer.abort_transaction()
            else:
                await producer.commit_transaction()
                committed += len(records)
    await fleet.until_done()

    counted = await fleet.recounted()
    assert counted.record_count == committed < len(SYSTEM.records)


async def test_coding_events_are_cloudevents(fleet: Fleet) -> None:
    """What billing reads is a CloudEvent in binary mode, keyed by its episode, with a value of the contract."""
    await fleet.create_topics()
    fleet.start()
    await fleet.send(SYSTEM.records)
    await fleet.until_done()

    async with AIOKafkaConsumer(
        fleet.topology.coding_events, **fleet.connection, auto_offset_reset="earliest"
    ) as consumer:
        record = await consumer.getone()
    event = CodingEvent.model_validate_json(record.value)
    headers = dict(record.headers)
    assert record.key == event.episode_id.encode()
    assert headers.pop("ce_id").decode() == str(event.event_id)
    assert headers.pop("ce_time").decode() in record.value.decode()
    assert headers == {
        "ce_specversion": b"1.0",
        "ce_source": b"/g9603",
        "ce_type": b"g9603.coding-event.v1",
        "content-type": b"application/json",
    }


async def test_the_largest_record_can_be_a_dead_letter(fleet: Fleet) -> None:
    """A record of the largest size that the input takes costs only itself, though its headers make it larger."""
    await fleet.create_topics()
    fleet.start()
    good = next(r for r in SYSTEM.records if _is_good(fleet, r))
    largest = b"x" * (1_048_588 - 100)
    async with AIOKafkaProducer(**client_options(fleet.connection), max_request_size=2_000_000) as producer:
        await producer.send_and_wait(fleet.topology.survey_completed, largest)
    await fleet.send([good])
    await fleet.until_done()

    counted = await fleet.recounted()
    assert (counted.record_count, counted.dead_letters) == (2, {"too_large": 1})


def _is_good(fleet: Fleet, record: DeliveredRecord) -> bool:
    decoder = Decoder(fleet.policy.instruments)
    try:
        decoder.decode_survey(record.value, record.headers)
    except RejectedError:
        return False
    return record.topic == "survey-completed"
