"""A worker's place in its group (KIP-345): what a quick restart moves, and a stop; two workers in one place."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from streams.demo.health_system.generation import generate
from streams.demo.worker_process import WorkerProcess
from streams.local_kafka.local_broker import LocalKafka
from streams.worker.ending import EXIT_DOUBT
from tests.fleet import Fleet, in_parts

pytestmark = pytest.mark.kafka

RECORDS = generate(seed=345, episodes=200).records
TASKS = 4
LONG_SESSION: Mapping[str, float] = {"session_timeout_seconds": 300.0, "consumer_request_timeout_seconds": 310.0}
"""Longer than any test: what happens within it, happens without waiting for it."""


@pytest.fixture
async def fleet(each_kafka: LocalKafka, fresh_prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """An application of its own; its workers end with the test."""
    fleet = Fleet(each_kafka, fresh_prefix, tmp_path)
    await fleet.create_topics(TASKS)
    yield fleet
    for worker in fleet.workers:
        worker.kill()


def generations(worker: WorkerProcess) -> list[int]:
    """The generation of each of its assignments."""
    told = [json.loads(line) for line in worker.log_text().splitlines() if line.startswith("{")]
    return [line["generation"] for line in told if line["event"] == "tasks_assigned"]


async def two_workers(fleet: Fleet) -> tuple[WorkerProcess, WorkerProcess]:
    """Two workers with two tasks each."""
    first = fleet.start_faulty(tuning=LONG_SESSION)
    await fleet.until_tasks(first, TASKS)
    second = fleet.start_faulty(tuning=LONG_SESSION)
    for worker in (first, second):
        await fleet.until_tasks(worker, TASKS // 2)
    return first, second


async def test_a_quick_restart_moves_nothing(fleet: Fleet) -> None:
    """A worker that is killed and comes back has its tasks, in the same generation; the other does not notice."""
    killed, other = await two_workers(fleet)
    parts = in_parts(RECORDS, 2)
    await fleet.send(parts[0])
    await fleet.until_working()
    before = generations(other)
    killed.kill()
    back = fleet.start_faulty(tuning=LONG_SESSION)
    await fleet.until_tasks(back, TASKS // 2)
    await fleet.send(parts[1])
    await fleet.until_done()

    assert generations(other) == before
    assert generations(back) == before[-1:]
    await fleet.recounted()


async def test_a_stop_gives_the_tasks_to_others_at_once(fleet: Fleet) -> None:
    """SIGTERM leaves the group: nobody waits for the session to end."""
    leaving, other = await two_workers(fleet)
    await fleet.send(RECORDS)

    assert leaving.stop() == 0
    fleet.workers.remove(leaving)
    await fleet.until_tasks(other, TASKS)
    await fleet.until_done()
    await fleet.recounted()


async def test_a_stop_that_keeps_its_place_moves_nothing(fleet: Fleet) -> None:
    """With G9603_LEAVE_GROUP=false a rolling restart is a pause of one worker's tasks, and of no other's."""
    fleet.settings = fleet.settings.model_copy(update={"leave_group": False})
    stopped, other = await two_workers(fleet)
    before = generations(other)

    assert stopped.stop() == 0
    fleet.workers.remove(stopped)
    back = fleet.start_faulty(tuning=LONG_SESSION)
    await fleet.until_tasks(back, TASKS // 2)
    await fleet.send(RECORDS)
    await fleet.until_done()

    assert generations(other) == before
    assert generations(back) == before[-1:]
    await fleet.recounted()


async def test_of_two_workers_in_one_place_the_older_ends(fleet: Fleet, tmp_path: Path) -> None:
    """It does not throw the newer out in its turn; its last line says what to do."""
    older = fleet.start_faulty(tuning=LONG_SESSION)
    await fleet.until_tasks(older, TASKS)
    elsewhere = fleet.settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    newer = fleet.start_faulty(settings=elsewhere, tuning=LONG_SESSION)

    assert await fleet.ended(older) == EXIT_DOUBT
    assert "does not know this worker any more" in older.log_tail()
    assert "must have a host name of its own" in older.log_tail()
    await fleet.until_tasks(newer, TASKS)
    await fleet.send(RECORDS)
    await fleet.until_done()
    await fleet.recounted()
