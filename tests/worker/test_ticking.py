"""Time in a worker: when a tick is sent, what it is read after, and that its work goes on without records."""

import pytest

from streams.processing import stream_task
from streams.worker.ticking import TickSchedule
from tests.care import baseline, episodes_at_home_in, follow_up, treatment
from tests.driver import TOPOLOGY, TopicsInMemory, WorkerDriver, at_rest, until
from tests.policies_for_tests import POLICIES

CLOSED_MS = 1_800_000_000_000
"""Some day in 2027: long after the windows of `tests.care`."""


def test_a_tick_is_sent_at_once_and_then_now_and_then() -> None:
    """To what is new here at once; what went and came back is new."""
    schedule = TickSchedule(10.0)
    assert schedule.due({0, 1}, now=5.0) == [0, 1]
    schedule.sent(0, 5.0)
    schedule.sent(1, 6.0)

    assert schedule.due({0, 1, 2}, now=14.0) == [2]
    assert schedule.due({0, 1}, now=15.0) == [0]
    assert schedule.due({1}, now=16.0) == [1]
    assert schedule.due({0}, now=16.0) == [0]


@pytest.fixture
async def topics() -> TopicsInMemory:
    """Topics of one partition, under a policy that asks for time."""
    return TopicsInMemory(task_count=1, policy=POLICIES["all three"])


def send(topics: TopicsInMemory, count: int) -> None:
    """Send *count* episodes without a follow-up."""
    for number, episode_id in zip(range(count), episodes_at_home_in(0, task_count=1), strict=False):
        for message in (baseline(episode_id), treatment(episode_id)):
            topics.send(message.kind, 0, message.value, timestamp_ms=number)


def tick(topics: TopicsInMemory) -> None:
    """Say that the windows have closed."""
    topics.send(TOPOLOGY.ticks, 0, b"", timestamp_ms=CLOSED_MS)


def coded(topics: TopicsInMemory) -> list[str]:
    return [
        "G9604" if b'"code":"G9604"' in (record.value or b"") else "G9603"
        for record in topics.records(TOPOLOGY.coding_events)
    ]


async def test_the_work_of_a_tick_goes_on_without_records(
    topics: TopicsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many episodes whose windows have closed a step takes some; the next ones come by themselves."""
    monkeypatch.setattr(stream_task, "_LOOKS_A_STEP", 2)
    send(topics, count=5)
    driver = WorkerDriver(topics)
    await driver.rebalance(0)
    await driver.drain()
    tick(topics)
    await driver.deliver()
    await driver.until_committed()

    assert coded(topics) == ["G9604"] * 5
    assert max(len(output.codings) for step in topics.steps for output in step.outputs) == 2
    await at_rest(topics)
    assert not driver.manager.tasks[0].is_behind_time


async def test_time_stands_still_for_a_task_that_is_behind(topics: TopicsInMemory) -> None:
    """A tick is read after the facts before it, so no window closes on a follow-up that lies there unread."""
    send(topics, count=1)
    tick(topics)
    episode_id = next(episodes_at_home_in(0, task_count=1))
    topics.send(TOPOLOGY.survey_completed, 0, follow_up(episode_id).value, timestamp_ms=CLOSED_MS - 1)
    driver = WorkerDriver(topics)
    await driver.rebalance(0)
    await driver.deliver(records_max=1)
    await at_rest(topics)
    assert driver.manager.tasks[0].time.as_of_ms == 0

    await driver.drain()
    await until(lambda: driver.manager.tasks[0].time.as_of_ms > 0)
    assert coded(topics) == ["G9603"]


async def test_the_time_outlives_a_worker(topics: TopicsInMemory) -> None:
    """A window that has closed stays closed for the next worker, before it has read a tick of its own."""
    send(topics, count=1)
    tick(topics)
    first = WorkerDriver(topics)
    await first.rebalance(0)
    await first.drain()
    second = WorkerDriver(topics)
    await second.rebalance(0)
    topics.send(TOPOLOGY.treatment_recorded, 0, treatment("E1", version=2).value, timestamp_ms=CLOSED_MS + 1)
    await second.drain()

    assert second.manager.tasks[0].time.as_of_ms > 0
    assert coded(topics) == ["G9604"]
