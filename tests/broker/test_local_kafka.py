"""A local Kafka is a Kafka: it keeps what it acknowledged, and it leaves nothing behind."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from subprocess import PIPE

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from streams.local_kafka.broker_process import BrokerStartError
from streams.local_kafka.java import JavaUnavailableError
from streams.local_kafka.local_broker import LocalKafka
from streams.local_kafka.loopback import broker_answers

pytestmark = pytest.mark.kafka

PROJECT = Path(__file__).parents[2]


@contextlib.asynccontextmanager
async def administering(kafka: LocalKafka) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def keep(kafka: LocalKafka, topic: str, value: bytes) -> None:
    """Have *value* acknowledged as the first record of a new *topic*."""
    async with administering(kafka) as admin:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def first_value(kafka: LocalKafka, topic: str) -> bytes | None:
    """The value of the first record of *topic*."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        record = await asyncio.wait_for(consumer.getone(), timeout=30)
    finally:
        await consumer.stop()
    value: bytes | None = record.value
    return value


def until(condition: Callable[[], bool]) -> None:
    """Wait until *condition* holds, 30 s at most."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited 30 s in vain"
        time.sleep(0.02)


def kill_and_start(kafka: LocalKafka) -> None:
    kafka.kill()
    kafka.start()


@pytest.mark.parametrize("disturb", [LocalKafka.restart, kill_and_start])
async def test_keeps_what_it_acknowledged(
    kafka: LocalKafka, fresh_prefix: str, disturb: Callable[[LocalKafka], None]
) -> None:
    """An acknowledged record is still there, at the same address, after the broker was away."""
    topic, address = f"{fresh_prefix}kept", kafka.bootstrap_servers
    await keep(kafka, topic, b"acknowledged")

    await asyncio.to_thread(disturb, kafka)

    assert kafka.bootstrap_servers == address
    assert await first_value(kafka, topic) == b"acknowledged"


def test_frozen_broker_answers_once_it_is_resumed(kafka: LocalKafka) -> None:
    """A paused broker says nothing, and one that is resumed goes on."""
    kafka.pause()
    try:
        until(lambda: not kafka.is_answering)  # a thread that runs is stopped when the scheduler comes by
    finally:
        kafka.resume()

    until(lambda: kafka.is_answering)


async def test_topic_that_nobody_created_is_an_error(kafka: LocalKafka, fresh_prefix: str) -> None:
    """To ask for a misspelt topic fails, as in production, and does not create it."""
    async with administering(kafka) as admin:
        (topic,) = await admin.describe_topics([f"{fresh_prefix}misspelt"])

    assert topic["error_code"] == UnknownTopicOrPartitionError.errno


def test_stop_leaves_nothing() -> None:
    """Once stopped, the broker's folder is gone and its port silent; to stop again is no error."""
    kafka = LocalKafka()
    kafka.start()
    folder = kafka.folder
    assert folder is not None
    assert (folder / "kafka.log").stat().st_size > 0

    kafka.stop()
    kafka.stop()

    assert kafka.folder is None
    assert not folder.exists()
    assert not kafka.is_answering


def test_failed_start_shows_the_log_and_leaves_nothing() -> None:
    """A broker that cannot have its port says why in the words of its log, and its folder is gone."""
    kafka = LocalKafka()
    host, port = kafka.bootstrap_servers.split(":")

    with (
        socket.create_server((host, int(port))),
        pytest.raises(BrokerStartError, match=r"ended with exit code(?s:.*)Address already in use"),
    ):
        kafka.start()

    assert kafka.folder is None


def test_missing_java_is_told_before_anything_is_done() -> None:
    """Without Java the user reads what to install, and nothing is written."""
    kafka = LocalKafka(java="no-such-java")

    with pytest.raises(JavaUnavailableError, match="no `no-such-java` on the PATH: install one"):
        kafka.start()

    assert kafka.folder is None


_START_AND_WAIT = """
import sys
from streams.local_kafka.local_broker import LocalKafka
kafka = LocalKafka()
kafka.start()
print(kafka.bootstrap_servers.rpartition(":")[2], kafka.folder, flush=True)
sys.stdin.read()
"""


def test_dies_with_the_process_that_started_it() -> None:
    """When its parent is killed, with no time to stop it, the broker ends and its folder goes."""
    command = [sys.executable, "-c", _START_AND_WAIT]
    with subprocess.Popen(command, cwd=PROJECT, stdin=PIPE, stdout=PIPE, text=True) as parent:
        assert parent.stdout is not None
        port, folder = parent.stdout.readline().split()
        assert broker_answers(int(port))
        parent.kill()

    until(lambda: not broker_answers(int(port)) and not Path(folder).exists())
