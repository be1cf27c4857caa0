"""The policy of a running system is changed, as the documents say how: nothing is told until that is asked for."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from streams.cli.application import cli
from streams.demo.health_system.generation import generate
from streams.kafka.log_reader import read_log
from tests.fleet import Fleet

pytestmark = pytest.mark.kafka

BEFORE = 'id = "site"\nversion = "1"\n'
AFTER = 'id = "site"\nversion = "2"\n[improvement]\nthreshold = "points"\nvalue = "12"\n'


async def g9603(fleet: Fleet, *arguments: str) -> Result:
    environment = fleet.settings.environment()
    return await asyncio.to_thread(CliRunner().invoke, cli, list(arguments), env=environment)


async def told(fleet: Fleet, *arguments: str) -> Any:  # noqa: ANN401 - any JSON
    return json.loads((await g9603(fleet, *arguments, "--json")).stdout)


async def event_count(fleet: Fleet) -> int:
    return sum([len(records) async for records in read_log(fleet.connection, [fleet.topology.coding_events])])


async def restart(fleet: Fleet, policy: Path) -> None:
    assert await asyncio.to_thread(fleet.stop_all) == [0] * len(fleet.workers), fleet.logs()
    fleet.workers.clear()
    fleet.settings = fleet.settings.model_copy(update={"policy": policy})
    await fleet.until_tasks(fleet.start(), 4)


async def test_a_switch_of_the_policy(fleet: Fleet, tmp_path: Path) -> None:
    """What `policy diff` says beforehand is what billing is told when it is asked for; before that, nothing is."""
    before, after = tmp_path / "before.toml", tmp_path / "after.toml"
    before.write_text(BEFORE)
    after.write_text(AFTER)
    await restart(fleet, before)
    await fleet.send(generate(seed=5, episodes=150).records)
    await fleet.until_done()
    count = await event_count(fleet)
    foretold = (await told(fleet, "policy", "diff", str(before), str(after)))["switch"]

    await restart(fleet, after)
    waiting = await told(fleet, "reconcile", "--earlier-policy", str(before))
    assert (await event_count(fleet), waiting["agrees"]) == (count, True)
    assert waiting["by_earlier_policy"] > 0
    assert not (await told(fleet, "reconcile"))["agrees"]

    assert (await g9603(fleet, "policy", "redecide")).exit_code == 1, "it asks before, and nobody answers"
    assert await told(fleet, "policy", "redecide", "--yes") == {"partitions": 4}
    await fleet.until_done()
    done = await told(fleet, "reconcile")
    assert done["agrees"]
    assert await event_count(fleet) == count + sum(foretold[action] for action in ("new", "replace", "void"))
    assert await asyncio.to_thread(fleet.stop_all) == [0]
