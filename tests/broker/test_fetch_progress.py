"""What a consumer knows of the logs that it reads, on a real Kafka: there, the last record is not the end of a log."""

from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.kafka.fetch_progress import FetchProgress
from streams.kafka.seeking_fetcher import only_seeking
from streams.kafka.topic_admin import topic_admin
from streams.local_kafka.local_broker import LocalKafka
from streams.processing.records import FetchedRecord  # noqa: TC001 - a local annotation

pytestmark = pytest.mark.kafka

HEADERS = [("content-type", b"application/json")]
WAIT_MS = 100


def _fail(error: Exception) -> None:
    raise error


@pytest.fixture
async def source(kafka: LocalKafka, fresh_prefix: str) -> TopicPartition:
    """A partition of two; two records of a transaction that was committed, and one of a transaction that was not."""
    topic = f"{fresh_prefix}source"
    connection = {"bootstrap_servers": kafka.bootstrap_servers}
    async with topic_admin(connection) as admin:
        await admin.create(topic, partition_count=2, replication=1, config={})
    async with AIOKafkaProducer(**connection, transactional_id=f"{fresh_prefix}source") as producer:
        async with producer.transaction():
            for number in range(2):
                await producer.send_and_wait(topic, b"%d" % number, partition=0, headers=HEADERS)
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted", partition=0)
        await producer.abort_transaction()
    return TopicPartition(topic, 0)


@pytest.fixture
async def consumer(kafka: LocalKafka, source: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader of committed records, as the worker's is, that has both partitions."""
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers, isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        only_seeking(consumer, on_failure=_fail, fetch_wait_seconds_max=0.1)
        consumer.assign([source, TopicPartition(source.topic, 1)])
        yield consumer


async def test_a_log_is_read_to_its_end_and_not_just_to_its_last_record(
    consumer: AIOKafkaConsumer, source: TopicPartition
) -> None:
    """Where nobody has looked there may be more; markers and what was aborted are nothing to wait for."""
    progress = FetchProgress()
    assert not progress.has_more(source, 0), "there is no consumer yet"
    progress.watch(consumer)
    assert progress.has_more(source, 0)
    assert not progress.has_more(TopicPartition("another topic", 0), 0)

    consumer.seek(source, 0)
    consumer.seek(TopicPartition(source.topic, 1), 0)
    records: list[FetchedRecord] = []
    while len(records) < 2:
        records += (await consumer.getmany(source, timeout_ms=WAIT_MS)).get(source, [])
    assert [(record.offset, record.value, list(record.headers)) for record in records] == [
        (0, b"0", HEADERS),
        (1, b"1", HEADERS),
    ]
    progress.handed_over(source, 2)
    while progress.has_more(source, 2):
        await consumer.getmany(source, timeout_ms=WAIT_MS)

    assert progress.has_more(source, 1), "what was handed over has not come yet"


async def test_what_is_left_for_later_does_not_keep_another_from_being_read(
    kafka: LocalKafka, consumer: AIOKafkaConsumer, source: TopicPartition
) -> None:
    """A partition whose records lie unclaimed is not lost, and others of the same broker are fetched meanwhile."""
    other = TopicPartition(source.topic, 1)
    consumer.seek(source, 0)
    consumer.seek(other, 0)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        for number in range(3):
            await producer.send_and_wait(other.topic, b"%d" % number, partition=other.partition)
            read = await consumer.getmany(other, timeout_ms=10_000)
            assert [record.value for record in read[other]] == [b"%d" % number]

    claimed = await consumer.getmany(source, timeout_ms=10_000)
    assert [record.value for record in claimed[source]] == [b"0", b"1"]
