"""`g9603 explain`, as a person runs it, on a changelog that the stream tasks made."""

import asyncio
import json
from collections.abc import Mapping

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from streams.cli.application import cli
from streams.instruments.registry import load_registry
from streams.kafka.provisioning import create_missing_topics
from streams.kafka.topic_admin import topic_admin
from streams.local_kafka.local_broker import LocalKafka
from streams.local_kafka.loopback import free_ports
from streams.policies.policy_loading import load_policy
from streams.processing.changelog import episode_key
from streams.processing.partitioning import home_partition
from streams.processing.topology import Topology
from tests.care import baseline, care, treatment
from tests.tasks_in_memory import Record, Sent, TasksInMemory

pytestmark = pytest.mark.kafka

PARTITIONS = 4
CODED, WAITING, UNKNOWN = "E1", "E2", "E3 [red]"


def changelog_of_tasks() -> list[Record]:
    """What the tasks write for an episode that is coded, and for one that waits for its follow-up."""
    tasks = TasksInMemory(load_policy(None, load_registry()), task_count=PARTITIONS)
    for message in (*care(CODED), baseline(WAITING), treatment(WAITING)):
        home = home_partition(message.episode_id, PARTITIONS)
        tasks.send(Sent(message.kind, home, 1_750_000_000_000, message.value))
        tasks.drain()
    return [record for partition in range(PARTITIONS) for record in tasks.changelog(partition)]


async def fill(kafka: LocalKafka, topology: Topology) -> None:
    """Put the tasks' changelog on *kafka*, and after it a value that was never committed."""
    async with topic_admin({"bootstrap_servers": kafka.bootstrap_servers}) as admin:
        await create_missing_topics(admin, topology, partition_count=PARTITIONS, replication=1)
    topic = topology.episodes_changelog
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap_servers, transactional_id=f"{topology.topic_prefix}writer"
    ) as producer:
        async with producer.transaction():
            for record in changelog_of_tasks():
                await producer.send(topic, key=record.key, value=record.value, partition=record.partition)
        await producer.begin_transaction()
        home = home_partition(CODED, PARTITIONS)
        await producer.send_and_wait(topic, key=episode_key(CODED), value=b"never committed", partition=home)
        await producer.abort_transaction()


@pytest.fixture
def environment(kafka: LocalKafka, fresh_prefix: str) -> Mapping[str, str]:
    """The settings of an application that has seen two episodes."""
    asyncio.run(fill(kafka, Topology(topic_prefix=fresh_prefix)))
    return {"G9603_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "G9603_TOPIC_PREFIX": fresh_prefix}


def explain(environment: Mapping[str, str], *arguments: str, asked: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["explain", *arguments], env=environment, input=asked)


def test_known_episodes_are_explained(environment: Mapping[str, str]) -> None:
    """The last committed value is told, for people and for scripts: a code, or what is missing."""
    coded, waiting = explain(environment, CODED, "--json"), explain(environment, WAITING, "--json")
    for_people = explain(environment, CODED)

    documents = [json.loads(result.stdout) for result in (coded, waiting)]
    assert [document["decision"]["code"] for document in documents] == ["G9603", None]
    assert [[event["action"] for event in document["coding_events"]] for document in documents] == [["new"], []]
    assert [document["ledger"]["agrees"] for document in documents] == [True, True]
    assert documents[1]["decision"]["missing"] == {"stage": "follow-up", "reason": "no_follow_up"}
    assert "improved follow-up" in for_people.stdout
    assert [coded.exit_code, waiting.exit_code, for_people.exit_code] == [0, 0, 0]


def test_an_id_need_not_stand_on_a_command_line(environment: Mapping[str, str]) -> None:
    """Everyone on the machine sees command lines; nobody sees what comes by standard input."""
    quiet, open_to_all = explain(environment, "-", "--json", asked=f"{CODED}\n"), explain(environment, CODED, "--json")

    assert json.loads(quiet.stdout) == json.loads(open_to_all.stdout)


def test_an_unknown_episode_is_not_found(environment: Mapping[str, str]) -> None:
    """It is said where it was looked for, and the exit code tells a script."""
    result = explain(environment, UNKNOWN)

    home = f"{environment['G9603_TOPIC_PREFIX']}g9603-episodes-changelog-{home_partition(UNKNOWN, PARTITIONS)}"
    assert result.exit_code == 1
    assert f"'{UNKNOWN}' is not known: looked in {home}, its partition among {PARTITIONS}." in result.stderr
    assert result.stdout == ""


def test_missing_topics_are_named(kafka: LocalKafka, fresh_prefix: str) -> None:
    """An application that is not there is a wrong setting, not an unknown episode."""
    result = explain({"G9603_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "G9603_TOPIC_PREFIX": fresh_prefix}, CODED)

    assert result.exit_code == 78
    assert f"{fresh_prefix}g9603-episodes-changelog does not exist" in result.stderr


def test_no_broker_is_said() -> None:
    """Where nothing answers, the exit code tells it from an unknown episode."""
    (port,) = free_ports(1)
    result = explain({"G9603_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}"}, CODED)

    assert result.exit_code == 69
    assert f"No Kafka broker answers at 127.0.0.1:{port}" in result.stderr
