"""The adapters on a real Kafka: killed, frozen and beside each other, each message counts once; then all the way."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from fhir.resources.R4B.claim import Claim
from typer.testing import CliRunner

from streams.adapters.choice import adapter_of
from streams.billing.engine import open_database
from streams.cli.application import cli
from streams.instruments.registry import load_registry
from streams.kafka.connection import client_options
from streams.kafka.log_reader import read_log
from streams.kafka.provisioning import create_missing
from streams.kafka.topic_admin import topic_admin
from streams.processing.adapter_topics import AdapterTopics, MessageStandard
from streams.processing.dead_letter_source import letter_source
from streams.processing.records import InputRecord
from tests.adapters.test_fhir import GOLDEN, SCORE, STORY, but
from tests.adapters.test_stories import STORIES, TELL
from tests.billing.test_book import held
from tests.billing.test_claim_lines import judged as judged_as_x12
from tests.billing.test_exports import judged as judged_as_hl7
from tests.billing.test_exports import valid
from tests.billing_consumer import billed
from tests.episode_notation import facts_of
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

    async def has_told(self) -> bool:
        """Whether there is anything on an input."""
        return bool(await self.events())

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
    names = ("episode-", "survey-", "treatment-")
    return [renamed(text, names, n).encode() for n in range(PATIENTS) for text in told]


def renamed(text: str, names: Sequence[str], number: int) -> str:
    for name in names:
        text = text.replace(name, f"{name}{number}-")
    return text


def expected(standard: MessageStandard, messages: Sequence[bytes]) -> Counter[bytes]:
    """The events that *messages* come to, each once."""
    adapter = adapter_of(standard, MAPPING, load_registry())
    return Counter(event.value for message in messages for event in adapter.adapt(message).events)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not await condition():
            await asyncio.sleep(0.2)


async def test_one_that_was_frozen_past_its_session(feed: Feed) -> None:
    """The group has given its partitions away: what it still holds is refused, and it ends with 70."""
    messages = patients()
    await feed.send(messages)
    frozen = feed.start(*SLOW)

    await until(feed.has_told)
    frozen.send_signal(signal.SIGSTOP)
    other = feed.start(*G9603, "adapter", "fhir", "--mapping", str(MAPPING))

    async def is_done() -> bool:
        return await feed.events() >= expected(MessageStandard.FHIR, messages)

    await until(is_done)
    frozen.send_signal(signal.SIGCONT)
    exit_code = await asyncio.to_thread(frozen.wait, WAIT_SECONDS_MAX)
    other.send_signal(signal.SIGTERM)

    assert exit_code == 70
    assert await asyncio.to_thread(other.wait, WAIT_SECONDS_MAX) == 0
    assert await feed.events() == expected(MessageStandard.FHIR, messages)


async def test_all_the_way(fleet: Fleet, tmp_path: Path) -> None:
    """From FHIR and from HL7 v2 in, with an adapter and a worker killed, to a database, and to each format out.

    Each message counts once; what cannot be understood is kept as it was; and what the database holds is what billing
    was told at the last, of each story what it says.
    """
    feeds = {standard: Feed(fleet, standard) for standard in MessageStandard}
    fhir, hl7v2 = feeds[MessageStandard.FHIR], feeds[MessageStandard.HL7V2]
    told = [(story, standard) for story in STORIES for standard in MessageStandard if story.only in {None, standard}]
    messages: dict[MessageStandard, list[bytes]] = defaultdict(list)
    for story, standard in told:
        facts = facts_of(story.episode)
        messages[standard] += [TELL[standard](fact, f"{story.name}, {standard}") for fact in facts]
    try:
        await fhir.send([*messages[MessageStandard.FHIR], *FAULTY])
        await hl7v2.send(messages[MessageStandard.HL7V2])
        slow = fhir.start(*SLOW)
        await until(fhir.has_told)
        slow.kill()
        slow.wait()
        victim = fleet.start()
        assert (await fhir.finish())["messages"]
        assert (await hl7v2.finish())["dead_letters"] == {}
        await fleet.until_working()
        victim.kill()
        fleet.start()
        await fleet.until_done()
    finally:
        fhir.end_all()
        hl7v2.end_all()

    assert await fhir.events() == sum((expected(standard, sent) for standard, sent in messages.items()), Counter())
    assert await fhir.dead_letters() == Counter(FAULTY)
    await fleet.recounted()
    url = f"sqlite:///{tmp_path / 'billing.sqlite'}"
    held = await asyncio.to_thread(held_by_billing, fleet, url)
    net = await net_state(fleet)
    assert held == {episode: event["event_id"] for episode, event in net.items()}
    scores = {f"{story.name}, {standard}": story.score for story, standard in told if story.score is not None}
    assert {episode: event["followup"]["score"] for episode, event in net.items()} == scores
    await asyncio.to_thread(judge_exports, fleet, url, set(held.values()))


async def net_state(fleet: Fleet) -> dict[str, dict[str, Any]]:
    """The event that stands, by episode, for whoever reads the topic."""
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    async for records in read_log(fleet.connection, [fleet.topology.coding_events]):
        for record in records:
            event = json.loads(record.value or b"")
            told[event["episode_id"]].append(event)
    standing = {episode: billed(events) for episode, events in told.items()}
    return {episode: event for episode, event in standing.items() if event is not None}


def billing(fleet: Fleet, url: str, *arguments: str) -> str:
    environment = fleet.settings.environment() | {"G9603_BILLING_DATABASE": url}
    told = CliRunner().invoke(cli, ["billing", *arguments], env=environment)
    assert told.exit_code == 0, told.output
    return told.stdout


def held_by_billing(fleet: Fleet, url: str) -> dict[str, str]:
    """What a database of billing's holds after it has read the topic."""
    environment = {**os.environ, **fleet.settings.environment(), "G9603_BILLING_DATABASE": url}
    subprocess.run((*G9603, "billing", "sink", "--once"), env=environment, check=True, capture_output=True)
    engine = open_database(url)
    found = held(engine)
    engine.dispose()
    return found


def judge_exports(fleet: Fleet, url: str, standing: set[str]) -> None:
    """Have each export judged by a parser that we did not write, and find what stands in it."""
    messages = [message for message in billing(fleet, url, "export", "dft").split("\n") if message]
    charged: Counter[str] = Counter()
    for message in messages:
        charged.update({charge: 1 if kind == "CG" else -1 for kind, charge in judged_as_hl7(message)})
    claims = [json.loads(line) for line in billing(fleet, url, "export", "claim").splitlines()]
    active = {made["id"]: Claim.model_validate(made).status for made in claims}
    items = [valid(json.loads(line)) for line in billing(fleet, url, "export", "charge-item").splitlines()]
    lines = [json.loads(line) for line in billing(fleet, url, "export", "claim-line").splitlines()]

    assert {charge for charge, count in charged.items() if count} == standing
    assert standing <= {claim_id for claim_id, status in active.items() if status == "active"}
    assert {item.id for item in items if item.status == "billable"} == standing
    assert not judged_as_x12(*lines)
    assert not billing(fleet, url, "export", "dft"), "nothing is new"
