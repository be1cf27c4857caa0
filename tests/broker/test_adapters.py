"""The adapters on a real Kafka: killed, frozen and beside each other, each message counts once; then all the way."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from streams.adapters.choice import adapter_of
from streams.instruments.registry import load_registry
from streams.kafka.connection import client_options
from streams.kafka.log_reader import read_log
from streams.kafka.provisioning import create_missing
from streams.kafka.topic_admin import topic_admin
from streams.processing.adapter_topics import AdapterTopics, MessageStandard
from streams.processing.dead_letter_source import letter_source
from streams.processing.records import InputRecord
from tests.adapters.test_fhir import GOLDEN, SCORE, STORY, but
from tests.fleet import WAIT_SECONDS_MAX, Fleet

pytestmark = pytest.mark.kafka

MAPPING = GOLDEN / "mapping.toml"
G9603 = (sys.executable, "-m", "streams")
SLOW = (sys.executable, str(Path(__file__).parents[1] / "slow_adapter.py"), str(MAPPING))
SESSION_SECONDS_MAX = 10
PATIENTS = 60
FAULTY = [orjson.dumps(but(SCORE, id=f"faulty-{n}", subject=None)) for n in range(7)]


class Feed:
    """A topic of messages beside an application, and what an adapter has made of it.

    Args:
        fleet: The application.
        standard: Of the messages.
    """

    def __init__(self, fleet: Fleet, standard: MessageStandard) -> None:
        self.topics = AdapterTopics(standard, fleet.topology)
        self._fleet = fleet
        self._environment = {**os.environ, **fleet.settings.environment()}
        self._running: list[subprocess.Popen[str]] = []

    async def send(self, messages: Sequence[bytes]) -> None:
        """Put *messages* on the topic, which is made where it is not there."""
        async with topic_admin(self._fleet.connection) as admin:
            await create_missing(admin, self.topics.specifications, partition_count=3, replication=1)
        async with AIOKafkaProducer(**client_options(self._fleet.connection)) as producer:
            for number, message in enumerate(messages):
                await producer.send(self.topics.messages, message, partition=number % 3)
            await producer.flush()

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start an adapter."""
        running = subprocess.Popen(
            command, env=self._environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._running.append(running)
        return running

    async def finish(self) -> dict[str, object]:
        """Have an adapter go to the end; what it tells of it."""
        arguments = ("adapter", self.topics.standard, "--mapping", str(MAPPING), "--once", "--json")
        told, said = await asyncio.to_thread(self.start(*G9603, *arguments).communicate)
        assert told, said
        counted: dict[str, object] = json.loads(told)
        return counted

    async def events(self) -> Counter[bytes]:
        """The values on both inputs."""
        return Counter([record.value or b"" async for run in self._read(*self._fleet.topology.kinds) for record in run])

    async def dead_letters(self) -> Counter[bytes]:
        """The values of the dead letters."""
        letters = [record async for run in self._read(self.topics.dead_letter) for record in run]
        assert {source.reason for letter in letters if (source := letter_source(letter.headers))} <= {"not_told"}
        return Counter(letter.value or b"" for letter in letters)

    def _read(self, *topics: str) -> AsyncIterator[list[InputRecord]]:
        return read_log(self._fleet.connection, topics)

    def end_all(self) -> None:
        """End whatever still runs."""
        for running in self._running:
            if running.poll() is None:
                running.send_signal(signal.SIGCONT)
                running.kill()
            running.communicate()


@pytest.fixture
async def feed(fleet: Fleet) -> AsyncIterator[Feed]:
    """A FHIR feed of an application of its own."""
    feed = Feed(fleet, MessageStandard.FHIR)
    yield feed
    await asyncio.to_thread(feed.end_all)


def patients() -> list[bytes]:
    """The story's first four messages, of many patients."""
    told = [orjson.dumps(message).decode() for message in STORY[:4]]
    return [
        text.replace("episode-7", f"episode-{n}")
        .replace("survey-", f"survey-{n}-")
        .replace("treatment-", f"treatment-{n}-")
        .encode()
        for n in range(PATIENTS)
        for text in told
    ]


def expected(messages: Sequence[bytes]) -> Counter[bytes]:
    """The events that *messages* come to, each once."""
    adapter = adapter_of(MessageStandard.FHIR, MAPPING, load_registry())
    return Counter(event.value for message in messages for event in adapter.adapt(message).events)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not await condition():
            await asyncio.sleep(0.2)


async def test_killed_again_and_again(feed: Feed) -> None:
    """Whenever it dies, what it has told it has told once; and what could not be understood is kept as it was."""
    messages = [*patients(), *FAULTY]
    await feed.send(messages)
    told = 0
    for _ in range(2):
        slow = feed.start(*SLOW)

        async def has_gone_on(before: int = told) -> bool:
            return (await feed.events()).total() > before

        await until(has_gone_on)
        told = (await feed.events()).total()
        slow.kill()
        slow.wait()
    assert (await feed.finish())["messages"]

    assert await feed.events() == expected(messages)
    assert await feed.dead_letters() == Counter(FAULTY)


async def test_one_that_was_frozen_past_its_session(feed: Feed) -> None:
    """The group has given its partitions away: what it still holds is refused, and it ends with 70."""
    messages = patients()
    await feed.send(messages)
    frozen = feed.start(*SLOW)

    async def has_begun() -> bool:
        return bool(await feed.events())

    await until(has_begun)
    frozen.send_signal(signal.SIGSTOP)
    other = feed.start(*G9603, "adapter", "fhir", "--mapping", str(MAPPING))

    async def is_done() -> bool:
        return await feed.events() >= expected(messages)

    await until(is_done)
    frozen.send_signal(signal.SIGCONT)
    exit_code = await asyncio.to_thread(frozen.wait, WAIT_SECONDS_MAX)
    other.send_signal(signal.SIGTERM)

    assert exit_code == 70
    assert await asyncio.to_thread(other.wait, WAIT_SECONDS_MAX) == 0
    assert await feed.events() == expected(messages)
