"""Whoever reads the billing topic, in whatever language, holds what it says: also when killed in between.

The consumers are those of examples/billing-consumer, as their page says to run them.
"""

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from streams.demo.health_system.generation import generate
from streams.kafka.log_reader import read_log
from streams.local_kafka.java import find_java
from streams.local_kafka.kafka_jars import KAFKA_VERSION, fetch_kafka_jars
from streams.local_kafka.local_broker import LocalKafka
from streams.local_kafka.maven import default_cache_dir
from tests.billing_consumer import billed
from tests.fleet import Fleet

pytestmark = pytest.mark.kafka

EXAMPLES = Path(__file__).parents[2] / "examples" / "billing-consumer"
WAIT_SECONDS_MAX = 60
POLL_SECONDS = 0.05
Held = Mapping[str, str]
"""The event that stands, by episode."""


class BillingTopic:
    """A billing topic that workers have written, one of which was killed; its prefix is ``billing-consumers-``."""

    def __init__(self, kafka: LocalKafka, folder: Path) -> None:
        self.fleet = Fleet(kafka, "billing-consumers-", folder)
        self.address = (kafka.bootstrap_servers, self.fleet.topology.coding_events)
        self.net_state: Held = asyncio.run(self._told())

    async def _told(self) -> Held:
        await self.fleet.create_topics()
        victim = self.fleet.start()
        await self.fleet.send(generate(seed=9603, episodes=1_500).records)
        await self.fleet.until_working()
        victim.kill()
        self.fleet.start()
        await self.fleet.until_done()
        self.fleet.stop_all()
        told: dict[str, list[dict[str, Any]]] = defaultdict(list)
        async for records in read_log(self.fleet.connection, [self.address[1]]):
            for record in records:
                event = json.loads(record.value or b"")
                told[event["episode_id"]].append(event)
        standing = {episode: billed(events) for episode, events in told.items()}
        assert {"new", "replace", "void"} == {event["action"] for events in told.values() for event in events}
        return {episode: event["event_id"] for episode, event in standing.items() if event is not None}


@pytest.fixture(scope="module")
def billing_topic(kafka: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> BillingTopic:
    """Told once for all consumers."""
    return BillingTopic(kafka, tmp_path_factory.mktemp("workers"))


def until_held(command: Sequence[str], held: Callable[[], Held], wanted: Held) -> None:
    """Run *command*, kill it as soon as it holds anything, and run it again until it holds what is *wanted*."""
    run_until(command, lambda: bool(held()))
    run_until(command, lambda: held() == wanted)


def run_until(command: Sequence[str], condition: Callable[[], bool]) -> None:
    """Run *command*, which does not end by itself, until *condition* holds; then kill it."""
    consumer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not condition():
            assert consumer.poll() is None, consumer.stderr and consumer.stderr.read()
            assert time.monotonic() < deadline, "it does not come to hold what it should"
            time.sleep(POLL_SECONDS)
    finally:
        consumer.kill()
        consumer.communicate()


def test_the_example_in_python(billing_topic: BillingTopic, tmp_path: Path) -> None:
    """Codes and offsets in one transaction of SQLite."""
    database = tmp_path / "billing.sqlite"
    command = (sys.executable, str(EXAMPLES / "billing_consumer.py"), *billing_topic.address, str(database))

    def held() -> Held:
        with closing(sqlite3.connect(database)) as tables:
            if not list(tables.execute("SELECT 1 FROM sqlite_schema WHERE name = 'code'")):
                return {}
            return dict(tables.execute("SELECT episode_id, event_id FROM code WHERE action != 'void'"))

    until_held(command, held, billing_topic.net_state)


def test_the_example_in_java(billing_topic: BillingTopic, tmp_path: Path) -> None:
    """Codes and offsets in one file; on the class path stand the client's jars, which a broker has, too."""
    jars = fetch_kafka_jars(KAFKA_VERSION, cache_dir=default_cache_dir(), on_progress=lambda _: None)
    file = tmp_path / "billing.json"
    source = str(EXAMPLES / "BillingConsumer.java")
    command = (find_java(), "-cp", f"{jars}/*", source, *billing_topic.address, str(file))

    def held() -> Held:
        if not file.exists():
            return {}
        codes = json.loads(file.read_text())["codes"]
        return {episode: code["event_id"] for episode, code in codes.items() if code["action"] != "void"}

    until_held(command, held, billing_topic.net_state)
