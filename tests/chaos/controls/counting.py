"""Was every record told once, in order? The invariants I1, I4 and I5, for a program that counts records."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from streams.processing.records import InputRecord
from streams.worker.step import TopicPartition
from tests.chaos.invariants import Invariant, Judgement, Violation, live_reader_violations
from tests.chaos.observation import committed_offsets, read_all

if TYPE_CHECKING:
    from tests.chaos.trial import Trial


async def examine(trial: "Trial") -> Judgement:
    """Hold what was told against the input."""
    inputs = await read_all(trial.connection, [trial.topology.survey_completed])
    committed = await committed_offsets(trial.connection, trial.settings.app_id)
    # What the group has not committed may yet be told; what it has will never be looked at again.
    done = [r for r in inputs if r.offset < committed.get(TopicPartition(r.topic, r.partition), 0)]
    events = await read_all(trial.connection, [trial.topology.coding_events])
    judgement = judge_counts(done, events, trial.billing.records)
    if len(done) < len(inputs):  # it has hung: the frame waited for long
        left = Violation(Invariant.LIVENESS, f"{len(inputs) - len(done)} records are not done with, and nothing moves")
        judgement.violations.append(left)
    return judgement


def judge_counts(
    inputs: Sequence[InputRecord], events: Sequence[InputRecord], events_as_they_came: Sequence[InputRecord]
) -> Judgement:
    """Each record once, each episode's revisions 1, 2, 3 and so on; both readers agree.

    Args:
        inputs: The records that the program has done with.
        events: What was told, by a fresh reader.
        events_as_they_came: By one that ran along.
    """
    expected = {_told(record)["event_id"] for record in inputs}
    found = Counter(_told(record)["event_id"] for record in events)
    lost = len(expected - found.keys())
    doubled = sum(found.values()) - len(found)
    judgement = Judgement(len(inputs), len(expected), lost, doubled)
    violations = judgement.violations
    if lost:
        violations.append(Violation(Invariant.EXACTLY_ONCE, f"{lost} records are done with and were never told"))
    if doubled:
        violations.append(Violation(Invariant.EXACTLY_ONCE, f"{doubled} records were told again"))
    out_of_order = _out_of_order(events)
    if out_of_order:
        violations.append(Violation(Invariant.ORDER, f"the counts of {out_of_order} episodes are not 1, 2, 3, …"))
    violations += live_reader_violations(events, events_as_they_came)
    return judgement


def _out_of_order(events: Sequence[InputRecord]) -> int:
    revisions = defaultdict(list)
    for record in events:
        told = _told(record)
        revisions[told["episode_id"]].append(told["revision"])
    return sum(told != list(range(1, len(told) + 1)) for told in revisions.values())


def _told(record: InputRecord) -> Mapping[str, Any]:
    told: Mapping[str, Any] = orjson.loads(record.value or b"{}")
    return told
