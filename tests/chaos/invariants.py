"""Do the invariants I1 to I11 of the reliability research hold, by the evidence alone?

The oracle is the recount: the facts of every input record, folded in any order, and the decision over them. It
shares the pure core with the worker and nothing else.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from streams.intake.decoder import Decoder
from streams.processing.changelog import episode_id_of, is_episode_key
from streams.processing.dead_letter import OFFSET, PARTITION, REASON, TOPIC
from streams.processing.records import InputRecord
from streams.processing.stored_episode import decode_episode
from streams.recount.billing_view import BillingView
from streams.recount.standing import Coordinates
from streams.worker.restorer import RestoredPartition
from streams.worker.step import TopicPartition
from tests.chaos.evidence import Evidence
from tests.chaos.history import history_violations
from tests.expectation import Expectation


class Invariant(StrEnum):
    """What must hold, with the number that the research gives it."""

    EXACTLY_ONCE = "I1"
    STATE = "I2"
    ATOMIC_PREFIX = "I3"
    NO_ABORTED_READ = "I4"
    ORDER = "I5"
    FENCING = "I6"
    CONSERVATION = "I7"
    LIVENESS = "I8"
    RESTORE = "I9"
    BOUNDED = "I10"
    PRIVACY = "I11"


class Violation(NamedTuple):
    """An invariant that does not hold, and how that shows."""

    invariant: Invariant
    sentence: str


@dataclass(slots=True)
class Judgement:
    """What the evidence says."""

    record_count: int
    code_count: int
    lost: int = 0
    """Codes that billing does not hold, and dead letters that are missing."""
    doubled: int = 0
    """Events, dead letters and forwarded records that appear twice, and codes that were not earned."""
    violations: list[Violation] = field(default_factory=list)


def judge(evidence: Evidence) -> Judgement:
    """Hold the invariants against *evidence*."""
    state = folded_changelog(evidence)
    if evidence.is_refused:
        evidence = replace(evidence, inputs=[record for record in evidence.inputs if _was_read(record, state)])
    expectation = Expectation(Decoder(evidence.policy.instruments), evidence.policy)
    for topic, kind in evidence.topology.kinds.items():
        expectation.take((record for record in evidence.inputs if record.topic == topic), kind)
    judgement = Judgement(expectation.record_count, 0)
    _judge_billing(evidence, expectation, judgement)
    _judge_dead_letters(evidence, expectation, judgement)
    violations = judgement.violations
    violations += (Violation(Invariant.STATE, told) for told in _state_faults(state, expectation))
    violations += (Violation(Invariant.ATOMIC_PREFIX, told) for told in _ledger_faults(state, evidence))
    violations += live_reader_violations(evidence.events, evidence.events_as_they_came)
    if evidence.changelog_is_whole:
        violations += (Violation(Invariant(number), told) for number, told in history_violations(evidence))
    violations += _liveness_violations(evidence, state)
    violations += (Violation(Invariant.PRIVACY, f"{canary} stands in a log") for canary in evidence.canaries_in_logs)
    violations += (Violation(Invariant.BOUNDED, told) for told in evidence.unbounded)
    return judgement


def folded_changelog(evidence: Evidence) -> dict[int, RestoredPartition]:
    """The last value of each key, by partition: the state as a reader from outside has it."""
    count = evidence.partition_counts[evidence.topology.episodes_changelog]
    state = {partition: RestoredPartition() for partition in range(count)}
    for record in evidence.changelog:
        state[record.partition].take(record)
    return state


def _was_read(record: InputRecord, state: dict[int, RestoredPartition]) -> bool:
    positions = state[record.partition].positions if record.partition in state else None
    return positions is not None and record.offset < positions.next_offsets.get(record.topic, 0)


def _judge_billing(evidence: Evidence, expectation: Expectation, judgement: Judgement) -> None:
    """I1 and I5: each code once, each revision after the one before."""
    view = BillingView()
    for record in evidence.events:
        view.take(record.value)
    expected: dict[str, Any] = orjson.loads(orjson.dumps(expectation.codes()))
    held = view.codes()
    judgement.code_count = len(expected)
    missing = sorted(expected.keys() - held.keys())
    extra = sorted(held.keys() - expected.keys())
    different = sorted(e for e in expected.keys() & held.keys() if expected[e] != held[e])
    twice = [fault for fault in view.faults if "twice" in fault]
    judgement.lost += len(missing) + len(different)
    judgement.doubled += len(extra) + len(twice)
    told = {
        "earned a code that billing does not hold": missing,
        "holds a code that it has not earned": extra,
        "holds a code with another content than earned": different,
    }
    judgement.violations += [
        Violation(Invariant.EXACTLY_ONCE, f"{len(episodes)} times: {what}, such as {episodes[0]}")
        for what, episodes in told.items()
        if episodes
    ]
    judgement.violations += [
        Violation(Invariant.EXACTLY_ONCE if "twice" in fault else Invariant.ORDER, fault) for fault in view.faults
    ]


def _judge_dead_letters(evidence: Evidence, expectation: Expectation, judgement: Judgement) -> None:
    """I7: what cannot be read is a dead letter, once, as it was received and for its reason; and nothing else is."""
    inputs = {Coordinates(r.topic, r.partition, r.offset): r for r in evidence.inputs}
    found: Counter[Coordinates] = Counter()
    faults = []
    for record in evidence.dead_letters:
        headers = dict(record.headers)
        source = Coordinates(headers[TOPIC].decode(), int(headers[PARTITION]), int(headers[OFFSET]))
        found[source] += 1
        original = inputs.get(source)
        if source not in expectation.rejected or original is None:
            faults.append(f"{source} is a dead letter, and can be read")
        elif (record.key, record.value) != (original.key, original.value):
            faults.append(f"the dead letter of {source} is not what was received")
        elif headers[REASON].decode() != expectation.rejected[source]:
            faults.append(f"the dead letter of {source} gives another reason than {expectation.rejected[source]}")
    missing = expectation.rejected.keys() - found.keys()
    twice = [source for source, count in found.items() if count > 1]
    judgement.lost += len(missing)
    judgement.doubled += len(twice)
    faults += [f"{source} is no dead letter, and should be" for source in sorted(missing)]
    faults += [f"{source} is a dead letter twice" for source in twice]
    judgement.violations += [Violation(Invariant.CONSERVATION, fault) for fault in faults]


def _state_faults(state: dict[int, RestoredPartition], expectation: Expectation) -> Iterator[str]:
    """I2 and I7: the facts in the changelog are those of the input, in each episode's one home."""
    held = {}
    for partition, restored in state.items():
        for key, value in restored.episodes.items():
            if not is_episode_key(key):
                yield f"partition {partition} of the changelog has a key of no known kind"
                continue
            episode_id = episode_id_of(key)
            if episode_id in held:
                yield f"{episode_id} has two homes"
            held[episode_id] = decode_episode(value).episode
    for episode_id in sorted(expectation.episodes.keys() | held.keys()):
        if expectation.episodes.get(episode_id) != held.get(episode_id):
            yield f"{episode_id} is not in the changelog as the input says"


def _ledger_faults(state: dict[int, RestoredPartition], evidence: Evidence) -> Iterator[str]:
    """I3, as far as billing is concerned: what the changelog says was told is what was told, in order."""
    told: dict[str, list[Any]] = {}
    for record in evidence.events:
        event = orjson.loads(record.value or b"null")
        told.setdefault(event["episode_id"], []).append(event)
    for restored in state.values():
        for key, value in restored.episodes.items():
            episode_id = episode_id_of(key)
            ledger = orjson.loads(orjson.dumps(list(decode_episode(value).ledger.events(episode_id))))
            if ledger != told.pop(episode_id, []):
                yield f"the ledger of {episode_id} is not what billing was told"
    for episode_id in told:
        yield f"billing was told of {episode_id}, and the changelog does not know it"


def live_reader_violations(events: Sequence[InputRecord], as_they_came: Sequence[InputRecord]) -> Iterator[Violation]:
    """I4: who read along saw what a fresh reader sees, at the same offsets, and nothing else."""
    fresh, live = (
        {(record.partition, record.offset, record.value) for record in records} for records in (events, as_they_came)
    )
    if aborted := live - fresh:
        yield Violation(Invariant.NO_ABORTED_READ, f"{len(aborted)} events were seen, and are not there any more")
    if unseen := fresh - live:
        yield Violation(Invariant.NO_ABORTED_READ, f"{len(unseen)} events were never seen by the reader that ran along")
    if len(as_they_came) != len(live):
        yield Violation(Invariant.EXACTLY_ONCE, "the reader that ran along saw an event twice")


def _liveness_violations(evidence: Evidence, state: dict[int, RestoredPartition]) -> Iterator[Violation]:
    """I8 and I9: all is read, no transaction is open, and a restore gives what a reader from outside folds."""
    for topic, partition, last in evidence.last_offsets():
        positions = state[partition].positions if partition in state else None
        next_offset = positions.next_offsets.get(topic, 0) if positions is not None else 0
        if next_offset <= last:
            yield Violation(Invariant.LIVENESS, f"{topic}-{partition} is read to {next_offset}, and goes to {last}")
    for name in evidence.open_ends:
        yield Violation(Invariant.LIVENESS, f"a transaction is open in {name}")
    for fault in evidence.faults_of_processes:
        yield Violation(Invariant.LIVENESS, fault)
    for partition, restored in evidence.restored.items():
        if restored != state[partition]:
            yield Violation(Invariant.RESTORE, f"partition {partition} is restored to something else than it holds")
    for partition, restored in state.items():
        next_offsets = restored.positions.next_offsets if restored.positions is not None else {}
        for topic in evidence.topology.sources:
            committed = evidence.committed.get(TopicPartition(topic, partition), -1)
            if committed not in (-1, next_offsets.get(topic, -1)):
                stands = next_offsets.get(topic)
                told = f"{topic}-{partition}: the group stands at {committed}, the changelog at {stands}"
                yield Violation(Invariant.ATOMIC_PREFIX, told)
