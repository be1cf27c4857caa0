"""The recount finds nothing where nothing is wrong, and whatever is wrong where something is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
import orjson
import pytest
from aiokafka import TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, DrawFn

from streams.domain.fact import Survey
from streams.domain.instant import Instant
from streams.domain.patient_merge import PatientMerge
from streams.intake.rejection import RejectionReason
from streams.processing.arrivals import FACTS_MAX
from streams.processing.partitioning import home_partition
from streams.processing.topology import InputKind
from streams.recount.episode_scan import may_be_of
from streams.recount.extent import Extent, Lately
from streams.recount.standing import Coordinates, GroupPositions, Standing
from tests.episode_notation import facts_of
from tests.messages import merge_bytes, message_bytes
from tests.policies_for_tests import DEFAULT
from tests.recounting import records_of, recounted
from tests.strategies import histories, patient_merges
from tests.tasks_in_memory import TOPOLOGY, Record, Sent, TasksInMemory
from tests.unit.test_arrivals import runaway, sent

EPISODE_IDS = ("E1", "E2", "É3")
IMPROVED = "odi 48 @-3d | T | odi 22 @+60d"
WORSE = "odi 48 @-3d | T | odi 60 @+60d"


@st.composite
def sendings(draw: DrawFn) -> list[Sent]:
    """What is sent about a few episodes, to any partition, with much in between that cannot be read.

    Some of it says that it was in another of them before, which may be so or not.
    """
    partitions = st.integers(0, 1)
    before = st.sampled_from((*[None] * 6, *EPISODE_IDS))
    sent = []
    for episode_id in EPISODE_IDS:
        for told in draw(histories()):
            fact = msgspec.structs.replace(told, moved_from_episode_id=draw(before))
            kind = InputKind.SURVEY if isinstance(fact, Survey) else InputKind.TREATMENT
            sent.append(Sent(kind, draw(partitions), 1, message_bytes(fact, episode_id)))
    merges = draw(st.lists(st.tuples(patient_merges(), partitions), max_size=2))
    sent += [Sent(InputKind.PATIENT_MERGE, partition, 1, merge_bytes(merge)) for merge, partition in merges]
    garbage = st.builds(
        Sent, st.sampled_from(list(InputKind)), partitions, st.just(1), st.sampled_from((b"no JSON", None))
    )
    return list(draw(st.permutations(sent + draw(st.lists(garbage, max_size=5)))))


def processed(sent: Sequence[Sent]) -> TasksInMemory:
    """Tasks that have read all of *sent*."""
    tasks = TasksInMemory(DEFAULT, task_count=2)
    for one in sent:
        tasks.send(one)
    tasks.drain()
    return tasks


def episodes(**told: str) -> TasksInMemory:
    """Tasks that have read some episodes, in `episode_notation`."""
    return processed(
        [
            Sent(
                InputKind.SURVEY if isinstance(fact, Survey) else InputKind.TREATMENT,
                0,
                1,
                message_bytes(fact, episode_id),
            )
            for episode_id, episode in told.items()
            for fact in facts_of(episode)
        ]
    )


# ---------------------------------------------------------------------------------------------
# Laws
# ---------------------------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(sendings())
def test_what_the_tasks_wrote_agrees(sent: list[Sent]) -> None:
    """Whatever was sent: no code is missing, extra or different, and every record is accounted for."""
    tasks = processed(sent)
    counted = recounted(records_of(tasks))

    assert counted.agrees, counted
    assert counted.record_count == len(sent)
    assert counted.code_count == counted.held_count
    assert counted.dead_letters.total() == len(tasks.records(TOPOLOGY.dead_letter))


@settings(max_examples=60, deadline=None)
@given(sendings(), st.data())
def test_a_coding_event_that_is_gone_or_changed_is_found(sent: list[Sent], data: DataObject) -> None:
    """One record of the billing topic left out, or one field of one event changed: nothing agrees any more."""
    records = records_of(processed(sent))
    places = [index for index, record in enumerate(records) if record.topic == TOPOLOGY.coding_events]
    if not places:
        return
    place = data.draw(st.sampled_from(places))
    record = records.pop(place)
    if data.draw(st.booleans()):
        event = orjson.loads(record.value or b"")
        name = data.draw(st.sampled_from(sorted(set(event) - {"decided_at"})))
        event[name] = event[name] + 1 if isinstance(event[name], int) else "otherwise"
        records.insert(place, record._replace(value=orjson.dumps(event)))

    assert not recounted(records).agrees


@settings(max_examples=60, deadline=None)
@given(sendings(), st.data())
def test_a_dead_letter_that_is_gone_or_changed_is_found(sent: list[Sent], data: DataObject) -> None:
    """Dead letters are what was received, each once, and there is no other."""
    records = records_of(processed([*sent, Sent(InputKind.SURVEY, 0, 1, b"no JSON")]))
    places = [index for index, record in enumerate(records) if record.topic == TOPOLOGY.dead_letter]
    place = data.draw(st.sampled_from(places))
    record = records.pop(place)
    changed, foreign = record._replace(value=b"other"), record._replace(headers=())
    instead: list[list[Record]] = [[], [record, record], [changed], [record, foreign]]
    records += data.draw(st.sampled_from(instead))

    assert not recounted(records).agrees


@settings(max_examples=60, deadline=None)
@given(sendings(), st.data())
def test_what_was_not_taken_in_is_waiting(sent: list[Sent], data: DataObject) -> None:
    """Stopped anywhere, what the tasks wrote agrees with what they had read; the rest is waiting."""
    tasks = TasksInMemory(DEFAULT, task_count=2)
    for one in sent:
        tasks.send(one)
    for partition in data.draw(st.lists(st.integers(0, 1), max_size=6)):
        tasks.step(partition, records_max=2)
    next_offsets = {
        TopicPartition(topic, task.partition): offset
        for task in tasks.tasks
        for topic, offset in task.next_offsets.items()
    }
    travelling = {
        _origin(record): Standing.MOVING if record.headers[-1][0] == "g9603-rekey-leaves" else Standing.WAITING
        for record in tasks.records(TOPOLOGY.episodes_rekey)
        if record.offset >= next_offsets.get(TopicPartition(record.topic, record.partition), 0)
    }
    read = sum(offset for tp, offset in next_offsets.items() if tp.topic in TOPOLOGY.kinds)

    counted = recounted(records_of(tasks), Extent({}, GroupPositions(next_offsets, next_offsets, travelling)))

    assert counted.agrees, counted
    assert counted.waiting_records == len(sent) - read + len(travelling)


def _origin(record: Record) -> Coordinates:
    headers = dict(record.headers)
    return Coordinates(
        headers["g9603-rekey-topic"].decode(),
        int(headers["g9603-rekey-partition"]),
        int(headers["g9603-rekey-offset"]),
    )


@settings(max_examples=60, deadline=None)
@given(sendings(), st.data())
def test_what_came_lately_is_recounted_as_in_the_whole(sent: list[Sent], data: DataObject) -> None:
    """Narrowed to some episodes, the recount sees of them what it sees of all, and of the others nothing."""
    records = records_of(processed(sent))
    chosen = data.draw(st.sets(st.sampled_from((b"E1", b"E2", "É3".encode()))))
    ends = {
        TopicPartition(topic, partition): sum(r.topic == topic and r.partition == partition for r in records)
        for topic in TOPOLOGY.kinds
        for partition in (0, 1)
    }
    events = [orjson.loads(r.value or b"") for r in records if r.topic == TOPOLOGY.coding_events]

    counted = recounted(records, Extent({}, lately=Lately(ends, frozenset(chosen))))

    assert counted.agrees, counted
    assert counted.actions.total() == sum(event["episode_id"].encode() in chosen for event in events)


@given(st.sampled_from(("E1", "É", 'q"', "")), st.sampled_from(("E1", "É", 'q"', "")), st.booleans())
def test_no_record_of_a_wanted_episode_is_passed_over(wanted: str, other: str, escaped: bool) -> None:  # noqa: FBT001
    """However JSON writes it, and whatever else has that name; an episode that a record leaves is one of its own."""
    assert may_be_of(orjson.dumps({"episode_id": other, "moved_from_episode_id": wanted}), {wanted.encode()})
    event = {"episode_id": wanted, "note": {"episode_id": other}}
    value = orjson.dumps(event) if not escaped else repr_escaped(wanted, other)

    assert may_be_of(value, {wanted.encode()})


def repr_escaped(wanted: str, other: str) -> bytes:
    """The same with a name that is written in escapes, behind one that is not."""
    return b'{"episode_id":%s,"episode\\u005fid":%s}' % (orjson.dumps(other), orjson.dumps(wanted))


# ---------------------------------------------------------------------------------------------
# Examples
# ---------------------------------------------------------------------------------------------
def test_a_merge_that_is_on_its_way_is_waiting() -> None:
    """Read where it was sent, and not yet where the episode is: what billing holds is right for now, or for then."""
    tasks = episodes(E1=IMPROVED)
    (patient,) = {fact.patient_id for fact in facts_of(IMPROVED)}
    merge = PatientMerge("registration", "1", "survivor", patient, Instant(0, 0))
    home = home_partition("E1", 2)
    tasks.send(Sent(InputKind.PATIENT_MERGE, 1 - home, 1, merge_bytes(merge)))
    tasks.step(1 - home)
    next_offsets = {
        TopicPartition(topic, task.partition): offset
        for task in tasks.tasks
        for topic, offset in task.next_offsets.items()
    }
    origin = Coordinates(InputKind.PATIENT_MERGE, 1 - home, 0)

    for standing in (Standing.WAITING, Standing.MOVING):
        positions = GroupPositions(next_offsets, next_offsets, {origin: standing})
        counted = recounted(records_of(tasks), Extent({}, positions))
        assert counted.agrees, counted
        assert list(counted.waiting) == ["E1"]
    tasks.drain()
    for had_come in (None, GroupPositions(next_offsets, next_offsets, {origin: Standing.MOVING})):
        counted = recounted(records_of(tasks), Extent({}, had_come))
        assert (counted.agrees, len(counted.waiting)) == (True, 0), counted


def test_each_kind_of_disagreement_has_its_name() -> None:
    """Missing, extra and different are told apart, and of what is different, in which fields."""
    tasks = episodes(missing=IMPROVED, extra=IMPROVED, different=IMPROVED, right=IMPROVED, uncoded=WORSE)
    records = []
    for record in records_of(tasks):
        episode = orjson.loads(record.value or b"")["episode_id"]
        is_event = record.topic == TOPOLOGY.coding_events
        if (episode, is_event) == ("missing", True):
            continue
        if episode == "extra" and b'"score":"22"' in (record.value or b"") and not is_event:
            continue
        value = record.value or b""
        if (episode, is_event) == ("different", True):
            value = value.replace(b'"charge":"0.00"', b'"charge":"0.01"')
        records.append(record._replace(value=value))

    counted = recounted(records)

    assert [list(counted.missing), list(counted.extra), list(counted.different)] == [
        ["missing"],
        ["extra"],
        ["different"],
    ]
    assert counted.different_fields == {"charge": 1}
    assert "is not named by what it says" in next(iter(counted.event_faults))


@pytest.mark.parametrize("decided_at", ["2025-03-16", "2026-03-16"])
def test_a_flag_of_the_filing_limit_is_looked_at(decided_at: str) -> None:
    """Whether a code was told too late shows in the event itself, by the policy: a wrong flag is a difference."""
    payer = replace(DEFAULT.payers[0], matches=frozenset({"acme"}))
    policy = replace(DEFAULT, payers=(payer,))
    tasks = TasksInMemory(policy)
    at_ms = int(datetime.fromisoformat(f"{decided_at}T00:00:00+00:00").timestamp() * 1000)
    for fact in facts_of(IMPROVED):
        told = sent(msgspec.structs.replace(fact, payer_id="acme"))
        tasks.send(told._replace(timestamp=at_ms))
    tasks.drain()
    records = records_of(tasks)
    assert recounted(records, policies=(policy,)).agrees

    *others, last = [record for record in records if record.topic == TOPOLOGY.coding_events]
    assert not others
    event = orjson.loads(last.value or b"")
    event["past_filing_limit"] = not event.get("past_filing_limit", False)
    forged = last._replace(value=orjson.dumps(event))
    counted = recounted([forged if record is last else record for record in records], policies=(policy,))

    assert counted.different_fields == {"past_filing_limit": 1}


def test_what_an_earlier_policy_decided_may_stand() -> None:
    """Told of the policy before the switch, the recount counts its codes apart; not told, it does not know them."""
    records = records_of(episodes(E1=IMPROVED))
    now = replace(DEFAULT, version="2")

    assert list(recounted(records, policies=(now,)).different) == ["E1"]
    known = recounted(records, policies=(now, DEFAULT))
    assert (known.agrees, known.by_earlier_policy) == (True, 1)


def test_a_compacted_billing_topic_has_gaps_and_no_faults() -> None:
    """Its consumers may choose to keep the last event of an episode: what it says is compared all the same."""
    told = episodes(E1=f"{IMPROVED} #f", E2=IMPROVED)
    (amended,) = facts_of("odi 20 @+60d #f v2 amended ev:x")
    told.send(Sent(InputKind.SURVEY, 0, 1, message_bytes(amended, "E1")))
    told.drain()
    inputs = [r for r in records_of(told) if r.topic != TOPOLOGY.coding_events]
    last = {record.key: record for record in told.records(TOPOLOGY.coding_events)}

    assert recounted([*inputs, *last.values()]).event_faults
    assert recounted([*inputs, *last.values()], Extent({}, is_compacted=True)).agrees
    assert not recounted([*inputs, last[b"E2"]], Extent({}, is_compacted=True)).agrees


def test_what_is_no_coding_event_is_a_fault() -> None:
    """The recount goes on past it."""
    records = records_of(episodes(E1=IMPROVED))
    foreign = [Record(TOPOLOGY.coding_events, 1, 9, 0, None, value) for value in (b"no JSON", b"[]", b"{}", None)]

    assert len(recounted([*records, *foreign]).event_faults) == len(foreign)


@pytest.mark.parametrize("extra", [0, 1])
def test_a_full_episode_may_turn_away_and_no_other(extra: int) -> None:
    """Which facts came first only the worker knows; whether there was room, the recount knows, too."""
    tasks = TasksInMemory(DEFAULT)
    for fact in runaway(FACTS_MAX + extra):
        tasks.send(sent(fact))
    while tasks.step(0, 100).next_offsets:
        pass
    records = records_of(tasks)
    turned_away = Coordinates(TOPOLOGY.treatment_recorded, 0, FACTS_MAX - 1 + extra)

    counted = recounted(records, Extent({}, turned_away={turned_away: RejectionReason.EPISODE_FULL}))

    assert counted.agrees == bool(extra)
    assert any("by an episode that is not full" in fault for fault in counted.dead_letter_faults) != bool(extra)
