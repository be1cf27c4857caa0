"""The judge is not blind: what a fault would leave in the topics is found, each by the invariant that it breaks.

The evidence is that of a whole worker on topics that are lists; then something is done to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
import pytest

from streams.demo.health_system.generation import generate
from streams.processing.changelog import POSITIONS_KEY, Positions, decode_positions, encode_positions
from streams.processing.partitioning import home_partition
from streams.processing.records import InputRecord
from streams.worker.step import TopicPartition
from tests.chaos.evidence import Evidence
from tests.chaos.invariants import Invariant, folded_changelog, judge
from tests.driver import TOPOLOGY, TopicsInMemory, WorkerDriver
from tests.policies_for_tests import DEFAULT
from tests.tasks_in_memory import Record

Tampering = Callable[[Evidence], Evidence]


async def worked(*, episodes: int = 60) -> Evidence:
    """What is left when a worker has coded a small health system, in many steps, some records away from home."""
    topics = TopicsInMemory(policy=DEFAULT)
    for number, record in enumerate(generate(seed=3, episodes=episodes).records):
        partition = home_partition((record.key or b"").decode(), 2) if number % 3 else number % 2
        topics.send(record.topic, partition, record.value, timestamp_ms=1_000 + number)
        _with_headers(topics, record.topic, partition, record.headers)
    topics.generation_id = 1
    worker = WorkerDriver(topics)
    await worker.assign(0, 1)
    while await worker.deliver(records_max=20):
        await worker.until_committed()
    await worker.manager.close()
    assert not worker.failures
    evidence = Evidence(
        topology=TOPOLOGY,
        policy=DEFAULT,
        partition_counts=topics.coder.partition_counts,
        inputs=[record for topic in TOPOLOGY.kinds for record in topics.records(topic)],
        rekeyed=topics.records(TOPOLOGY.episodes_rekey),
        changelog=topics.records(TOPOLOGY.episodes_changelog),
        dead_letters=topics.records(TOPOLOGY.dead_letter),
        events=topics.records(TOPOLOGY.coding_events),
        events_as_they_came=topics.records(TOPOLOGY.coding_events),
        committed=topics.committed(),
    )
    evidence.restored = folded_changelog(evidence)
    return evidence


def _with_headers(topics: TopicsInMemory, topic: str, partition: int, headers: Sequence[tuple[str, bytes]]) -> None:
    log = topics.log[TopicPartition(topic, partition)]
    log[-1] = log[-1]._replace(headers=headers)


def without(records: Sequence[InputRecord], index: int) -> list[InputRecord]:
    """*records* less one."""
    return [record for number, record in enumerate(records) if number != index]


def again(records: Sequence[InputRecord], index: int) -> list[InputRecord]:
    """*records* with one of them once more at the end of its partition."""
    repeated = records[index]
    last = max(record.offset for record in records if record.partition == repeated.partition)
    moved = Record(
        repeated.topic,
        repeated.partition,
        last + 1,
        repeated.timestamp,
        repeated.key,
        repeated.value,
        repeated.headers,
    )
    return [*records, moved]


def event_lost(evidence: Evidence) -> Evidence:
    """The last coding event is not there."""
    events = without(evidence.events, len(evidence.events) - 1)
    return replace(evidence, events=events, events_as_they_came=events)


def event_doubled(evidence: Evidence) -> Evidence:
    """A coding event was written again."""
    events = again(evidence.events, 0)
    return replace(evidence, events=events, events_as_they_came=events)


def event_skipped(evidence: Evidence) -> Evidence:
    """A revision is missing, though a later one is there."""
    revised = next(e for e in evidence.events if orjson.loads(e.value or b"")["revision"] == 2)
    first = next(n for n, e in enumerate(evidence.events) if e.key == revised.key)
    return replace(evidence, events=without(evidence.events, first))


def aborted_event_seen(evidence: Evidence) -> Evidence:
    """The reader that ran along saw an event that a fresh reader does not see."""
    return replace(evidence, events_as_they_came=again(evidence.events, 0))


def dead_letter_lost(evidence: Evidence) -> Evidence:
    """A record that cannot be read is nowhere."""
    return replace(evidence, dead_letters=without(evidence.dead_letters, 0))


def dead_letter_doubled(evidence: Evidence) -> Evidence:
    """A record that cannot be read was put aside twice."""
    return replace(evidence, dead_letters=again(evidence.dead_letters, 0))


def rekeyed_twice(evidence: Evidence) -> Evidence:
    """A record was sent home twice; the fold does not mind, and the transaction was not one."""
    return replace(evidence, rekeyed=again(evidence.rekeyed, 0))


def state_lost(evidence: Evidence) -> Evidence:
    """An episode's write to the changelog is gone: a torn transaction."""
    torn = next(n for n, record in enumerate(evidence.changelog) if record.key != POSITIONS_KEY)
    return replace(evidence, changelog=without(evidence.changelog, torn))


def step_repeated(evidence: Evidence) -> Evidence:
    """A worker that was left behind writes its step once more, behind that of its successor."""
    end = next(n for n, record in enumerate(evidence.changelog) if record.key == POSITIONS_KEY)
    changelog: Sequence[InputRecord] = evidence.changelog
    for index in range(end + 1):
        changelog = again(changelog, index)
    return replace(evidence, changelog=changelog)


def positions_ahead(evidence: Evidence) -> Evidence:
    """The positions say that more was read than the state shows: records would be skipped at the next start."""
    end = next(n for n, record in enumerate(evidence.changelog) if record.key == POSITIONS_KEY)
    record = evidence.changelog[end]
    positions = decode_positions(record.value or b"")
    offsets = {topic: offset + 5 for topic, offset in positions.next_offsets.items()}
    value = encode_positions(Positions(positions.partition_count, offsets))
    changed = Record(record.topic, record.partition, record.offset, record.timestamp, record.key, value)
    return replace(evidence, changelog=[*evidence.changelog[:end], changed, *evidence.changelog[end + 1 :]])


def group_ahead(evidence: Evidence) -> Evidence:
    """The group's offsets and the positions were not committed together."""
    source = next(iter(evidence.committed))
    return replace(evidence, committed={**evidence.committed, source: evidence.committed[source] + 1})


def input_left(evidence: Evidence) -> Evidence:
    """A record at the end was not read."""
    return replace(evidence, inputs=again(evidence.inputs, 0))


def transaction_open(evidence: Evidence) -> Evidence:
    """Somebody left a transaction open."""
    return replace(evidence, open_ends=["coding-events-0 from 5 on"])


def restored_to_less(evidence: Evidence) -> Evidence:
    """A restore misses the last step."""
    end = max(n for n, record in enumerate(evidence.changelog) if record.partition == 0)
    early = replace(evidence, changelog=without(evidence.changelog, end))
    return replace(evidence, restored=folded_changelog(early))


def canary_logged(evidence: Evidence) -> Evidence:
    """A patient's id stands in a log."""
    return replace(evidence, canaries_in_logs=["P-1"])


TAMPERINGS: dict[Tampering, Invariant] = {
    event_lost: Invariant.EXACTLY_ONCE,
    event_doubled: Invariant.EXACTLY_ONCE,
    event_skipped: Invariant.ORDER,
    aborted_event_seen: Invariant.NO_ABORTED_READ,
    dead_letter_lost: Invariant.CONSERVATION,
    dead_letter_doubled: Invariant.CONSERVATION,
    rekeyed_twice: Invariant.CONSERVATION,
    state_lost: Invariant.ATOMIC_PREFIX,
    step_repeated: Invariant.FENCING,
    positions_ahead: Invariant.ATOMIC_PREFIX,
    group_ahead: Invariant.ATOMIC_PREFIX,
    input_left: Invariant.LIVENESS,
    transaction_open: Invariant.LIVENESS,
    restored_to_less: Invariant.RESTORE,
    canary_logged: Invariant.PRIVACY,
}


async def test_nothing_is_found_where_nothing_is_wrong() -> None:
    """A worker that was left in peace breaks no invariant, and the evidence is not empty."""
    evidence = await worked()
    judgement = judge(evidence)

    assert judgement.violations == []
    assert (judgement.lost, judgement.doubled) == (0, 0)
    assert judgement.record_count == len(evidence.inputs) > 300
    assert judgement.code_count > 10
    assert len(evidence.dead_letters) > 0
    assert len(evidence.rekeyed) > 10


@pytest.mark.parametrize(
    ("tampering", "invariant"), TAMPERINGS.items(), ids=lambda value: getattr(value, "__name__", "")
)
async def test_every_tampering_is_found(tampering: Tampering, invariant: Invariant) -> None:
    """Each by the invariant that it breaks; it may break others too."""
    judgement = judge(tampering(await worked()))

    assert invariant in {violation.invariant for violation in judgement.violations}, judgement.violations


@pytest.mark.parametrize(
    ("tampering", "lost", "doubled"),
    [(event_lost, 1, 0), (event_doubled, 0, 1), (dead_letter_lost, 1, 0), (dead_letter_doubled, 0, 1)],
)
async def test_what_is_lost_and_doubled_is_counted(tampering: Tampering, lost: int, doubled: int) -> None:
    """The two numbers of the table."""
    judgement = judge(tampering(await worked()))

    assert (judgement.lost, judgement.doubled) == (lost, doubled)
