"""Stream tasks while time passes: whatever the order of facts, ticks, steps and restarts, there is one outcome."""

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import orjson
import pytest
from aiokafka import TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from msgspec.structs import replace as with_fields

from streams.domain.coding import coding_of
from streams.domain.decision import Coded, decide
from streams.domain.episode import Arrival, Episode
from streams.domain.fact import Fact, Survey
from streams.domain.policy import Policy, Threshold, ThresholdKind
from streams.intake.rejection import RejectionReason
from streams.processing import dead_letter, stream_task
from streams.processing.agenda import HOUR_MS
from streams.processing.task_time import DECIDE_ANEW
from streams.recount.extent import Extent
from streams.recount.partition_times import PartitionTimes, Span
from streams.recount.standing import Coordinates, GroupPositions
from tests.billing_consumer import billed
from tests.episode_notation import NOON_US, facts_of
from tests.messages import message_bytes
from tests.policies_for_tests import DEFAULT, POLICIES
from tests.recounting import records_of, recounted
from tests.strategies import histories
from tests.tasks_in_memory import TOPOLOGY, Sent, TasksInMemory

law = settings(max_examples=60, deadline=None)

TASK_COUNT = 2
DAY_MS = 24 * HOUR_MS
DAY_ZERO_MS = NOON_US // 1_000
POLICY = POLICIES["all three"]
FORGETFUL = replace(POLICY, retention_days=455)
FORGETFUL_ALONE = replace(DEFAULT, retention_days=455)
EPISODE_IDS = ("episode-1", "episode-2")


class Tick(NamedTuple):
    """All partitions are told what time it is, by the day; and perhaps read on until nothing is left."""

    day: int
    drains: bool


class Turn(NamedTuple):
    """A task reads some records, and is sometimes forgotten and restored."""

    partition: int
    records_max: int
    restarts: bool


class Told(NamedTuple):
    """A fact, and the episode that it belongs to."""

    episode_id: str
    fact: Fact


ticks = st.builds(Tick, st.sampled_from((0, 61, 366, 380, 425, 426, 100)), st.booleans())
turns = st.builds(Turn, st.integers(0, TASK_COUNT - 1), st.integers(1, 4), st.booleans())
Course = list[Told | Tick | Turn]


@st.composite
def courses(draw: DrawFn) -> Course:
    """The histories of some episodes, with time that passes, goes back and stands still in between."""
    told = [Told(episode_id, fact) for episode_id in EPISODE_IDS for fact in draw(histories())]
    return list(draw(st.permutations([*told, *draw(st.lists(ticks | turns, max_size=10))])))


def sent(told: Told, day: int = 0, partition: int = 0) -> Sent:
    topic = TOPOLOGY.survey_completed if isinstance(told.fact, Survey) else TOPOLOGY.treatment_recorded
    return Sent(topic, partition, DAY_ZERO_MS + day * DAY_MS, message_bytes(told.fact, told.episode_id))


def tick(tasks: TasksInMemory, day: int) -> None:
    """Tell every task what time it is, some minutes after the hour."""
    for task in tasks.tasks:
        tasks.send(Sent(TOPOLOGY.ticks, task.partition, DAY_ZERO_MS + day * DAY_MS + 1_234, b""))


def lived(course: Course, policy: Policy = POLICY) -> TasksInMemory:
    tasks = TasksInMemory(policy, task_count=TASK_COUNT)
    for moment in course:
        match moment:
            case Told():
                tasks.send(sent(moment, partition=len(moment.fact.event_id)))
            case Tick():
                tick(tasks, moment.day)
                if moment.drains:
                    tasks.drain()
            case Turn():
                tasks.step(moment.partition, moment.records_max)
                if moment.restarts:
                    tasks.restart(moment.partition)
    tasks.drain()
    return tasks


def times_of(tasks: TasksInMemory) -> PartitionTimes:
    """What time it has become, where all ticks are taken in."""
    spans = {task.partition: Span(task.time.as_of_ms, task.time.as_of_ms) for task in tasks.tasks}
    return PartitionTimes(TASK_COUNT, spans)


@pytest.fixture
def few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step looks at one episode."""
    monkeypatch.setattr(stream_task, "_LOOKS_A_STEP", 1)


# ---------------------------------------------------------------------------------------------
# Closing
# ---------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("few_looks")
@law
@given(courses())
def test_however_it_came_billing_holds_what_facts_and_time_decide(course: Course) -> None:
    """Late facts, ticks that go back, restarts in the middle of a tick's work: the decision as of the last hour."""
    tasks = lived(course)
    last_day = max((moment.day for moment in course if isinstance(moment, Tick)), default=None)
    as_of_ms = 0 if last_day is None else DAY_ZERO_MS + last_day * DAY_MS

    for episode_id in EPISODE_IDS:
        facts = [moment.fact for moment in course if isinstance(moment, Told) and moment.episode_id == episode_id]
        known = Episode().with_arrivals(Arrival(fact, 0) for fact in facts).facts
        decision = decide(known, POLICY, as_of_ms)
        standing = billed(tasks.coding_events(episode_id))
        held = tasks.episodes()[episode_id].ledger.active if facts else None
        assert held == (coding_of(decision, POLICY) if isinstance(decision, Coded) else None)
        assert (standing is None) == (held is None)


@law
@given(courses())
def test_the_recount_agrees_as_of_the_ticks(course: Course) -> None:
    """What the input and its ticks amount to, without any state."""
    tasks = lived(course)

    assert recounted(records_of(tasks), Extent({}, times=times_of(tasks)), policies=(POLICY,)).agrees


def closing(count: int, *, days: int = 366) -> tuple[TasksInMemory, list[str]]:
    """One task that has read *count* episodes without a follow-up, and is then told that so many days have passed."""
    tasks = TasksInMemory(POLICY)
    ids = [f"E{number}" for number in range(count)]
    for episode_id in ids:
        for fact in facts_of("odi 48 @-3d | T"):
            tasks.send(sent(Told(episode_id, fact)))
    tasks.drain()
    tick(tasks, days)
    return tasks, ids


def codes(tasks: TasksInMemory) -> list[tuple[str, str]]:
    events = [orjson.loads(record.value or b"") for record in tasks.records(TOPOLOGY.coding_events)]
    return [(event["action"], event["code"]) for event in events]


@pytest.mark.usefixtures("few_looks")
def test_a_tick_counts_as_read_when_all_is_done_that_it_brings_due() -> None:
    """Killed in the middle of it, the next worker does the rest; nothing is told twice."""
    tasks, ids = closing(3)

    output = tasks.step(0)
    assert (len(output.codings), output.next_offsets, tasks.tasks[0].is_behind_time) == (1, {TOPOLOGY.ticks: 0}, True)
    tasks.restart(0)
    assert not tasks.tasks[0].is_behind_time
    tasks.drain()
    while tasks.tasks[0].is_behind_time:
        tasks.step(0)

    assert codes(tasks) == [("new", "G9604")] * len(ids)
    assert tasks.tasks[0].next_offsets[TOPOLOGY.ticks] == 1


def test_while_a_tick_is_worked_off_the_recount_waits() -> None:
    """What a tick changes that may be taken in or not is neither missing nor extra."""
    tasks, _ = closing(1)
    before = records_of(tasks)
    next_offsets = {TopicPartition(topic, 0): offset for topic, offset in tasks.tasks[0].next_offsets.items()}
    closed = DAY_ZERO_MS + 366 * DAY_MS
    moving = Extent({}, GroupPositions(next_offsets, next_offsets), times=PartitionTimes(1, {0: Span(0, closed)}))
    assert recounted(before, moving, policies=(POLICY,)).agrees
    assert len(recounted(before, moving, policies=(POLICY,)).waiting) == 1

    tasks.drain()

    after = recounted(records_of(tasks), moving, policies=(POLICY,))
    assert (after.agrees, len(after.waiting)) == (True, 0)
    over = Extent({}, times=PartitionTimes(1, {0: Span(closed, closed)}))
    assert not recounted(before, over, policies=(POLICY,)).agrees


def test_a_window_closes_with_the_first_hour_after_its_end() -> None:
    """It ends at noon: at eleven, and at noon, a follow-up may still come; at one none has come."""
    tasks, _ = closing(2, days=0)
    told = []
    for hour in (-1, 0, 1, 2):
        tasks.send(Sent(TOPOLOGY.ticks, 0, DAY_ZERO_MS + 365 * DAY_MS + hour * HOUR_MS + 1_234, b""))
        tasks.drain()
        told.append(len(codes(tasks)))

    assert told == [0, 0, 2, 2]


def test_a_quiet_tick_costs_no_look() -> None:
    """An episode is looked at when its time has come, and not at every tick."""
    tasks, _ = closing(2)
    tasks.drain()
    for day in (367, 368, 369):
        tick(tasks, day)
        assert tasks.step(0).decisions == {}


def test_what_stands_is_left_as_it_is_when_the_policy_is_another() -> None:
    """A tick codes what was not coded; it does not decide anew what was, by another policy's name."""
    tasks, _ = closing(1)
    for fact in facts_of("nprs 5 @-3d | T | nprs 3 @+9d"):
        tasks.send(sent(Told("coded", fact)))
    tasks.drain()
    before = codes(tasks)
    tasks.switch(replace(POLICY, version="8"))
    tick(tasks, 500)
    tasks.drain()

    assert sorted(before) == [("new", "G9603"), ("new", "G9604")]
    assert codes(tasks) == before


@pytest.mark.parametrize("before", [POLICY, DEFAULT], ids=["with time", "without"])
@pytest.mark.parametrize("looks_a_step", [1, 4_096])
def test_what_stands_is_decided_anew_when_that_is_asked_for(
    before: Policy, looks_a_step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the policy of now, each episode once, also where a worker is killed meanwhile; then nothing is left."""
    monkeypatch.setattr(stream_task, "_LOOKS_A_STEP", looks_a_step)
    tasks = TasksInMemory(before)
    for episode_id in ("E1", "E2", "E3"):
        for fact in facts_of("nprs 5 @-3d | T | nprs 4 @+9d"):
            tasks.send(sent(Told(episode_id, fact)))
    tasks.drain()
    strict = Threshold(ThresholdKind.POINTS, Decimal(2))
    after = replace(before, version="8", rules=replace(before.rules, threshold=strict))
    tasks.switch(after)
    tasks.send(Sent(TOPOLOGY.ticks, 0, DAY_ZERO_MS + 20 * DAY_MS, DECIDE_ANEW))
    tasks.step(0)
    tasks.restart(0)
    tasks.drain()

    told = "replace" if before is POLICY else "void"  # one of them publishes that it is not improved
    assert sorted(action for action, _ in codes(tasks)) == sorted(["new", told] * 3)
    assert recounted(records_of(tasks), policies=(after,)).agrees
    tick(tasks, 21)
    tasks.drain()
    assert len(codes(tasks)) == 6


# ---------------------------------------------------------------------------------------------
# Retention
# ---------------------------------------------------------------------------------------------
STORY = "odi 48 @-3d | T | odi 22 @+60d"


def told_and_forgotten(episode: str = STORY) -> TasksInMemory:
    """A task that was told *episode* on day 61, and has forgotten it."""
    tasks = TasksInMemory(FORGETFUL)
    for fact in facts_of(episode):
        tasks.send(sent(Told("E1", fact), day=61))
    tasks.drain()
    tick(tasks, 61 + 455)
    tasks.drain()
    assert list(tasks.episodes()) == ["E1"]
    tick(tasks, 61 + 456)
    tasks.drain()
    assert tasks.episodes() == {}
    return tasks


def reasons(tasks: TasksInMemory) -> list[str]:
    return [dict(record.headers)[dead_letter.REASON].decode() for record in tasks.records(TOPOLOGY.dead_letter)]


@pytest.mark.parametrize("restarts", [False, True])
def test_what_comes_for_a_forgotten_episode_is_a_dead_letter(restarts: bool) -> None:  # noqa: FBT001
    """Whatever it is, also after a restart: never a second code. And the recount agrees."""
    tasks = told_and_forgotten()
    if restarts:
        tasks.restart(0)
    for fact in facts_of("odi 40 @+500d ev:a #a | T @+501d ev:b #b | odi 10 @+510d ev:c #c"):
        tasks.send(sent(Told("E1", fact), day=520))
    tasks.drain()

    assert reasons(tasks) == [RejectionReason.EPISODE_FORGOTTEN] * 3
    assert codes(tasks) == [("new", "G9603")]
    turned_away = {
        Coordinates(TOPOLOGY.survey_completed, 0, 2): RejectionReason.EPISODE_FORGOTTEN,
        Coordinates(TOPOLOGY.survey_completed, 0, 3): RejectionReason.EPISODE_FORGOTTEN,
        Coordinates(TOPOLOGY.treatment_recorded, 0, 1): RejectionReason.EPISODE_FORGOTTEN,
    }
    extent = Extent({}, turned_away=turned_away, times=PartitionTimes(1, {0: Span(1 << 42, 1 << 42)}))
    assert recounted(records_of(tasks), extent, policies=(FORGETFUL,)).agrees
    assert not recounted(records_of(tasks), extent, policies=(POLICY,)).agrees


def test_what_moves_out_of_a_forgotten_episode_is_told_to_people() -> None:
    """It counts where it is now; that the old code stands all the same, a dead letter says. And the recount agrees."""
    tasks = told_and_forgotten()
    (follow_up,) = facts_of("odi 22 @+60d v2 ev:m #2")
    tasks.send(sent(Told("E2", with_fields(follow_up, moved_from_episode_id="E1")), day=520))
    tasks.drain()

    assert reasons(tasks) == [RejectionReason.NOT_TAKEN_BACK]
    assert list(tasks.episodes()) == ["E2"]
    assert codes(tasks) == [("new", "G9603")]
    turned_away = {Coordinates(TOPOLOGY.survey_completed, 0, 2): RejectionReason.NOT_TAKEN_BACK}
    extent = Extent({}, turned_away=turned_away, times=PartitionTimes(1, {0: Span(1 << 42, 1 << 42)}))
    counted = recounted(records_of(tasks), extent, policies=(FORGETFUL,))
    assert counted.agrees
    assert counted.record_count == len(facts_of(STORY)) + 1
    assert not recounted(records_of(tasks), extent, policies=(POLICY,)).agrees


def test_what_comes_from_elsewhere_is_turned_away_at_home() -> None:
    """A record in another partition than its episode's travels home first, and is a dead letter there."""
    tasks = TasksInMemory(FORGETFUL, task_count=TASK_COUNT)
    for day, episode in ((0, STORY), (520, "odi 10 @+510d ev:c #c")):
        for fact in facts_of(episode):
            for partition in range(TASK_COUNT):
                tasks.send(sent(Told("E1", fact), day, partition))
        tasks.drain()
        tick(tasks, day + 456)
        tasks.drain()

    assert reasons(tasks) == [RejectionReason.EPISODE_FORGOTTEN] * TASK_COUNT


@pytest.mark.parametrize(("policy", "told"), [(FORGETFUL, [("new", "G9604")]), (FORGETFUL_ALONE, [])])
def test_whoever_is_heard_of_is_kept(policy: Policy, told: list[tuple[str, str]]) -> None:
    """The retention counts from the last record, by Kafka timestamp; a window closes before its episode goes."""
    tasks = TasksInMemory(policy)
    tick(tasks, 0)
    tasks.drain()
    for day, fact in zip((0, 300), facts_of("odi 48 @+350d | T @+399d"), strict=True):
        tasks.send(sent(Told("E1", fact), day))
        tasks.drain()
        tick(tasks, day + 455)
        tasks.drain()
        assert list(tasks.episodes()) == ["E1"]
    assert codes(tasks) == []
    tick(tasks, 3_000)
    tasks.drain()

    assert codes(tasks) == told
    assert tasks.episodes() == {}


def test_what_is_left_of_an_episode_is_a_hash() -> None:
    """After compaction the changelog holds eight bytes, and the positions."""
    tasks = told_and_forgotten()
    last: dict[bytes | None, bytes | None] = {record.key: record.value for record in tasks.changelog(0)}
    kept = {key: value for key, value in last.items() if value is not None}

    assert sorted(len(key or b"") for key in kept) == [1, 9]
    assert not any(b"E1" in (key or b"") + value for key, value in kept.items())
