"""A stream task: the episodes of one partition, and what its records do to them.

Kafka Streams' word. A task reads one partition of each source topic and owns the same partition of the
changelog. It is synchronous and knows no client: batches in, records to write out. What it writes goes
into the one transaction of the worker's step, together with the positions that it reached.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import TypeAlias

from streams.domain.coder import CodedEpisode, advance, decided
from streams.domain.decision import Coded
from streams.domain.fact import left_behind
from streams.domain.patient_merge import survivors_among
from streams.domain.policy import Policy
from streams.intake.decoder import Decoded, Decoder
from streams.intake.rejection import RejectedError
from streams.processing.arrivals import Gathering
from streams.processing.changelog import (
    episode_id_of,
    episode_key,
)
from streams.processing.merged_patients import MergedPatients, episodes_of
from streams.processing.outbox import Outbox
from streams.processing.partitioning import home_partition
from streams.processing.records import Batch, FetchedRecord, OutputRecord, PlacedRecord
from streams.processing.rekeying import Origin, arrived_origin, origin_of
from streams.processing.stored_episode import decode_episode, encode_episode, grown, with_new_facts
from streams.processing.task_output import TaskOutput
from streams.processing.topology import InputKind, Topology
from streams.processing.trace_context import trace_context

Arrivals: TypeAlias = dict[bytes, Gathering]
"""By the changelog key of their episode."""

_NEW = CodedEpisode()
_RECORDS_A_TURN = 512
"""A few milliseconds: the commit of the step before needs the processor now and then."""


@dataclass(frozen=True, slots=True)
class Coder:
    """What every task of a worker shares: how to read, by which rules, and into which topics."""

    decoder: Decoder
    policy: Policy
    topology: Topology
    partition_counts: Mapping[str, int]
    """Of every topic of the topology."""
    follows_traces: bool = False
    """Whether coding events continue the traces of the records that cause them."""

    @property
    def task_count(self) -> int:
        """How many partitions the changelog has."""
        return self.partition_counts[self.topology.episodes_changelog]


class StreamTask:
    """The episodes and positions of one partition.

    Args:
        partition: Of every source topic that has so many, and of the changelog.
        coder: What the tasks share.
        episodes: Encoded episodes by changelog key; the task changes it.
        next_offsets: The positions that belong to *episodes*.
        merges: The merges of patients that do, as the changelog has them.
    """

    def __init__(
        self,
        partition: int,
        coder: Coder,
        episodes: MutableMapping[bytes, bytes],
        next_offsets: Mapping[str, int],
        merges: Mapping[bytes, bytes] = MappingProxyType({}),
    ) -> None:
        self.partition = partition
        self.episodes = episodes
        self.episode_bytes = sum(map(len, episodes.values()))
        self.next_offsets = dict(next_offsets)
        self._patients = MergedPatients(merges)
        self._outbox = Outbox(partition, coder.policy, coder.topology, coder.partition_counts)
        self._coder = coder
        self._task_count = coder.task_count
        self._follows_traces = coder.follows_traces
        self._kinds = coder.topology.kinds
        self._changelog = coder.topology.episodes_changelog
        self._decode = {
            InputKind.SURVEY: coder.decoder.decode_survey,
            InputKind.TREATMENT: coder.decoder.decode_treatment,
        }

    def process(self, batches: Iterable[Batch]) -> TaskOutput:
        """Fold *batches* into the episodes, decide once per touched episode, and say what to write."""
        output = TaskOutput()
        for _ in self.processing(batches, output):
            pass
        return output

    def processing(self, batches: Iterable[Batch], output: TaskOutput) -> Iterator[None]:
        """`process` in turns, into *output*: between two of them others may have the processor.

        The task must not be asked for anything else until the last turn.
        """
        arrivals: Arrivals = {}
        for topic, records in batches:
            if not records:
                continue
            for start in range(0, len(records), _RECORDS_A_TURN):
                self._take(topic, records[start : start + _RECORDS_A_TURN], arrivals, output)
                yield
            output.consumed[topic] += len(records)
            output.consumed_bytes[topic] += sum(len(record.value or b"") for record in records)
            self.next_offsets[topic] = output.next_offsets[topic] = records[-1].offset + 1
        yield from self._touch_merged(arrivals)
        gathered = iter(arrivals.items())
        while turn := tuple(islice(gathered, _RECORDS_A_TURN)):
            for key, gathering in turn:
                self._advance(key, gathering, output)
            yield
        if output.next_offsets:
            output.records.append(self._outbox.positions(self.next_offsets))

    def _take(self, topic: str, records: Sequence[FetchedRecord], arrivals: Arrivals, output: TaskOutput) -> None:
        kind = self._kinds.get(topic)
        if kind is None:
            self._take_rekeyed(topic, records, arrivals, output)
        elif kind is InputKind.PATIENT_MERGE:
            self._take_merges(topic, records, output)
        else:
            self._take_input(topic, records, arrivals, output)

    def _take_input(self, topic: str, records: Sequence[FetchedRecord], arrivals: Arrivals, output: TaskOutput) -> None:
        """Decode records and put each where it belongs: its episode, its way home, or the dead letters."""
        kind, partition = self._kinds[topic], self.partition
        decode, survivors = self._decode[kind], self._patients.survivors
        for record in records:
            try:
                decoded = decode(record.value, record.headers)
                key = episode_key(decoded.episode_id)
                gathering = arrivals.get(key)
                if gathering is None:
                    stored = self.episodes.get(key)
                    if stored is None and not self._is_home(decoded.episode_id):
                        origin = origin_of(PlacedRecord.of(record, topic, partition), kind)
                        self._outbox.send_home(record, origin, decoded.episode_id, output)
                        continue
                    gathering = arrivals[key] = Gathering(stored)
                gathering.take(decoded.fact, record.timestamp)
                if decoded.fact.patient_id in survivors:
                    gathering.merged_at_ms = record.timestamp
                if decoded.fact.moved_from_episode_id is not None:
                    origin = origin_of(PlacedRecord.of(record, topic, partition), kind)
                    self._leave(record, origin, decoded, arrivals, output)
                if self._follows_traces:
                    gathering.cause = trace_context(record.headers) or gathering.cause
            except RejectedError as rejected:
                origin = origin_of(PlacedRecord.of(record, topic, partition), kind)
                self._outbox.set_aside(record, origin, rejected, output)

    def _take_rekeyed(
        self, topic: str, records: Sequence[FetchedRecord], arrivals: Arrivals, output: TaskOutput
    ) -> None:
        """Take in records that another task has sent home."""
        for fetched in records:
            record = PlacedRecord.of(fetched, topic, self.partition)
            origin = arrived_origin(record)
            if origin.kind is InputKind.PATIENT_MERGE:
                self._take_merge(record, origin, output)
                continue
            try:
                decoded = self._decode[origin.kind](record.value, origin.headers)
                if not origin.leaves:
                    gathering = self._gathering(decoded.episode_id, arrivals)
                    gathering.take(decoded.fact, origin.timestamp_ms)
                    if decoded.fact.patient_id in self._patients.survivors:
                        gathering.merged_at_ms = origin.timestamp_ms
                    if self._follows_traces:
                        gathering.cause = trace_context(origin.headers) or gathering.cause
                self._leave(record, origin, decoded, arrivals, output)
            except RejectedError as rejected:
                self._outbox.set_aside(record, origin, rejected, output)

    def _leave(
        self, record: FetchedRecord, origin: Origin, decoded: Decoded, arrivals: Arrivals, output: TaskOutput
    ) -> None:
        """Take a fact that has moved here out of the episode that it was in; if need be, by way of that one's home.

        From here, where it was taken in, and not from where it was first read: what is turned away moves nothing.
        """
        left = left_behind(decoded.fact, decoded.episode_id)
        if left is None:
            return
        episode_id, fact = left
        if not self._is_home(episode_id):
            self._outbox.send_home(record, origin._replace(leaves=True), episode_id, output)
            return
        gathering = self._gathering(episode_id, arrivals)
        gathering.take_back(fact, origin.timestamp_ms)
        if fact.patient_id in self._patients.survivors:
            gathering.merged_at_ms = origin.timestamp_ms
        if self._follows_traces:
            gathering.cause = trace_context(origin.headers) or gathering.cause

    def _take_merges(self, topic: str, records: Sequence[FetchedRecord], output: TaskOutput) -> None:
        """Take merges in, and tell those that were not known to every other task."""
        for fetched in records:
            record = PlacedRecord.of(fetched, topic, self.partition)
            origin = origin_of(record, InputKind.PATIENT_MERGE)
            try:
                is_new = self._take_merge(record, origin, output)
            except RejectedError as rejected:
                self._outbox.set_aside(record, origin, rejected, output)
                continue
            for partition in range(self._task_count) if is_new else ():
                if partition != self.partition:
                    self._outbox.forward(record, origin, partition, output)

    def _take_merge(self, record: FetchedRecord, origin: Origin, output: TaskOutput) -> bool:
        stored = self._patients.take(
            self._coder.decoder.decode_merge(record.value, origin.headers), origin.timestamp_ms
        )
        if stored is not None:
            output.records.append(OutputRecord(self._changelog, self.partition, *stored))
        return stored is not None

    def _touch_merged(self, arrivals: Arrivals) -> Iterator[None]:
        """Have every episode decided anew whose patients go by another id since this step."""
        changed = self._patients.settle()
        if not changed:
            return
        merged_at_ms, is_of_changed = self._patients.newest_timestamp_ms, episodes_of(changed)
        for gathering in arrivals.values():
            gathering.merged_at_ms = merged_at_ms
        for number, (key, value) in enumerate(self.episodes.items()):
            if is_of_changed(value):
                arrivals.setdefault(key, Gathering(value)).merged_at_ms = merged_at_ms
            if number % _RECORDS_A_TURN == 0:
                yield

    def _gathering(self, episode_id: str, arrivals: Arrivals) -> Gathering:
        key = episode_key(episode_id)
        gathering = arrivals.get(key)
        if gathering is None:
            gathering = arrivals[key] = Gathering(self.episodes.get(key))
        return gathering

    def _is_home(self, episode_id: str) -> bool:
        return home_partition(episode_id, self._task_count) == self.partition

    def _advance(self, key: bytes, gathering: Gathering, output: TaskOutput) -> None:
        stored, arrivals = gathering.stored, gathering.arrivals
        is_of_merged = gathering.merged_at_ms is not None
        if not arrivals and (stored is None or not is_of_merged):
            return  # all were turned away
        value = None if is_of_merged else with_new_facts(stored, arrivals)
        if value is None:
            value = self._decided(key, gathering, output)
        else:
            output.decisions["too_few_facts"] += 1
        if value != stored:
            self.episodes[key] = value
            self.episode_bytes += len(value) - (len(stored) if stored is not None else 0)
            output.records.append(OutputRecord(self._changelog, self.partition, key, value))

    def _decided(self, key: bytes, gathering: Gathering, output: TaskOutput) -> bytes:
        """The episode with what has arrived, after a decision; what billing is to be told goes into *output*."""
        stored, arrived = gathering.stored, gathering.arrivals
        episode_id, policy, survivors = episode_id_of(key), self._coder.policy, self._patients.survivors
        episode = grown(stored, arrived)
        if episode is None:
            before = decode_episode(stored) if stored is not None else _NEW
            arrivals = [arrival.decoded() for arrival in arrived]
            step = advance(before, arrivals, episode_id=episode_id, policy=policy, survivors=survivors)
            if stored is not None and not step.changed:
                return stored
            value, decision, event = encode_episode(step.after), step.decision, step.event
        else:
            at_ms = episode.newest_timestamp_ms
            decision, posting = decided(
                episode.facts,
                episode.ledger,
                episode_id=episode_id,
                newest_timestamp_ms=at_ms,
                policy=policy,
                survivors=survivors,
            )
            value = episode.with_ledger(posting.ledger, survivors_among(episode.facts, survivors))
            event = posting.event
        if decision is not None:
            output.decisions[decision.code if isinstance(decision, Coded) else decision.missing.reason] += 1
        if event is not None:
            self._outbox.tell_billing(event, gathering, output)
        return value
