"""The task manager without a broker: what goes into a step, and what a rebalance or a failure does to it."""

import asyncio
from collections.abc import Iterable
from itertools import islice

import orjson
import pytest

from schemas.vocabulary import RecordStatus
from streams.processing.changelog import POSITIONS_KEY, decode_positions
from streams.processing.topology import InputKind
from streams.worker.inbox import Backlog
from streams.worker.step import Generation, TopicPartition
from streams.worker.task_progress import Phase
from streams.worker.tuning import Tuning
from tests.care import Message, baseline, care, episodes_at_home_in, follow_up, treatment
from tests.driver import TOPOLOGY, TopicsInMemory, WorkerDriver, at_rest, finishes, until
from tests.tasks_in_memory import NothingMore

TASKS = 2
SURVEYS, TREATMENTS = TOPOLOGY.survey_completed, TOPOLOGY.treatment_recorded


@pytest.fixture
async def topics() -> TopicsInMemory:
    """Topics of two partitions."""
    return TopicsInMemory(task_count=TASKS)


def episodes(count: int, *, partition: int) -> list[str]:
    """Ids of episodes at home in *partition*."""
    return list(islice(episodes_at_home_in(partition, task_count=TASKS), count))


def send(topics: TopicsInMemory, partition: int, messages: Iterable[Message]) -> None:
    for message in messages:
        topics.send(message.kind, partition, message.value)


def send_care(topics: TopicsInMemory, partition: int, *, count: int = 1) -> list[str]:
    """Send all that earns *count* episodes a code, to their home."""
    ids = episodes(count, partition=partition)
    send(topics, partition, [message for episode_id in ids for message in care(episode_id)])
    return ids


def coded(topics: TopicsInMemory) -> list[str]:
    """The episode of each coding event."""
    return [orjson.loads(record.value or b"")["episode_id"] for record in topics.records(TOPOLOGY.coding_events)]


def phase(driver: WorkerDriver) -> Phase:
    """What the worker is about."""
    return driver.manager.progress.phase


async def working(topics: TopicsInMemory, *partitions: int) -> WorkerDriver:
    """A worker that has *partitions* as of a new generation."""
    driver = WorkerDriver(topics)
    await driver.rebalance(*partitions)
    return driver


# ---------------------------------------------------------------------------------------------
# Steps
# ---------------------------------------------------------------------------------------------
async def test_a_step_holds_the_records_and_the_offsets_behind_them(topics: TopicsInMemory) -> None:
    """What was read of all partitions goes out in one step: events, state, positions and offsets."""
    ids = {*send_care(topics, 0), *send_care(topics, 1)}
    driver = await working(topics, 0, 1)

    await driver.deliver()
    await driver.until_committed()

    (step,) = topics.steps
    assert step.generation == Generation(1, driver.member_id)
    assert step.next_offsets == {
        TopicPartition(topic, partition): count
        for partition in range(TASKS)
        for topic, count in ((SURVEYS, 2), (TREATMENTS, 1))
    }
    assert set(coded(topics)) == ids
    for partition in range(TASKS):
        *_, last = topics.log[TopicPartition(TOPOLOGY.episodes_changelog, partition)]
        assert last.key == POSITIONS_KEY
        assert decode_positions(last.value or b"").next_offsets == {SURVEYS: 2, TREATMENTS: 1}


async def test_what_comes_while_a_step_commits_waits_for_one_step(topics: TopicsInMemory) -> None:
    """Steps grow with the backlog: while one commits and the next waits, all that comes is one more."""
    driver = await working(topics, 0)
    driver.writer.may_commit.clear()
    send(topics, 0, [follow_up(episode_id) for episode_id in episodes(10, partition=0)])
    for _ in range(2):
        await driver.deliver(records_max=1)
        await at_rest(topics)
    for _ in range(8):
        await driver.deliver(records_max=1)

    driver.writer.may_commit.set()
    await driver.until_committed()

    assert [step.next_offsets[TopicPartition(SURVEYS, 0)] for step in topics.steps] == [1, 2, 10]


async def test_a_record_away_from_home_is_coded_at_home(topics: TopicsInMemory) -> None:
    """What lies in another partition than its episode's travels through the re-key topic, and is joined."""
    (episode_id,) = episodes(1, partition=1)
    send(topics, 0, care(episode_id))
    driver = await working(topics, 0, 1)

    await driver.drain()

    assert coded(topics) == [episode_id]
    assert {record.partition for record in topics.records(TOPOLOGY.episodes_rekey)} == {1}


async def test_a_record_delivered_twice_is_processed_once(topics: TopicsInMemory) -> None:
    """A run that is fetched again, whole or in part, adds nothing: not a record, not a dead letter."""
    send(topics, 0, [*care(*episodes(1, partition=0)), Message("", InputKind.SURVEY, b"no JSON")])
    driver = await working(topics, 0)
    await driver.drain()
    surveys = topics.log[TopicPartition(SURVEYS, 0)]

    await driver.manager.receive(TopicPartition(SURVEYS, 0), surveys, generation_id=1)
    send(topics, 0, [follow_up(episodes(1, partition=0)[0], version=2, score="1")])
    await driver.manager.receive(TopicPartition(SURVEYS, 0), surveys[1:], generation_id=1)
    await until(lambda: topics.committed()[TopicPartition(SURVEYS, 0)] == len(surveys))

    outputs = [output for step in topics.steps for output in step.outputs]
    assert sum(output.consumed.total() for output in outputs) == len(surveys) + 1
    assert sum(len(output.codings) for output in outputs) == 2
    assert len(topics.records(TOPOLOGY.dead_letter)) == 1


# ---------------------------------------------------------------------------------------------
# Two topics in step
# ---------------------------------------------------------------------------------------------
async def replayed(topics: TopicsInMemory, backlog: Backlog | None = None) -> list[str]:
    """The actions that billing is told where all surveys are at hand, and treatments come one by one.

    Each treatment was entered in error, which was known before its follow-up was answered.
    """
    for hour, episode_id in enumerate(episodes(5, partition=0)):
        void = treatment(episode_id, version=2, status=RecordStatus.ENTERED_IN_ERROR)
        for minute, message in enumerate((baseline(episode_id), treatment(episode_id), void, follow_up(episode_id))):
            topics.send(message.kind, 0, message.value, timestamp_ms=60 * hour + minute)
    driver = WorkerDriver(topics, Tuning(linger_seconds=0, inbox_records_max=2), backlog=backlog)
    await driver.rebalance(0)
    surveys, treatments = TopicPartition(SURVEYS, 0), TopicPartition(TREATMENTS, 0)
    await finishes(driver.manager.receive(surveys, topics.log[surveys], generation_id=1))
    for record in topics.log[treatments]:
        await at_rest(topics)
        await finishes(driver.manager.receive(treatments, [record], generation_id=1))
    await until(lambda: topics.committed() == {source: len(topics.log[source]) for source in (surveys, treatments)})
    return [orjson.loads(record.value or b"")["action"] for record in topics.records(TOPOLOGY.coding_events)]


async def test_a_replay_publishes_nothing_that_it_takes_back(topics: TopicsInMemory) -> None:
    """Topics are read in step, however unequal their paces: billing is told of nothing that was never so."""
    assert await replayed(topics) == []


async def test_out_of_step_a_replay_would(topics: TopicsInMemory) -> None:
    """The same history where nothing is known of what is still to be read: right in the end, and noisy."""
    assert await replayed(topics, NothingMore()) == ["new", "void"] * 5


async def test_of_what_waits_no_more_is_asked(topics: TopicsInMemory) -> None:
    """Records that wait for the other topic are left with the client beyond a number, and those of no other source."""
    for number, episode_id in enumerate(episodes(3, partition=0)):
        topics.send(SURVEYS, 0, baseline(episode_id).value, timestamp_ms=number)
    topics.send(TREATMENTS, 0, treatment("E1").value)
    driver = WorkerDriver(topics, Tuning(linger_seconds=0, source_records_max=3))
    await driver.rebalance(0)
    source = TopicPartition(SURVEYS, 0)

    await driver.manager.receive(source, topics.log[source][:2], generation_id=1)
    assert driver.manager.supplied() == set()
    await driver.manager.receive(source, topics.log[source][2:], generation_id=1)
    assert driver.manager.supplied() == {source}

    await driver.deliver()
    await driver.until_committed()
    assert driver.manager.supplied() == set()


# ---------------------------------------------------------------------------------------------
# Rebalances
# ---------------------------------------------------------------------------------------------
async def test_revoke_finishes_what_was_begun_and_drops_the_rest(topics: TopicsInMemory) -> None:
    """The step in hand is committed before the tasks are let go; what waits in the inbox is forgotten."""
    send(topics, 0, [follow_up(episode_id) for episode_id in episodes(3, partition=0)])
    driver = await working(topics, 0)
    driver.writer.may_commit.clear()
    for _ in range(3):  # one step commits, one waits to be committed, one record is not begun
        await driver.deliver(records_max=1)
        await at_rest(topics)

    revoking = asyncio.create_task(driver.revoke())
    await at_rest(topics)
    assert not revoking.done()
    driver.writer.may_commit.set()
    await finishes(revoking)

    assert driver.manager.tasks.keys() == frozenset()
    assert topics.committed() == {TopicPartition(SURVEYS, 0): 2}
    await at_rest(topics)
    assert topics.committed() == {TopicPartition(SURVEYS, 0): 2}


async def test_the_next_generation_keeps_its_tasks_and_reads_what_was_dropped(topics: TopicsInMemory) -> None:
    """Parked tasks that come back in the very next generation are not restored, and nothing is left out."""
    (episode_id,) = send_care(topics, 0)
    driver = await working(topics, 0)
    await driver.deliver(records_max=1)
    await driver.rebalance(0)
    topics.restored.clear()

    await driver.rebalance(0)
    await driver.drain()

    assert topics.restored == []
    assert coded(topics) == [episode_id]


async def test_only_what_was_not_here_is_restored(topics: TopicsInMemory) -> None:
    """A partition that is new to the worker comes from the changelog, one that it had does not."""
    driver = await working(topics, 0)
    await driver.rebalance(0, 1)
    assert topics.restored == [{0}, {1}]
    assert driver.manager.tasks.keys() == {0, 1}


async def test_a_later_generation_restores(topics: TopicsInMemory) -> None:
    """A worker that missed a generation restores all: another may have had its tasks meanwhile."""
    (episode_id,) = send_care(topics, 0)
    first = await working(topics, 0)
    await first.revoke()
    second = await working(topics, 0)
    await second.drain()
    topics.restored.clear()

    await first.rebalance(0)
    send(topics, 0, [follow_up(episode_id, version=2, score="1")])
    await first.drain()

    assert topics.restored == [{0}]
    events = [orjson.loads(record.value or b"") for record in topics.records(TOPOLOGY.coding_events)]
    assert [(event["revision"], event["action"]) for event in events] == [(1, "new"), (2, "replace")]


async def test_another_member_restores(topics: TopicsInMemory) -> None:
    """Under a new member id the worker is somebody else to the group, and what it parked is void."""
    driver = await working(topics, 0)
    await driver.revoke()
    driver.member_id = "joined-anew"
    await driver.rebalance(0)
    assert topics.restored == [{0}, {0}]


async def test_a_restore_runs_in_the_background_and_a_rebalance_breaks_it_off(topics: TopicsInMemory) -> None:
    """What is not there yet takes nothing in; the rebalance does not wait for it, and what was kept stays kept."""
    driver = await working(topics, 0)
    await driver.revoke()
    topics.may_restore.clear()
    driver.manager.begin_assignment(Generation(2, driver.member_id), {0, 1})
    await until(lambda: topics.restored[-1] == {1})
    assert phase(driver) is Phase.RESTORING
    assert driver.manager.tasks.keys() == frozenset()

    await finishes(driver.revoke())
    assert phase(driver) is Phase.REBALANCING
    topics.may_restore.set()
    driver.manager.begin_assignment(Generation(3, driver.member_id), {0, 1})
    await finishes(driver.manager.until_assigned())

    assert phase(driver) is Phase.WORKING
    assert driver.manager.tasks.keys() == {0, 1}
    assert topics.restored == [{0}, {1}, {1}]  # 0 was this member's in all three generations


async def test_who_waits_for_tasks_waits_through_a_rebalance(topics: TopicsInMemory) -> None:
    """The flow is resumed for the tasks that are here in the end, not for those of a restore that was broken off."""
    driver = WorkerDriver(topics)
    topics.may_restore.clear()
    driver.manager.begin_assignment(Generation(1, driver.member_id), {0})
    waiting = asyncio.create_task(driver.manager.until_assigned())
    await until(lambda: topics.restored == [{0}])

    await finishes(driver.revoke())
    await at_rest(topics)
    assert not waiting.done()
    topics.may_restore.set()
    driver.manager.begin_assignment(Generation(2, driver.member_id), {0})
    await finishes(waiting)


async def test_a_restore_that_fails_ends_the_worker(topics: TopicsInMemory) -> None:
    """Nobody awaits it, so it must tell."""
    driver = WorkerDriver(topics)
    topics.fault = ConnectionError("the changelog cannot be read")
    driver.manager.begin_assignment(Generation(1, driver.member_id), {0})
    await until(lambda: bool(driver.failures))
    assert driver.failures[0].args == ("the changelog cannot be read",)


async def test_a_rejoin_that_changes_nothing_restores_nothing(topics: TopicsInMemory) -> None:
    """A static member may be given its tasks back in the generation in which it had them."""
    (episode_id,) = send_care(topics, 0)
    driver = await working(topics, 0)
    await driver.revoke()
    await driver.assign(0)
    await driver.drain()

    assert topics.restored == [{0}]
    assert coded(topics) == [episode_id]


async def test_parked_tasks_are_kept_for_one_generation(topics: TopicsInMemory) -> None:
    """A task that went to another and comes back later is restored, though this worker once had it."""
    driver = await working(topics, 0, 1)
    await driver.rebalance(0)
    await driver.rebalance(0, 1)
    assert topics.restored == [{0, 1}, {1}]


async def test_records_of_another_generation_are_dropped(topics: TopicsInMemory) -> None:
    """What was fetched before the rebalance, and handed over after it, does not count; it is fetched again."""
    send_care(topics, 0)
    driver = await working(topics, 0)
    await driver.rebalance(0)
    fetched = topics.log[TopicPartition(SURVEYS, 0)]

    await driver.manager.receive(TopicPartition(SURVEYS, 0), fetched, generation_id=1)
    await at_rest(topics)
    assert topics.steps == []

    await driver.drain()
    assert len(coded(topics)) == 1


async def test_records_of_a_partition_that_is_not_here_are_dropped(topics: TopicsInMemory) -> None:
    """A run of a partition without a task here leads to nothing."""
    send_care(topics, 1)
    driver = await working(topics, 0)
    source = TopicPartition(SURVEYS, 1)
    await driver.manager.receive(source, topics.log[source], generation_id=1)
    await at_rest(topics)
    assert topics.steps == []
    assert driver.failures == []


# ---------------------------------------------------------------------------------------------
# Failures
# ---------------------------------------------------------------------------------------------
async def test_nothing_is_written_after_a_write_that_failed(topics: TopicsInMemory) -> None:
    """The outcome of a failed write is not known: the failure is told, and no later step is tried."""
    send(topics, 0, [follow_up(episode_id) for episode_id in episodes(3, partition=0)])
    driver = await working(topics, 0)
    driver.writer.fault = ConnectionError("the broker is gone")
    await driver.deliver(records_max=1)
    await driver.until_committed()

    driver.writer.fault = None
    await driver.deliver()
    await at_rest(topics)

    assert driver.failures[0].args == ("the broker is gone",)
    assert topics.steps == []


async def test_a_worker_that_was_left_behind_fails(topics: TopicsInMemory) -> None:
    """A step is written in the name of the generation that its records were fetched in, not of a later one."""
    send_care(topics, 0)
    driver = await working(topics, 0)
    topics.generation_id += 1  # a rebalance that the worker has not been told of
    await driver.deliver()
    await driver.until_committed()
    assert [type(failure).__name__ for failure in driver.failures] == ["StaleGenerationError"]
    assert coded(topics) == []


async def test_what_cannot_be_processed_ends_the_worker(topics: TopicsInMemory) -> None:
    """A record on the re-key topic that no worker wrote is a fault of the surroundings: nothing goes on."""
    topics.send(TOPOLOGY.episodes_rekey, 0, b"{}")
    driver = await working(topics, 0)
    await driver.deliver()
    await driver.until_committed()
    assert [str(failure).split(":")[0] for failure in driver.failures] == [
        "g9603-episodes-rekey-0@0 was not written by a worker of this version"
    ]
    assert topics.steps == []


# ---------------------------------------------------------------------------------------------
# Pressure, and the end
# ---------------------------------------------------------------------------------------------
async def clogged(topics: TopicsInMemory) -> tuple[WorkerDriver, asyncio.Task[int]]:
    """A worker whose inbox of two is full, behind a step that commits and one that waits; the fifth record waits."""
    driver = WorkerDriver(topics, Tuning(linger_seconds=0, inbox_records_max=2))
    await driver.rebalance(0)
    driver.writer.may_commit.clear()
    send(topics, 0, [follow_up(episode_id) for episode_id in episodes(5, partition=0)])
    for _ in range(4):
        await finishes(driver.deliver(records_max=1))
        await at_rest(topics)
    waiting = asyncio.create_task(driver.deliver(records_max=1))
    await at_rest(topics)
    assert not waiting.done()
    return driver, waiting


async def test_receive_waits_while_the_inbox_is_full(topics: TopicsInMemory) -> None:
    """A backlog stays in Kafka: what finds the inbox full waits until a step has made room, and is not lost."""
    driver, waiting = await clogged(topics)

    driver.writer.may_commit.set()
    await finishes(waiting)
    await driver.until_committed()

    assert topics.committed() == {TopicPartition(SURVEYS, 0): 5}


async def test_revoke_lets_a_waiting_receive_go(topics: TopicsInMemory) -> None:
    """A rebalance does not wait for room in the inbox; what waited for it is dropped, and read again."""
    driver, waiting = await clogged(topics)

    revoking = asyncio.create_task(driver.revoke())
    await finishes(waiting)
    driver.writer.may_commit.set()
    await finishes(revoking)
    assert topics.committed() == {TopicPartition(SURVEYS, 0): 2}

    await driver.rebalance(0)
    await driver.drain()
    assert topics.committed() == {TopicPartition(SURVEYS, 0): 5}


async def test_close_commits_the_step_in_hand(topics: TopicsInMemory) -> None:
    """A graceful stop leaves nothing half done, and lets the producer go."""
    send_care(topics, 0)
    driver = await working(topics, 0)
    assert driver.writer.is_open
    await driver.deliver()
    await at_rest(topics)

    await driver.manager.close()

    assert not driver.writer.is_open
    assert topics.committed() == {TopicPartition(SURVEYS, 0): 2, TopicPartition(TREATMENTS, 0): 1}
