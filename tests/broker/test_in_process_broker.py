"""The stand-in serves the clients the worker uses; what it cannot do is said, and true."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.local_kafka.in_process_broker import (
    CANNOT_SHOW,
    PARTITIONS,
    InProcessBroker,
    InProcessBrokerUnavailableError,
)


@pytest.fixture
def broker() -> Iterator[InProcessBroker]:
    """A stand-in with one topic, `codes`."""
    with InProcessBroker() as started:
        started.ensure_topics(["codes"])
        yield started


@contextlib.asynccontextmanager
async def transactional_producer(broker: InProcessBroker) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, transactional_id="coder")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def committed_value(broker: InProcessBroker) -> bytes | None:
    """What a read_committed reader sees first in the first partition of `codes`."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap_servers,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition("codes", 0)])
        record = await asyncio.wait_for(consumer.getone(), timeout=30)
    finally:
        await consumer.stop()
    value: bytes | None = record.value
    return value


async def test_topics_exist_once_ensured(broker: InProcessBroker) -> None:
    """An ensured topic has the number of partitions that is promised."""
    async with transactional_producer(broker) as producer:
        assert await producer.partitions_for("codes") == set(range(PARTITIONS))


async def test_committed_record_is_read(broker: InProcessBroker) -> None:
    """What a transaction wrote and committed reaches a read_committed reader."""
    async with transactional_producer(broker) as producer, producer.transaction():
        await producer.send_and_wait("codes", b"G9603", partition=0)

    assert await committed_value(broker) == b"G9603"


async def test_aborted_record_is_read_too(broker: InProcessBroker) -> None:
    """The warning is needed: the stand-in shows an aborted record, which Kafka would not."""
    async with transactional_producer(broker) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait("codes", b"aborted", partition=0)
        await producer.abort_transaction()

    assert await committed_value(broker) == b"aborted"
    assert "shows the records of aborted transactions to read_committed readers" in CANNOT_SHOW


def test_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without confluent-kafka the user reads what to install."""
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)

    with (
        pytest.raises(InProcessBrokerUnavailableError, match=r"pip install 'g9603\[demo\]'"),
        InProcessBroker(),
    ):
        pass
