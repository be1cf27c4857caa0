"""Stream tasks, whatever the order, the partitions, the batches and the restarts: one outcome, and nothing lost."""

from collections.abc import Sequence
from typing import NamedTuple

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from schemas.vocabulary import CodingAction
from streams.domain.coder import CodedEpisode, advance
from streams.domain.coding import content
from streams.domain.episode import Arrival
from streams.domain.fact import Fact, Survey
from streams.intake.rejection import RejectionReason
from streams.processing.partitioning import home_partition
from streams.processing.rekeying import ForeignRecordError
from tests.billing_consumer import billed, content_of
from tests.care import care
from tests.messages import message, message_bytes
from tests.policies_for_tests import POLICIES
from tests.strategies import facts, histories
from tests.tasks_in_memory import TOPOLOGY, Sent, TasksInMemory

law = settings(max_examples=100, deadline=None)

TASK_COUNT = 3
POLICY = POLICIES["any, G9605"]
EPISODE_IDS = ("episode-1", "episode-2", "épisode-3")
INPUTS = (TOPOLOGY.survey_completed, TOPOLOGY.treatment_recorded)

partitions = st.integers(0, TASK_COUNT - 1)
timestamps = st.sampled_from([1_750_000_000_000, 1_750_000_060_000, 0, -1])
producer_headers = st.sampled_from([(), (("ce_specversion", b"1.0"), ("ce_id", b"7")), (("g9603-rekey-kind", b"x"),)])


class Told(NamedTuple):
    """A fact, the episode that it belongs to, and the record that brings it."""

    episode_id: str
    fact: Fact
    record: Sent


@st.composite
def tellings(draw: DrawFn) -> list[Told]:
    """The histories of some episodes, mixed, sent to any partition, some of it twice."""
    told = [
        Told(episode_id, fact, _sent(fact, episode_id, draw(partitions), draw(timestamps), draw(producer_headers)))
        for episode_id in draw(st.lists(st.sampled_from(EPISODE_IDS), max_size=3, unique=True))
        for fact in draw(histories())
    ]
    again = draw(st.lists(st.sampled_from(told), max_size=3)) if told else []
    return list(draw(st.permutations([*told, *again])))


def _sent(fact: Fact, episode_id: str, partition: int, timestamp: int, headers: Sequence[tuple[str, bytes]]) -> Sent:
    topic = TOPOLOGY.survey_completed if isinstance(fact, Survey) else TOPOLOGY.treatment_recorded
    return Sent(topic, partition, timestamp, message_bytes(fact, episode_id), headers)


class Moment(NamedTuple):
    """One thing that happens: a task reads some records, and is sometimes forgotten and restored."""

    partition: int
    records_max: int
    restarts: bool


moments = st.lists(st.builds(Moment, partitions, st.integers(1, 4), st.booleans()), max_size=12)
unreadable = st.builds(
    Sent,
    st.sampled_from(INPUTS),
    partitions,
    timestamps,
    st.sampled_from([b"\xff", b"{}", b"", None]),
    producer_headers,
)


def live_through(tasks: TasksInMemory, course: Sequence[Moment]) -> None:
    for moment in course:
        tasks.step(moment.partition, moment.records_max)
        if moment.restarts:
            tasks.restart(moment.partition)
    tasks.drain()


def expected_episode(told: Sequence[Told], episode_id: str) -> CodedEpisode:
    arrived = [Arrival(t.fact, max(t.record.timestamp, 0)) for t in told if t.episode_id == episode_id]
    return advance(CodedEpisode(), arrived, episode_id=episode_id, policy=POLICY).after


def assert_net_coding(tasks: TasksInMemory, told: Sequence[Told]) -> None:
    """The state is the facts, and what billing holds is their decision."""
    held = tasks.episodes()
    assert held.keys() == {t.episode_id for t in told}
    for episode_id, coded in held.items():
        expected = expected_episode(told, episode_id)
        assert coded.episode == expected.episode
        assert coded.ledger.active == expected.ledger.active
        standing = billed(tasks.coding_events(episode_id))
        assert (standing is None) == (expected.ledger.active is None)
        if standing is not None and expected.ledger.active is not None:
            decided = content(expected.ledger.active, episode_id, CodingAction(standing["action"]))
            # When it was decided depends on when what came, and with it whether that was too late.
            told_of_it = {name: said for name, said in content_of(standing).items() if name != "past_filing_limit"}
            assert told_of_it == orjson.loads(orjson.dumps(decided))


@law
@given(tellings(), moments, st.lists(unreadable, max_size=3))
def test_however_it_came_the_net_coding_is_the_decision(
    told: list[Told], course: list[Moment], strays: list[Sent]
) -> None:
    """Any partitions, batches and restarts: every record ends in the state or as a dead letter."""
    tasks = TasksInMemory(POLICY, task_count=TASK_COUNT)
    for sent in [*(t.record for t in told[::2]), *strays, *(t.record for t in told[1::2])]:
        tasks.send(sent)
    live_through(tasks, course)
    assert_net_coding(tasks, told)
    assert len(tasks.records(TOPOLOGY.dead_letter)) == len(strays)


@law
@given(tellings(), moments)
def test_batches_change_nothing(told: list[Told], course: list[Moment]) -> None:
    """One task at home alone: any split into batches leaves the same episodes and positions as one batch."""
    at_once, piecemeal = TasksInMemory(POLICY), TasksInMemory(POLICY)
    for t in told:
        at_once.send(t.record)
        piecemeal.send(t.record)
    at_once.step(0)
    live_through(piecemeal, [moment._replace(partition=0) for moment in course])
    assert_net_coding(piecemeal, told)
    assert_net_coding(at_once, told)
    assert piecemeal.tasks[0].next_offsets == at_once.tasks[0].next_offsets


@law
@given(tellings(), moments, moments)
def test_redelivery_publishes_nothing(told: list[Told], course: list[Moment], again: list[Moment]) -> None:
    """All input sent once more, to other partitions, says nothing new to billing and stores nothing anew."""
    tasks = TasksInMemory(POLICY, task_count=TASK_COUNT)
    for t in told:
        tasks.send(t.record)
    live_through(tasks, course)
    events, held = tasks.records(TOPOLOGY.coding_events), tasks.episodes()
    for t in told:
        tasks.send(t.record._replace(partition=t.record.partition + 1))
    live_through(tasks, again)
    assert tasks.records(TOPOLOGY.coding_events) == events
    assert tasks.episodes() == held


@law
@given(tellings(), moments)
def test_an_episode_is_at_home(told: list[Told], course: list[Moment]) -> None:
    """Kept by one task only, the one that its id names; a record travels once at most."""
    tasks = TasksInMemory(POLICY, task_count=TASK_COUNT)
    for t in told:
        tasks.send(t.record)
    live_through(tasks, course)
    for task in tasks.tasks:
        ids = {key[1:].decode() for key in task.episodes}
        assert {home_partition(episode_id, TASK_COUNT) for episode_id in ids} <= {task.partition}
    away = [t for t in told if home_partition(t.episode_id, TASK_COUNT) != t.record.partition]
    assert len(tasks.records(TOPOLOGY.episodes_rekey)) == len(away)
    for record in tasks.records(TOPOLOGY.coding_events):
        assert record.key is not None
        assert record.partition == home_partition(record.key.decode(), 2)


@law
@given(st.lists(unreadable, min_size=1, max_size=6))
def test_a_dead_letter_is_the_record_as_received(strays: list[Sent]) -> None:
    """Its key, value and headers are untouched; the reason and the place where it was read stand behind them."""
    tasks = TasksInMemory(POLICY, task_count=TASK_COUNT)
    for stray in strays:
        tasks.send(stray)
    received = [record for topic in INPUTS for record in tasks.records(topic)]
    tasks.drain()
    letters = tasks.records(TOPOLOGY.dead_letter)
    assert len(letters) == len(received)
    for record in received:
        place = (("g9603-topic", record.topic), ("g9603-partition", record.partition), ("g9603-offset", record.offset))
        written = [(name, str(part).encode()) for name, part in place]
        (letter,) = (letter for letter in letters if list(letter.headers[-3:]) == written)
        assert (letter.key, letter.value, letter.headers[:-5]) == (record.key, record.value, record.headers)
        (reason_name, reason), (error_name, error) = letter.headers[-5:-3]
        assert (reason_name, error_name) == ("g9603-reason", "g9603-error")
        assert reason.decode() in list(RejectionReason)
        assert error


secrets = st.recursive(
    st.sampled_from(["CANARY", "CANARY\n", "CANARY-2025-01-15", 98765432, 98765.432, -98765, "98765432"]),
    lambda inner: st.lists(inner, min_size=1, max_size=2) | st.dictionaries(st.just("CANARY"), inner, min_size=1),
    max_leaves=3,
)


@law
@given(facts(), st.data())
def test_a_dead_letter_tells_no_secret(fact: Fact, data: st.DataObject) -> None:
    """No added header holds anything of what a field held, or of what stood where a field should."""
    told = message(fact, "CANARY")
    spoilt = {name: data.draw(secrets) for name in data.draw(st.sets(st.sampled_from([*told, "answers"]), min_size=1))}
    value = orjson.dumps(told | spoilt)[: data.draw(st.sampled_from([None, -1, -9]))]
    tasks = TasksInMemory(POLICY)
    tasks.send(_sent(fact, "", 0, 0, ())._replace(value=value))
    tasks.drain()
    for letter in tasks.records(TOPOLOGY.dead_letter):
        for _, shown in letter.headers:
            assert b"CANARY" not in shown
            assert b"98765" not in shown


@law
@given(st.integers(-1, 2**63 - 1))
def test_any_kafka_timestamp_will_do(timestamp: int) -> None:
    """A producer's clock may say anything: the code is published all the same."""
    tasks = TasksInMemory(POLICY)
    for sent in care("episode-1"):
        tasks.send(Sent(sent.kind, 0, timestamp, sent.value))
    tasks.drain()
    assert billed(tasks.coding_events("episode-1")) is not None


def test_a_task_with_nothing_to_read_writes_nothing() -> None:
    output = TasksInMemory(POLICY).step(0)
    assert not output.records
    assert not output.next_offsets


def test_only_workers_may_write_to_the_rekey_topic() -> None:
    """A record there without an origin stops the task: its kind is unknown, and to guess could lose it."""
    tasks = TasksInMemory(POLICY)
    tasks.send(Sent(TOPOLOGY.episodes_rekey, 0, 0, care("episode-1")[0].value))
    with pytest.raises(ForeignRecordError, match="only workers may write to the re-key topic"):
        tasks.step(0)
