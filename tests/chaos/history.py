"""Was every step of the changelog's history one whole step, taken once, in order?

The positions end each step. Between two of them the changelog must say exactly what the input records between the two
positions do to the episodes: nothing of them missing (torn), nothing else (a worker that was left behind), and nothing
twice. So every transaction is checked, not only what came of all of them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from streams.domain.episode import Arrival, Episode
from streams.domain.ledger import Ledger
from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError
from streams.processing.changelog import (
    POSITIONS_KEY,
    Positions,
    decode_positions,
    episode_id_of,
    episode_key,
)
from streams.processing.partitioning import home_partition
from streams.processing.records import InputRecord
from streams.processing.rekeying import arrived_origin
from streams.processing.stored_episode import decode_episode
from streams.processing.topology import InputKind
from streams.recount.standing import Coordinates
from tests.chaos.evidence import Evidence

Told = tuple[str, str]
"""The number of the invariant, and a sentence."""


def history_violations(evidence: Evidence) -> Iterator[Told]:
    """What is wrong with the history, if anything."""
    task_count = evidence.partition_counts[evidence.topology.episodes_changelog]
    forwarded: Counter[Coordinates] = Counter()
    for partition in range(task_count):
        history = _PartitionHistory(evidence, partition, task_count)
        yield from history.replay()
        forwarded.update(history.forwarded)
    travelled: Counter[Coordinates] = Counter()
    for record in evidence.rekeyed:
        origin = arrived_origin(record)
        travelled[Coordinates(origin.topic, origin.partition, origin.offset)] += 1
    for source in sorted(forwarded.keys() | travelled.keys()):
        if forwarded[source] != travelled[source]:
            yield "I7", f"{source} was sent home {travelled[source]} times, and should have been {forwarded[source]}"


@dataclass(slots=True)
class _PartitionHistory:
    evidence: Evidence
    partition: int
    task_count: int
    forwarded: list[Coordinates] = field(default_factory=list)
    """Input records of this partition that belong to another."""
    _episodes: dict[bytes, Episode] = field(default_factory=dict)
    _ledgers: dict[bytes, Ledger] = field(default_factory=dict)
    _positions: dict[str, int] = field(default_factory=dict)
    _sources: Mapping[str, Sequence[InputRecord]] = field(default_factory=dict)

    def replay(self) -> Iterator[Told]:
        """Go through the history, step by step."""
        topology = self.evidence.topology
        self._sources = {topic: self.evidence.records_of(topic, self.partition) for topic in topology.sources}
        step: dict[bytes, bytes] = {}
        for record in self.evidence.records_of(topology.episodes_changelog, self.partition):
            key, value = record.key or b"", record.value or b""
            where = f"{record.topic}-{record.partition}@{record.offset}"
            if key != POSITIONS_KEY:
                if key in step:
                    yield "I3", f"{where}: {key!r} appears twice in one step"
                step[key] = value
                continue
            yield from self._take_step(where, step, decode_positions(value))
            step = {}
        if step:
            yield "I3", f"partition {self.partition} of the changelog ends in a step without positions"

    def _take_step(self, where: str, step: Mapping[bytes, bytes], positions: Positions) -> Iterator[Told]:
        arrivals: dict[bytes, list[Arrival]] = {}
        for topic, next_offset in positions.next_offsets.items():
            read_to = self._positions.get(topic, 0)
            if next_offset < read_to:
                yield "I6", f"{where}: {topic} goes back from {read_to} to {next_offset}: a worker that was left behind"
            for record in self._sources[topic]:
                if read_to <= record.offset < next_offset:
                    self._arrive(record, arrivals)
        if missing := self._positions.keys() - positions.next_offsets.keys():
            yield "I6", f"{where}: the positions in {sorted(missing)} are gone"
        self._positions = dict(positions.next_offsets)
        expected = {}
        for key, arrived in arrivals.items():
            before = self._episodes.get(key, Episode())
            after = before.with_arrivals(arrived)
            if after is not before:
                expected[key] = after
        self._episodes.update(expected)
        yield from self._compare(where, expected, step)

    def _compare(self, where: str, expected: Mapping[bytes, Episode], step: Mapping[bytes, bytes]) -> Iterator[Told]:
        for key in sorted(expected.keys() | step.keys()):
            coded = decode_episode(step[key]) if key in step else None
            if coded is None or coded.episode != expected.get(key):
                yield "I3", f"{where}: the step says of {episode_id_of(key)} what its records do not"
            if coded is not None:
                before = self._ledgers.get(key, Ledger()).entries
                if coded.ledger.entries[: len(before)] != before or len(coded.ledger.entries) > len(before) + 1:
                    yield "I5", f"{where}: the ledger of {episode_id_of(key)} does not follow on the one before"
                self._ledgers[key] = coded.ledger

    def _arrive(self, record: InputRecord, arrivals: dict[bytes, list[Arrival]]) -> None:
        """Put what *record* says where it belongs."""
        kinds = self.evidence.topology.kinds
        decoder = Decoder(self.evidence.policy.instruments)
        headers, timestamp_ms = record.headers, max(record.timestamp, 0)
        kind = kinds.get(record.topic)
        is_home = kind is None
        if kind is None:
            origin = arrived_origin(record)
            kind, headers, timestamp_ms = origin.kind, origin.headers, origin.timestamp_ms
        try:
            decode = decoder.decode_survey if kind is InputKind.SURVEY else decoder.decode_treatment
            decoded = decode(record.value, headers)
        except RejectedError:
            return  # the dead letters are looked at by themselves
        if is_home or home_partition(decoded.episode_id, self.task_count) == self.partition:
            arrivals.setdefault(episode_key(decoded.episode_id), []).append(Arrival(decoded.fact, timestamp_ms))
        else:
            self.forwarded.append(Coordinates(record.topic, record.partition, record.offset))
