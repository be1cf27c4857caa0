"""Whoever reads the billing topic, in whatever language, holds what it says: also when killed in between.

The consumers are those of examples/billing-consumer, as their page says to run them.
"""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from streams.billing.engine import open_database
from streams.billing.tables import CODING_EVENT, STANDING_CODE
from streams.demo.health_system.generation import generate
from streams.kafka.log_reader import read_log
from streams.local_kafka.java import find_java
from streams.local_kafka.kafka_jars import KAFKA_VERSION, fetch_kafka_jars
from streams.local_kafka.local_broker import LocalKafka
from streams.local_kafka.maven import default_cache_dir
from tests.billing_consumer import billed
from tests.fleet import Fleet
from tests.postgresql import running_postgresql

pytestmark = pytest.mark.kafka

G9603 = (sys.executable, "-m", "streams")
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
        self.event_count = sum(map(len, told.values()))
        standing = {episode: billed(events) for episode, events in told.items()}
        assert {"new", "replace", "void"} == {event["action"] for events in told.values() for event in events}
        return {episode: event["event_id"] for episode, event in standing.items() if event is not None}


@pytest.fixture(scope="module")
def billing_topic(kafka: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> BillingTopic:
    """Told once for all consumers."""
    return BillingTopic(kafka, tmp_path_factory.mktemp("workers"))


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The URL of an empty PostgreSQL. A socket's path is short: pytest's own folders are too deep."""
    with tempfile.TemporaryDirectory(prefix="g9603-") as folder, running_postgresql(Path(folder)) as url:
        yield url


def until_held(command: Sequence[str], held: Callable[[], Held], wanted: Held) -> None:
    """Run *command*, kill it as soon as it holds anything, and run it again until it holds what is *wanted*."""
    run_until(command, lambda: bool(held()))
    run_until(command, lambda: held() == wanted)


def run_until(
    command: Sequence[str],
    condition: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
    *,
    ending: signal.Signals = signal.SIGKILL,
) -> int:
    """Run *command*, which does not end by itself, until *condition* holds, then end it; its exit code."""
    consumer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not condition():
            assert consumer.poll() is None, consumer.stderr and consumer.stderr.read()
            assert time.monotonic() < deadline, "it does not come to hold what it should"
            time.sleep(POLL_SECONDS)
    finally:
        consumer.send_signal(ending)
        consumer.communicate()
    return consumer.returncode


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


class Sink:
    """`g9603 billing sink` with a database, which writes few events at a time, so that it can be killed in between.

    Args:
        topic: What it reads.
        url: The database.
    """

    def __init__(self, topic: BillingTopic, url: str) -> None:
        settings = topic.fleet.settings.model_copy(update={"billing_database": SecretStr(url)})
        self.environment = {**os.environ, **settings.environment()}
        self._engine = open_database(url)

    def held(self) -> Held:
        """The standing event of each episode that has one."""
        active = select(STANDING_CODE).where(STANDING_CODE.c.action != "void")
        with self._engine.begin() as connection:
            return {row.episode_id: row.event_id for row in connection.execute(active)}

    def close(self) -> None:
        """Leave the database."""
        self._engine.dispose()

    def event_count(self) -> int:
        """How many events were written."""
        with self._engine.begin() as connection:
            return connection.scalar(select(func.count()).select_from(CODING_EVENT)) or 0


KILLS = 3
SINK = (sys.executable, str(Path(__file__).parents[1] / "slow_sink.py"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_sink(billing_topic: BillingTopic, postgresql: str, tmp_path: Path, kind: str) -> None:
    """Killed again and again while it writes, in the end it holds what billing was told, and each event once."""
    url = postgresql if kind == "postgresql" else f"sqlite:///{tmp_path / 'billing.sqlite'}"
    chance = random.Random(kind)  # noqa: S311 - not a secret
    with closing(Sink(billing_topic, url)) as sink:
        for _ in range(KILLS):
            wanted = sink.event_count() + chance.randint(1, billing_topic.event_count // (2 * KILLS))
            run_until(SINK, lambda: sink.event_count() >= wanted, sink.environment)  # noqa: B023 - it has ended by then
        wanted = sink.event_count() + 1
        assert run_until(SINK, lambda: sink.event_count() >= wanted, sink.environment, ending=signal.SIGTERM) == 0
        assert sink.event_count() < billing_topic.event_count
        told = subprocess.check_output((*G9603, "billing", "sink", "--once", "--json"), env=sink.environment)

        assert json.loads(told)["written"] > 0
        assert sink.held() == billing_topic.net_state
        assert sink.event_count() == billing_topic.event_count
