"""A restore reads to the high watermark: what is committed and not yet marked so is part of the state."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from streams.kafka.topic_admin import topic_admin
from streams.local_kafka.local_broker import LocalKafka
from streams.processing.changelog import POSITIONS_KEY, Positions, encode_positions, episode_key
from streams.worker.restorer import ChangelogRestorer
from streams.worker.tuning import Tuning

pytestmark = pytest.mark.kafka

_BEFORE, _AFTER = (encode_positions(Positions(1, {"survey-completed": offset})) for offset in (5, 9))


async def test_a_transaction_that_ends_during_the_restore(kafka: LocalKafka, fresh_prefix: str) -> None:
    """The restore waits for it; to the last stable offset it would end before it.

    To a reader, a transaction whose markers are being written is an open one, though its owner was told that it is
    committed. Without it, the next owner would do its work again.
    """
    connection = {"bootstrap_servers": kafka.bootstrap_servers}
    changelog = f"{fresh_prefix}changelog"
    async with topic_admin(connection) as admin:
        await admin.create(changelog, partition_count=1, replication=1, config={})
    restorer = ChangelogRestorer(connection, topic=changelog, task_count=1, tuning=Tuning())
    async with AIOKafkaProducer(**connection, transactional_id=changelog) as producer:
        async with producer.transaction():
            await producer.send_and_wait(changelog, _BEFORE, key=POSITIONS_KEY)
        await producer.begin_transaction()
        await producer.send_and_wait(changelog, b"state", key=episode_key("EP-1"))
        await producer.send_and_wait(changelog, _AFTER, key=POSITIONS_KEY)
        restoring = asyncio.create_task(restorer.restore([0]))
        done, _ = await asyncio.wait([restoring], timeout=3.0)
        assert not done, "it did not wait for the transaction"
        await producer.commit_transaction()
        restored = (await restoring)[0]

    assert restored.episodes == {episode_key("EP-1"): b"state"}
    assert restored.positions == Positions(1, {"survey-completed": 9})
