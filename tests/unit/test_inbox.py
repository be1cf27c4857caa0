"""The inbox: which records go into a step, and which wait for the other topic of their task."""

from collections.abc import Mapping
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.worker.inbox import Inbox
from streams.worker.step import TopicPartition
from tests.tasks_in_memory import Record

PATIENCE_SECONDS = 10.0
SURVEYS, TREATMENTS, REKEYED = "surveys", "treatments", "rekeyed"
TOPICS = (SURVEYS, TREATMENTS, REKEYED)
Timestamps: TypeAlias = list[int]


class Log:
    """How many records each source holds: a `Backlog`."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = counts

    def has_more(self, source: TopicPartition, next_offset: int) -> bool:
        """Whether it holds that offset."""
        return next_offset < self.counts.get(source.topic, 0)


def inbox(**held: int) -> Inbox:
    """An inbox for task 0, whose topics hold so many records."""
    made = Inbox((SURVEYS, TREATMENTS), Log(held), patience_seconds=PATIENCE_SECONDS)
    made.begin({TopicPartition(topic, 0): 0 for topic in TOPICS})
    return made


def run(topic: str, timestamps: Timestamps, *, first: int = 0) -> tuple[TopicPartition, list[Record]]:
    return TopicPartition(topic, 0), [
        Record(topic, 0, offset, timestamp, None, b"") for offset, timestamp in enumerate(timestamps, first)
    ]


def taken(from_inbox: Inbox, now: float = 0.0) -> dict[str, Timestamps]:
    """The timestamps of what is taken, by topic."""
    told: dict[str, Timestamps] = {}
    for batch in from_inbox.take(now).get(0, ()):
        told.setdefault(batch.topic, []).extend(record.timestamp for record in batch.records)
    return told


@pytest.mark.parametrize(
    ("surveys", "treatments", "more", "expected"),
    [
        ([1, 5, 9], [2, 3], {TREATMENTS: 3}, {SURVEYS: [1], TREATMENTS: [2, 3]}),
        ([1, 5, 9], [2, 3], {SURVEYS: 4, TREATMENTS: 3}, {SURVEYS: [1], TREATMENTS: [2, 3]}),
        ([1, 5, 9], [2, 3], {SURVEYS: 4}, {SURVEYS: [1, 5, 9], TREATMENTS: [2, 3]}),
        ([1, 5, 9], [2, 3], {}, {SURVEYS: [1, 5, 9], TREATMENTS: [2, 3]}),
        ([1, 5, 9], [], {}, {SURVEYS: [1, 5, 9]}),
        ([1, 5, 9], [], {TREATMENTS: 1}, {}),
        ([7], [7], {SURVEYS: 2, TREATMENTS: 2}, {SURVEYS: [7], TREATMENTS: [7]}),
        ([3, 5, 1, 8], [9, 2], {TREATMENTS: 3}, {SURVEYS: [3, 5, 1], TREATMENTS: [9, 2]}),
        ([1], [-1, -1], {TREATMENTS: 3}, {TREATMENTS: [-1, -1]}),
    ],
    ids=[
        "up to the topic that is behind",
        "both have more",
        "who is at the end holds nobody back",
        "both at the end",
        "nothing waits for what may never come",
        "what is known to come is waited for",
        "the same time",
        "timestamps that fall",
        "no timestamps",
    ],
)
def test_records_are_taken_up_to_a_common_time(
    surveys: Timestamps, treatments: Timestamps, more: dict[str, int], expected: dict[str, Timestamps]
) -> None:
    """The topic that has more and is furthest behind says how far the others may go."""
    waiting = inbox(**more)
    for topic, timestamps in ((SURVEYS, surveys), (TREATMENTS, treatments)):
        if timestamps:
            waiting.put(*run(topic, timestamps))

    assert waiting.is_ready() == bool(expected)
    assert taken(waiting) == expected


def test_what_comes_home_goes_first() -> None:
    """The re-key topic waits for nobody, and holds nobody back."""
    waiting = inbox(treatments=1, rekeyed=9)
    waiting.put(*run(SURVEYS, [1]))
    waiting.put(*run(REKEYED, [99]))
    assert taken(waiting) == {REKEYED: [99]}


def test_patience_has_an_end() -> None:
    """A topic that has more and gives nothing, for its broker is away, is not waited for without end."""
    waiting = inbox(treatments=1)
    waiting.put(*run(SURVEYS, [1]))
    assert taken(waiting, 100.0) == {}
    assert taken(waiting, 100.0 + PATIENCE_SECONDS - 1) == {}
    assert taken(waiting, 100.0 + PATIENCE_SECONDS) == {SURVEYS: [1]}

    waiting.put(*run(SURVEYS, [2], first=1))
    assert taken(waiting, 200.0) == {}


def test_one_task_does_not_wait_for_another() -> None:
    """Each task goes by its own topics."""
    waiting = Inbox((SURVEYS, TREATMENTS), Log({TREATMENTS: 1}), patience_seconds=PATIENCE_SECONDS)
    waiting.begin({TopicPartition(SURVEYS, 0): 0, TopicPartition(TREATMENTS, 0): 0, TopicPartition(SURVEYS, 1): 0})
    for partition in (0, 1):
        waiting.put(TopicPartition(SURVEYS, partition), run(SURVEYS, [1])[1])
    assert set(waiting.take(0.0)) == {1}


def test_sources_that_have_enough_are_told() -> None:
    """What waits in numbers need not be fetched on."""
    waiting = inbox(treatments=1)
    waiting.put(*run(SURVEYS, [1, 2]))
    waiting.put(*run(SURVEYS, [3], first=2))
    assert waiting.sources_with(3) == {TopicPartition(SURVEYS, 0)}
    assert waiting.sources_with(4) == set()


@settings(deadline=None)
@given(
    st.fixed_dictionaries({topic: st.lists(st.integers(-1, 9), max_size=12) for topic in TOPICS}),
    st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(1, 4), st.booleans()), max_size=30),
)
def test_every_record_is_taken_once_and_in_order(
    logs: dict[str, Timestamps], moments: list[tuple[str, int, bool]]
) -> None:
    """However logs are read, and whatever their timestamps: each source comes out whole, and nothing stays."""
    waiting = inbox(**{topic: len(timestamps) for topic, timestamps in logs.items()})
    received = dict.fromkeys(TOPICS, 0)
    came_out: dict[str, list[int]] = {topic: [] for topic in TOPICS}

    def take() -> None:
        for batch in waiting.take(0.0).get(0, ()):
            assert batch.records
            came_out[batch.topic] += [record.offset for record in batch.records]

    everything = [(topic, len(timestamps), True) for topic, timestamps in logs.items()]
    for topic, count, takes in (*moments, *everything):
        begin = received[topic]
        fresh = logs[topic][begin : begin + count]
        if fresh:
            received[topic] += len(fresh)
            waiting.put(*run(topic, fresh, first=begin))
        if takes:
            take()

    assert came_out == {topic: list(range(len(timestamps))) for topic, timestamps in logs.items()}
    assert len(waiting) == 0
