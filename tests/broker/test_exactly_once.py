"""Whatever happens to workers and broker: every code once, and every record accounted for.

After each test an independent recount over the input must agree with what a `read_committed` reader of the billing
topic holds, every revision chain must be gapless, no event may appear twice, and every unreadable record must be a
dead letter once, byte for byte. The input is the demonstration's health system: both CloudEvents modes, patient keys
and null keys, duplicates, late and shuffled events, corrections, voids and garbage.
"""

import asyncio
from pathlib import Path

import pytest

from streams.demo.health_system.generation import generate
from streams.local_kafka.local_broker import LocalKafka
from tests.fleet import Fleet, in_parts, pause, resume

pytestmark = pytest.mark.kafka

EPISODES = 1_500
RECORDS = generate(seed=9603, episodes=EPISODES).records


async def test_two_workers_share_the_work(fleet: Fleet) -> None:
    """Two workers have two tasks each, code everything, and stop in good order."""
    for worker in (fleet.start(), fleet.start()):
        await fleet.until_tasks(worker, 2)
    await fleet.send(RECORDS)
    await fleet.until_done()

    assert await asyncio.to_thread(fleet.stop_all) == [0, 0]
    counted = await fleet.recounted()
    assert min(counted.actions[action] for action in ("new", "replace", "void")) > 0
    assert sum(counted.dead_letters.values()) > 0


async def test_killed_in_the_middle(fleet: Fleet) -> None:
    """A worker that is killed in the middle of a backlog, twice, loses nothing and doubles nothing."""
    await fleet.send(RECORDS)
    for _ in range(2):
        victim = fleet.start()
        await fleet.until_working()
        victim.kill()
    fleet.start()
    await fleet.until_done()

    await fleet.recounted()


async def test_paused_past_the_session(fleet: Fleet) -> None:
    """A worker that wakes after another has taken over cannot commit what it had in hand."""
    zombie, survivor = fleet.start(), fleet.start()
    await fleet.until_tasks(zombie, 2)
    parts = in_parts(RECORDS, 3)
    await fleet.send(parts[0])
    await fleet.until_working()
    pause(zombie)
    await fleet.send(parts[1])
    await fleet.until_tasks(survivor, 4)
    await fleet.until_done()
    resume(zombie)
    await fleet.send(parts[2])
    await fleet.until_done()

    await fleet.recounted()


async def test_stopped_in_good_order_under_load(fleet: Fleet) -> None:
    """SIGTERM in the middle of a backlog: the step in hand is committed, the exit code is 0, the other goes on."""
    leaving = fleet.start()
    await fleet.send(RECORDS)
    await fleet.until_working()
    code = await asyncio.to_thread(leaving.stop)
    fleet.workers.remove(leaving)
    fleet.start()
    await fleet.until_done()

    assert code == 0, leaving.log_tail()
    await fleet.recounted()


async def test_broker_restarted_under_load(kafka: LocalKafka, fleet: Fleet) -> None:
    """A broker that goes away and comes back costs time, and at most a worker that its supervisor starts again."""
    fleet.start()
    fleet.start()
    parts = in_parts(RECORDS, 2)
    await fleet.send(parts[0])
    await fleet.until_working()
    await asyncio.to_thread(kafka.restart)
    await fleet.send(parts[1])
    await fleet.until_done()

    await fleet.recounted()


async def test_restored_from_nothing_but_the_log(fleet: Fleet, tmp_path: Path) -> None:
    """With every worker and all local state gone, the changelog is enough to correct what billing was told."""
    parts = in_parts(RECORDS, 2)
    first = fleet.start()
    await fleet.send(parts[0])
    await fleet.until_done()
    before = await fleet.recounted()
    first.kill()
    fleet.start(fleet.settings.model_copy(update={"data_dir": tmp_path / "elsewhere"}))
    await fleet.send(parts[1])
    await fleet.until_done()

    after = await fleet.recounted()
    assert after.actions["void"] > before.actions.get("void", 0)
    assert after.actions["replace"] > before.actions.get("replace", 0)


async def test_workers_come_and_go(fleet: Fleet) -> None:
    """Three workers on four tasks, one joining and one leaving in between: tasks stay in one piece."""
    parts = in_parts(RECORDS, 3)
    leaving = fleet.start()
    fleet.start()
    await fleet.send(parts[0])
    fleet.start()
    await fleet.send(parts[1])
    await fleet.until_done()
    code = await asyncio.to_thread(leaving.stop)
    fleet.workers.remove(leaving)
    await fleet.send(parts[2])
    await fleet.until_done()

    assert code == 0, leaving.log_tail()
    await fleet.recounted()
