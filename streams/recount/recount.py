"""Reads the topics and holds the outcome against the expectation."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from streams.domain.policy import Policy
from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectionReason
from streams.kafka.log_reader import read_log
from streams.kafka.sealing import Sealing
from streams.processing.dead_letter import OFFSET, PARTITION, REASON, TOPIC
from streams.processing.records import InputRecord
from streams.processing.sealed_dead_letter import OpenedDeadLetter
from streams.processing.topology import Topology
from streams.recount.billing_view import BillingView
from streams.recount.expectation import Coordinates, Expectation

Progress = Callable[[int], None]


@dataclass(slots=True)
class Recount:
    """How the outcome compares with the expectation. Lists hold episode ids."""

    record_count: int
    episode_count: int
    code_count: int
    actions: Mapping[str, int]
    missing: list[str] = field(default_factory=list)
    """Earned a code that billing does not hold."""
    extra: list[str] = field(default_factory=list)
    """Hold a code that they have not earned."""
    different: list[str] = field(default_factory=list)
    """Hold a code with another content than earned."""
    event_faults: list[str] = field(default_factory=list)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    """By reason, as they were found."""
    dead_letter_faults: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.extra or self.different or self.event_faults or self.dead_letter_faults)


async def recount(
    connection: Mapping[str, Any],
    topology: Topology,
    policy: Policy,
    *,
    sealing: Sealing | None = None,
    on_progress: Progress = lambda _count: None,
) -> Recount:
    """Recount everything from the start of the topics.

    Args:
        connection: Options of an aiokafka client.
        topology: The application's topics.
        policy: The policy that the workers worked by.
        sealing: Opens what was sealed; may be left out where nothing is.
        on_progress: Called with the number of records read since the last call.

    Raises:
        EncryptionError: A dead letter is sealed, and cannot be opened.
    """
    opened = (sealing or Sealing(None, topology)).opened_letter
    read = [record async for records in read_log(connection, [topology.dead_letter]) for record in records]
    letters = [opened(record) for record in read]
    expectation = Expectation(Decoder(policy.instruments), policy, _turned_away(letters))
    inputs: dict[Coordinates, InputRecord] = {}
    for topic, kind in topology.kinds.items():
        async for records in read_log(connection, [topic]):
            rejected = len(expectation.rejected)
            expectation.take(records, kind)
            if len(expectation.rejected) > rejected:
                inputs.update({_coordinates(r): r for r in records if _coordinates(r) in expectation.rejected})
            on_progress(len(records))
    view = BillingView()
    async for records in read_log(connection, [topology.coding_events]):
        for record in records:
            view.take(record.value)
        on_progress(len(records))
    dead_letters, dead_letter_faults = _compared(letters, expectation, inputs)
    expected, held = _as_published(expectation.codes()), view.codes()
    return Recount(
        record_count=expectation.record_count,
        episode_count=len(expectation.episodes),
        code_count=len(expected),
        actions=dict(view.actions),
        missing=sorted(expected.keys() - held.keys()),
        extra=sorted(held.keys() - expected.keys()),
        different=sorted(e for e in expected.keys() & held.keys() if expected[e] != held[e]),
        event_faults=view.faults,
        dead_letters=dead_letters,
        dead_letter_faults=dead_letter_faults,
    )


def _as_published(codes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The codes as they look after a trip over the wire (tuples become lists)."""
    published: dict[str, dict[str, Any]] = orjson.loads(orjson.dumps(codes))
    return published


def _source(dead_letter: OpenedDeadLetter) -> tuple[Coordinates, str]:
    """Where the record of *dead_letter* was first read, and why it was rejected."""
    headers = dict(dead_letter.headers)
    return Coordinates(headers[TOPIC].decode(), int(headers[PARTITION]), int(headers[OFFSET])), headers[REASON].decode()


def _turned_away(letters: Iterable[OpenedDeadLetter]) -> set[Coordinates]:
    sources = map(_source, letters)
    return {source for source, reason in sources if reason == RejectionReason.EPISODE_FULL}


def _compared(
    letters: Iterable[OpenedDeadLetter], expectation: Expectation, inputs: Mapping[Coordinates, InputRecord]
) -> tuple[dict[str, int], list[str]]:
    """Every rejected record must be a dead letter once, byte for byte and for its reason; and nothing else."""
    reasons: Counter[str] = Counter()
    faults = []
    seen: set[Coordinates] = set()
    for record in letters:
        source, reason = _source(record)
        reasons[reason] += 1
        fault = "appears twice" if source in seen else _dead_letter_fault(record, source, reason, expectation, inputs)
        seen.add(source)
        if fault is not None:
            faults.append(f"the dead letter of {_named(source)} {fault}")
    faults += [
        f"{_named(source)} is no dead letter, and should be" for source in sorted(expectation.rejected.keys() - seen)
    ]
    faults += [
        f"{_named(source)} was turned away by an episode that is not full"
        for source in expectation.wrongly_turned_away()
    ]
    return dict(reasons), faults


def _named(source: Coordinates) -> str:
    return f"{source.topic}-{source.partition}@{source.offset}"


def _dead_letter_fault(
    record: OpenedDeadLetter,
    source: Coordinates,
    reason: str,
    expectation: Expectation,
    inputs: Mapping[Coordinates, InputRecord],
) -> str | None:
    original = inputs.get(source)
    if original is None:
        return "should not be one"
    if reason != expectation.rejected[source]:
        return f"has the reason {reason}, not {expectation.rejected[source]}"
    same = (record.key, record.value) == (original.key, original.value)
    if not same or tuple(record.headers[: len(original.headers)]) != tuple(original.headers):
        return "is not what was received"
    return None


def _coordinates(record: InputRecord) -> Coordinates:
    return Coordinates(record.topic, record.partition, record.offset)
