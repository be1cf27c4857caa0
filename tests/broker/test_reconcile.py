"""`g9603 reconcile`, as a person or a scheduler runs it."""

import asyncio
import json
from collections.abc import Mapping

import pytest
from aiokafka import AIOKafkaConsumer
from typer.testing import CliRunner, Result

from streams.cli.application import cli
from streams.demo.health_system.generation import generate
from streams.replay import replaying
from tests.fleet import Fleet, in_parts
from tests.forgery import forge

pytestmark = pytest.mark.kafka

RECORDS = generate(seed=7, episodes=300).records


async def reconcile(fleet: Fleet, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, cli, ["reconcile", *arguments], env=fleet.settings.environment())


async def told(fleet: Fleet, *arguments: str) -> Mapping[str, object]:
    result = await reconcile(fleet, "--json", *arguments)
    assert result.exit_code in {0, 1}, result.output
    document: Mapping[str, object] = json.loads(result.stdout)
    assert document["agrees"] == (result.exit_code == 0)
    return document


async def test_one_changed_record_is_found(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is wrong before, while a worker runs and when it has stopped; then one event is forged, and named."""
    parts = in_parts(RECORDS, 2)
    fleet.start()
    await fleet.send(parts[0])
    await fleet.until_working()
    while_running = await told(fleet)
    await fleet.until_done()
    await asyncio.to_thread(fleet.stop_all)
    fleet.workers.clear()
    await fleet.send(parts[1])
    stopped = await told(fleet)
    monkeypatch.setattr(replaying, "_FEW_RECORDS", 0)
    in_processes = await told(fleet, "--processes", "2")
    lately = await told(fleet, "--since", "2020-01-01")

    assert while_running["agrees"]
    assert stopped == in_processes == lately
    assert stopped["agrees"]
    assert stopped["waiting"]["records"] == len(parts[1])  # type: ignore[index]

    episode_id = await forge(fleet.connection, fleet.topology.coding_events)
    forged = await told(fleet)

    assert (forged["different"], forged["missing"], forged["extra"]) == (
        {"count": 1, "first": [episode_id], "fields": {"charge": 1}},
        {"count": 0, "first": []},
        {"count": 0, "first": []},
    )
    for_people = await reconcile(fleet)
    assert (for_people.exit_code, f"different: {episode_id}" in for_people.stdout) == (1, True)


async def test_without_topics_there_is_nothing_to_say(fleet: Fleet) -> None:
    """They are not made by looking for them, and their names are told."""
    elsewhere = fleet.settings.model_copy(update={"topic_prefix": "nowhere-"})
    result = await asyncio.to_thread(CliRunner().invoke, cli, ["reconcile"], env=elsewhere.environment())

    assert result.exit_code == 78
    assert "nowhere-survey-completed, nowhere-treatment-recorded" in result.output
    async with AIOKafkaConsumer(**fleet.connection) as consumer:
        assert not {topic for topic in await consumer.topics() if topic.startswith("nowhere-")}
