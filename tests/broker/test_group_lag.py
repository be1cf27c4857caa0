"""When a group is done: not before what is being committed is seen, and not never because of a marker."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.kafka.group_lag import group_lag
from streams.kafka.topic_admin import topic_admin
from streams.local_kafka.local_broker import LocalKafka

pytestmark = pytest.mark.kafka

NOW_MS = 1_795_000_000_000


async def test_what_an_open_transaction_holds_is_unread(kafka: LocalKafka, fresh_prefix: str) -> None:
    """The last stable offset hides it: a group would be called done that has records to come."""
    connection = {"bootstrap_servers": kafka.bootstrap_servers}
    topic, group_id = f"{fresh_prefix}source", f"{fresh_prefix}group"
    source = TopicPartition(topic, 0)
    async with topic_admin(connection) as admin:
        await admin.create(topic, partition_count=1, replication=1, config={})
    async with AIOKafkaConsumer(**connection, group_id=group_id, enable_auto_commit=False) as member:
        member.assign([source])
        await member.commit({source: 0})
    async with (
        AIOKafkaProducer(**connection, transactional_id=group_id) as producer,
        group_lag(connection, group_id, [topic]) as lag,
    ):
        assert await lag.unread() == {}
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"on its way home")
        assert await lag.unread() == {source: 1}
        await producer.abort_transaction()
        while await lag.unread():  # until the markers are written
            pass


async def test_the_age_of_what_waits(kafka: LocalKafka, fresh_prefix: str) -> None:
    """By the record's own timestamp; a record of a transaction that is open has none yet."""
    connection = {"bootstrap_servers": kafka.bootstrap_servers}
    topic, group_id = f"{fresh_prefix}source", f"{fresh_prefix}group"
    async with topic_admin(connection) as admin:
        await admin.create(topic, partition_count=3, replication=1, config={})
    async with (
        AIOKafkaProducer(**connection) as producer,
        AIOKafkaProducer(**connection, transactional_id=group_id) as transaction,
    ):
        for number in range(5):
            await producer.send_and_wait(topic, b"old", partition=0, timestamp_ms=NOW_MS - 60_000 + number)
        await producer.send_and_wait(topic, b"young", partition=1, timestamp_ms=NOW_MS - 1_000)
        await transaction.begin_transaction()
        await transaction.send_and_wait(topic, b"not there yet", partition=2)
        async with group_lag(connection, group_id, [topic]) as lag:
            reading = await lag.read(NOW_MS)
            assert [p.lag_records for p in reading.partitions] == [5, 1, 1]
            assert [p.oldest_ms for p in reading.partitions] == [NOW_MS - 60_000, NOW_MS - 1_000, None]
            assert (reading.lag_records, reading.lag_seconds(NOW_MS)) == (7, 60.0)
            assert (reading.state, reading.members) == ("Dead", ())
            await _commit(connection, group_id, TopicPartition(topic, 0), 2)
            reading = await lag.read(NOW_MS)
            assert (reading.partitions[0].lag_records, reading.partitions[0].oldest_ms) == (3, NOW_MS - 60_000 + 2)
        await transaction.abort_transaction()


async def test_members_by_their_place(kafka: LocalKafka, fresh_prefix: str) -> None:
    """A static member goes by its place, another by its id; each with what it was given."""
    connection = {"bootstrap_servers": kafka.bootstrap_servers}
    topic, group_id = f"{fresh_prefix}source", f"{fresh_prefix}group"
    async with topic_admin(connection) as admin:
        await admin.create(topic, partition_count=2, replication=1, config={})
    async with (
        AIOKafkaConsumer(topic, **connection, group_id=group_id, group_instance_id="place-7") as member,
        group_lag(connection, group_id, [topic]) as lag,
    ):
        while len(member.assignment()) < 2:
            await member.getmany(timeout_ms=100)
        reading = await lag.read(NOW_MS)

    assert reading.state == "Stable"
    assert [(one.place, one.host, one.partitions) for one in reading.members] == [("place-7", "127.0.0.1", (0, 1))]


async def _commit(connection: dict[str, str], group_id: str, source: TopicPartition, offset: int) -> None:
    async with AIOKafkaConsumer(**connection, group_id=group_id, enable_auto_commit=False) as member:
        member.assign([source])
        await member.commit({source: offset})
