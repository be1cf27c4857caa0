"""The cluster is one Kafka: its parts move when a broker goes, clients meet the proxies, and it can be made whole."""

import asyncio
from collections.abc import Iterator

import aiokafka.errors as kafka_errors
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.chaos.cluster import KafkaCluster
from tests.chaos.faults import Lose, Rule, Way
from tests.chaos.kafka_wire import ApiKey

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

WAIT_SECONDS_MAX = 90.0
SETTING = "transactional.id.expiration.ms"


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    """Three brokers; a test leaves them whole."""
    with KafkaCluster() as cluster:
        yield cluster


async def create(cluster: KafkaCluster, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.direct_bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, cluster.replication)])
    finally:
        await admin.close()
    await asyncio.to_thread(cluster.wait_until_whole)


@pytest.mark.parametrize("role", ["leader", "transaction_coordinator", "group_coordinator", "controller"])
async def test_another_takes_the_part_of_a_broker_that_is_killed(cluster: KafkaCluster, role: str) -> None:
    topic = f"parts-{role}"
    await create(cluster, topic)
    asked = {
        "leader": lambda: cluster.roles.leader(topic, 0),
        "transaction_coordinator": lambda: cluster.roles.transaction_coordinator("coder-0"),
        "group_coordinator": lambda: cluster.roles.group_coordinator("coder"),
        "controller": cluster.roles.controller,
    }[role]
    former = await asyncio.to_thread(cluster.until_known, asked)

    cluster.brokers[former].kill()
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while await asyncio.to_thread(cluster.until_known, asked) == former:
            await asyncio.sleep(0.1)

    await asyncio.to_thread(cluster.heal)
    assert all(broker.is_answering for broker in cluster.brokers.values())
    assert cluster.roles.incomplete() == []


async def test_clients_meet_the_proxies(cluster: KafkaCluster) -> None:
    """An answer that is lost on the way is served again; the proxies know what they did."""
    await create(cluster, "through-the-proxies")
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap_servers, enable_idempotence=True) as producer:
        with cluster.network.under(Rule(Lose(), ApiKey.PRODUCE, Way.ANSWER, times=1)) as rule:
            first = await producer.send_and_wait("through-the-proxies", b"first")
        second = await producer.send_and_wait("through-the-proxies", b"second")

    assert rule.hits == 1
    assert (first.offset, second.offset) == (0, 1)
    assert cluster.network.tally["lost PRODUCE answer"] == 1


async def test_harness_does_not_meet_the_proxies(cluster: KafkaCluster) -> None:
    await create(cluster, "past-the-proxies")
    with cluster.network.cut():
        async with AIOKafkaProducer(bootstrap_servers=cluster.direct_bootstrap_servers) as producer:
            assert (await producer.send_and_wait("past-the-proxies", b"x")).offset == 0
        cut_off = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap_servers)
        with pytest.raises(kafka_errors.KafkaConnectionError):
            await cut_off.start()
        await cut_off.stop()


def test_heal_resumes_what_is_frozen_and_takes_settings_back(cluster: KafkaCluster) -> None:
    cluster.reconfigure({SETTING: "60000"})
    assert SETTING in properties(cluster)
    cluster.brokers[2].pause()
    assert not cluster.brokers[2].is_answering

    cluster.heal()

    assert cluster.brokers[2].is_answering
    assert SETTING not in properties(cluster)


def properties(cluster: KafkaCluster) -> str:
    """What the brokers are told."""
    return "\n".join(broker.properties_path.read_text(encoding="utf-8") for broker in cluster.brokers.values())
