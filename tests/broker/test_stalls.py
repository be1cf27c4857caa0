"""A worker that is alive and does nothing ends, and says what does not move; and no failure goes on in silence."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from streams.demo.health_system.generation import generate
from streams.local_kafka.local_broker import LocalKafka
from streams.worker.ending import EXIT_DOUBT
from tests.fleet import Fleet

pytestmark = pytest.mark.kafka

RECORDS = generate(seed=1, episodes=20).records
TASKS = 4


@pytest.fixture
async def fleet(kafka: LocalKafka, fresh_prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """An application of its own; its workers end with the test."""
    fleet = Fleet(kafka, fresh_prefix, tmp_path)
    await fleet.create_topics(TASKS)
    yield fleet
    for worker in fleet.workers:
        worker.kill()


def last_line(log: str) -> dict[str, Any]:
    """The last word of a worker."""
    line: dict[str, Any] = json.loads(log.splitlines()[-1])
    return line


@pytest.mark.parametrize(
    ("fault", "patience", "stall", "place"),
    [
        ("blocks", {"loop_stall_seconds": 3}, "event-loop-blocked", "in block"),
        ("is-never-answered", {"step_stall_seconds": 3}, "no-step-committed", "in never"),
        ("holds-restores", {"restore_stall_seconds": 2, "loop_stall_seconds": 2}, "restore-without-progress", "held"),
    ],
)
async def test_a_stuck_worker_ends(
    fleet: Fleet, fault: str, patience: dict[str, float], stall: str, place: str
) -> None:
    """The last line says which stall it was; before it stands where in the code, and nothing of any patient."""
    worker = fleet.start_faulty(fault, tuning=patience)
    await fleet.send(RECORDS)

    assert await fleet.ended(worker) == EXIT_DOUBT
    log = worker.log_text()
    assert last_line(log)["error"].startswith(f"StalledError: {stall}, for ")
    assert place in log
    assert "EP-" not in log


@pytest.mark.parametrize(
    ("fault", "stall"),
    [("never-rejoins", "rebalance-without-end"), ("never-begins-rejoining", "rejoin-not-begun")],
)
async def test_a_worker_that_does_not_rejoin_ends(fleet: Fleet, fault: str, stall: str) -> None:
    """A consumer can stay in a group and take no part in its rebalances: nobody would have the worker's partitions."""
    worker = fleet.start_faulty(fault, tuning={"rebalance_stall_seconds": 8, "rejoin_stall_seconds": 4})
    await fleet.until_tasks(worker, TASKS)
    fleet.start()

    assert await fleet.ended(worker) == EXIT_DOUBT
    assert last_line(worker.log_text())["error"].startswith(f"StalledError: {stall}, for ")


@pytest.mark.parametrize(
    "fault", ["agent-fails", "fetch-fails", "restore-fails", "producer-fails", "step-fails", "revocation-fails"]
)
async def test_any_failure_ends_the_process(fleet: Fleet, fault: str) -> None:
    """Wherever it happens: in the agent, the fetching, the restore, the producer's own task, a step, a rebalance."""
    worker = fleet.start_faulty(fault)
    await fleet.send(RECORDS)
    if fault == "revocation-fails":
        await fleet.until_tasks(worker, TASKS)
        fleet.start()

    assert await fleet.ended(worker) == EXIT_DOUBT
    assert last_line(worker.log_text())["event"] == "worker_failed"
    assert "FaultError" in last_line(worker.log_text())["error"]
    assert last_line(worker.log_text())["then"].startswith("Start it again")


async def test_the_membership_outlives_a_long_restore(fleet: Fleet) -> None:
    """Heartbeats go on while state is restored: a restore longer than the session, and than any poll interval, ends."""
    session_seconds = 6.0  # the least that a broker allows by default
    worker = fleet.start_faulty("holds-restores", tuning={"session_timeout_seconds": session_seconds})
    await fleet.until_logged(worker, "restore_held")
    await fleet.send(RECORDS)
    await asyncio.sleep(2 * session_seconds)  # the time itself is what is tested

    fleet.release.touch()
    await fleet.until_done()

    assert worker.log_text().count("restore_held") == 1, "the worker was thrown out, and began again"
    await fleet.recounted()
