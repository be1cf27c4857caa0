"""Time on a real Kafka: a window closes, and what comes late replaces; an episode is forgotten, and stays so."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from streams.cli.application import cli
from streams.instruments.registry import load_registry
from streams.kafka.connection import client_options
from streams.kafka.group_lag import GroupLag
from streams.kafka.log_reader import read_log
from streams.policies.policy_loading import load_policy
from streams.processing.dead_letter_source import letter_source
from tests.care import Message, baseline, care, follow_up, treatment
from tests.fleet import Fleet

pytestmark = pytest.mark.kafka

POLICY = """
id = "all"
version = "1"
published_codes = ["G9603", "G9604", "G9605"]
retention_days = 455
"""
OFTEN: Mapping[str, float] = {"tick_interval_seconds": 0.2, "tick_check_seconds": 0.2}
NOW_MS = time.time_ns() // 1_000_000
LONG_AGO_MS = NOW_MS - 456 * 86_400_000


async def send(fleet: Fleet, messages: Iterable[Message], timestamp_ms: int = NOW_MS) -> None:
    async with AIOKafkaProducer(**client_options(fleet.connection)) as producer:
        for message in messages:
            topic = f"{fleet.settings.topic_prefix}{message.kind}"
            key = message.episode_id.encode()
            await producer.send(topic, message.value, key=key, timestamp_ms=timestamp_ms)
        await producer.flush()


async def send_tick_of_a_wrong_clock(fleet: Fleet) -> None:
    """From a machine that believes it to be a century later; the broker does not."""
    async with AIOKafkaProducer(**client_options(fleet.connection)) as producer:
        told = await producer.send_and_wait(
            fleet.topology.ticks, b"", partition=0, timestamp_ms=NOW_MS + 100 * 365 * 86_400_000
        )
    assert told.timestamp < NOW_MS + 3_600_000


async def events(fleet: Fleet, episode_id: str) -> list[dict[str, Any]]:
    told = [r async for records in read_log(fleet.connection, [fleet.topology.coding_events]) for r in records]
    return [orjson.loads(record.value or b"") for record in told if record.key == episode_id.encode()]


async def letters(fleet: Fleet) -> list[str]:
    told = [r async for records in read_log(fleet.connection, [fleet.topology.dead_letter]) for r in records]
    return [source.reason for record in told if (source := letter_source(record.headers)) is not None]


async def g9603(fleet: Fleet, *arguments: str) -> Result:
    environment = fleet.settings.environment()
    return await asyncio.to_thread(CliRunner().invoke, cli, list(arguments), env=environment)


async def test_a_window_closes_and_an_episode_is_forgotten(fleet: Fleet, tmp_path: Path) -> None:
    """By ticks that the worker sends and the brokers stamp; the recount agrees to the last event."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    fleet.settings = fleet.settings.model_copy(update={"policy": policy})
    fleet.policy = load_policy(policy, load_registry())
    await fleet.create_topics(partitions=2)
    await send(fleet, [baseline("waits"), treatment("waits")])
    await send(fleet, care("silent"), LONG_AGO_MS)
    await send_tick_of_a_wrong_clock(fleet)
    fleet.start_faulty(tuning=OFTEN)

    async def has_closed(_lag: GroupLag) -> bool:
        return [event["code"] for event in await events(fleet, "waits")] == ["G9604"]

    async def is_forgotten(_lag: GroupLag) -> bool:
        await send(fleet, [follow_up("silent", version=2, score="1")], LONG_AGO_MS)
        return await letters(fleet) != []

    await fleet.until(has_closed, "the window has closed")
    await send(fleet, [follow_up("waits")])
    await fleet.until(is_forgotten, "the episode is forgotten")
    await fleet.until_done()

    told = await events(fleet, "waits")
    assert [(event["action"], event["code"]) for event in told] == [("new", "G9604"), ("replace", "G9603")]
    assert {event["code"] for event in await events(fleet, "silent")} == {"G9603"}
    assert set(await letters(fleet)) == {"episode_forgotten"}
    await fleet.recounted()
    assert json.loads((await g9603(fleet, "reconcile", "--json")).stdout)["agrees"]
    assert "is forgotten" in (await g9603(fleet, "explain", "silent")).stderr
    assert json.loads((await g9603(fleet, "explain", "waits", "--json")).stdout)["ledger"]["agrees"]
