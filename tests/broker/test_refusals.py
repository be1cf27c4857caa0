"""What keeps a worker from starting, and that a worker left behind by its group cannot commit."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from streams.demo.health_system.generation import generate
from streams.kafka.connection import client_options
from streams.kafka.group_fenced_producer import FencedByGroupError, GroupMetadata, group_fenced
from streams.kafka.topic_admin import topic_admin
from streams.local_kafka.local_broker import LocalKafka
from tests.fleet import WAIT_SECONDS_MAX, Fleet

pytestmark = pytest.mark.kafka

MISCONFIGURED = 78
UNAVAILABLE = 69


async def refused(fleet: Fleet) -> tuple[int, str]:
    """The exit code and the words of a worker that ends by itself."""
    worker = fleet.start()
    code = await asyncio.to_thread(worker._process.wait, 60)  # noqa: SLF001 - no signal is to be sent
    return code, worker.log_tail()


@pytest.fixture
def fleet(kafka: LocalKafka, fresh_prefix: str, tmp_path: Path) -> Fleet:
    """An application of its own."""
    return Fleet(kafka, fresh_prefix, tmp_path)


async def test_no_broker(fleet: Fleet) -> None:
    """Where no broker answers the worker says where it looked."""
    fleet.settings = fleet.settings.model_copy(update={"bootstrap_servers": "127.0.0.1:1"})

    code, words = await refused(fleet)

    assert code == UNAVAILABLE
    assert "No Kafka broker answers at 127.0.0.1:1" in words


async def test_a_changelog_that_is_not_compacted(fleet: Fleet) -> None:
    """State that would be deleted or pile up is refused, with the command that mends it."""
    async with topic_admin(fleet.connection) as admin:
        await admin.create(fleet.topology.episodes_changelog, partition_count=4, replication=1, config={})
    await fleet.create_topics()

    code, words = await refused(fleet)

    assert code == MISCONFIGURED
    assert f"{fleet.topology.episodes_changelog} has cleanup.policy=delete" in words
    assert "--add-config cleanup.policy=compact" in words


async def test_an_input_wider_than_the_state(fleet: Fleet) -> None:
    """An input partition without a task would never be read: the worker does not start."""
    await fleet.create_topics(partitions=2)
    await widen(fleet, fleet.topology.survey_completed, 3)

    code, words = await refused(fleet)

    assert code == MISCONFIGURED
    assert f"{fleet.topology.survey_completed} has 3 partitions, more than the 2" in words


async def test_a_changelog_whose_partition_count_was_raised(fleet: Fleet) -> None:
    """Episodes would be looked for in the wrong partition, and coded twice: the worker does not start."""
    await fleet.create_topics(partitions=2)
    fleet.start()
    await fleet.send(generate(seed=1, episodes=20).records)
    await fleet.until_done()
    assert await asyncio.to_thread(fleet.stop_all) == [0]
    for topic in (fleet.topology.episodes_changelog, fleet.topology.episodes_rekey, fleet.topology.ticks):
        await widen(fleet, topic, 3)

    code, words = await refused(fleet)

    assert code == MISCONFIGURED
    assert "has 3 partitions, but partition" in words
    assert "coded twice" in words


async def test_an_unknown_policy(fleet: Fleet) -> None:
    """A policy that is not there is refused by name, before anything is joined."""
    await fleet.create_topics()
    fleet.settings = fleet.settings.model_copy(update={"policy": Path("nowhere.toml")})

    code, words = await refused(fleet)

    assert code == MISCONFIGURED
    assert "nowhere.toml" in words


async def test_a_stale_generation_cannot_commit(fleet: Fleet) -> None:
    """KIP-447: offsets in the name of a generation that is gone are refused, and nothing of them is seen."""
    await fleet.create_topics()
    source = TopicPartition(fleet.topology.survey_completed, 0)
    group = f"{fleet.settings.app_id}-fenced"
    async with AIOKafkaConsumer(
        fleet.topology.survey_completed, **fleet.connection, group_id=group, enable_auto_commit=False
    ) as member:
        await member.getmany(timeout_ms=100)
        coordinator = member._coordinator  # noqa: SLF001 - aiokafka tells it nowhere else
        now = GroupMetadata(coordinator.generation, coordinator.member_id)
        names = iter([now, now._replace(generation=now.generation - 1)])
        producer = group_fenced(
            AIOKafkaProducer(**client_options(fleet.connection), transactional_id=group), lambda: next(names)
        )
        async with producer:
            await producer.begin_transaction()
            await producer.send_offsets_to_transaction({source: 5}, group)
            await producer.commit_transaction()
            await producer.begin_transaction()
            with pytest.raises(FencedByGroupError):
                await producer.send_offsets_to_transaction({source: 9}, group)
            await producer.abort_transaction()

        assert await member.committed(source) == 5


async def test_a_member_whose_place_was_taken_cannot_commit(fleet: Fleet) -> None:
    """KIP-345: who has joined under an instance id fences the one before, who must not commit in its name."""
    await fleet.create_topics()
    source = TopicPartition(fleet.topology.survey_completed, 0)
    group, place = f"{fleet.settings.app_id}-fenced", "place"
    options = {**fleet.connection, "group_id": group, "group_instance_id": place, "enable_auto_commit": False}
    older = AIOKafkaConsumer(fleet.topology.survey_completed, **options)
    await older.start()
    coordinator = older._coordinator  # noqa: SLF001 - aiokafka tells it nowhere else
    then = GroupMetadata(coordinator.generation, coordinator.member_id, place)
    async with AIOKafkaConsumer(fleet.topology.survey_completed, **options) as newer:
        now = then._replace(member_id=newer._coordinator.member_id)  # noqa: SLF001
        assert newer._coordinator.generation == then.generation  # noqa: SLF001
        names = iter([then, now])
        producer = group_fenced(
            AIOKafkaProducer(**client_options(fleet.connection), transactional_id=group), lambda: next(names)
        )
        async with producer:
            await producer.begin_transaction()
            with pytest.raises(FencedByGroupError):
                await producer.send_offsets_to_transaction({source: 9}, group)
            await producer.abort_transaction()
            await producer.begin_transaction()
            await producer.send_offsets_to_transaction({source: 5}, group)
            await producer.commit_transaction()
        async with asyncio.timeout(WAIT_SECONDS_MAX):  # its markers are written after the answer
            while (committed := await newer.committed(source)) is None:
                pass
        assert committed == 5
    await older.stop()


async def widen(fleet: Fleet, topic: str, partitions: int) -> None:
    """Raise the partition count of *topic*, as an operator might."""
    admin = AIOKafkaAdminClient(**client_options(fleet.connection))
    await admin.start()
    try:
        await admin.create_partitions({topic: NewPartitions(partitions)})
    finally:
        await admin.close()
