"""When a group is done: not before what is being committed is seen, and not never because of a marker."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.kafka.group_lag import group_lag
from streams.kafka.topic_admin import topic_admin
from streams.local_kafka.local_broker import LocalKafka

pytestmark = pytest.mark.kafka


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
