"""A stream task: the episodes of one partition, and what its records do to them.

Kafka Streams' word. A task reads one partition of each source topic and owns the same partition of the
changelog. It is synchronous and knows no client: batches in, records to write out. What it writes goes
into the one transaction of the worker's step, together with the positions that it reached.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import TypeAlias

from streams.domain.decision import Coded, NotCoded
from streams.domain.fact import left_behind
from streams.intake.decoder import Decoded
from streams.intake.rejection import RejectedError
from streams.processing.arrivals import Gathering, not_taken_back
from streams.processing.changelog import (
    POSITIONS_KEY,
    Positions,
    encode_positions,
    episode_id_of,
    episode_key,
)
from streams.processing.deciding import decided_episode
from streams.processing.forgotten import ForgottenEpisodes
from streams.processing.merged_patients import MergedPatients
from streams.processing.records import Batch, FetchedRecord, OutputRecord, PlacedRecord
from streams.processing.rekeying import Origin, arrived_origin, origin_of
from streams.processing.routing import Router
from streams.processing.stored_episode import with_new_facts
from streams.processing.task_coder import Coder
from streams.processing.task_output import TaskOutput
from streams.processing.task_time import TaskTime
from streams.processing.telling import Teller
from streams.processing.topology import InputKind
from streams.processing.trace_context import trace_context

Arrivals: TypeAlias = dict[bytes, Gathering]
"""By the changelog key of their episode."""

_RECORDS_A_TURN = 512
"""A few milliseconds: the commit of the step before needs the processor now and then."""
_LOOKS_A_STEP = 4_096
"""Some hundred milliseconds: what is coded meanwhile waits for no longer."""


class StreamTask:
    """The episodes and positions of one partition.

    Args:
        partition: Of every source topic that has so many, and of the changelog.
        coder: What the tasks share.
        episodes: Encoded episodes by changelog key; the task changes it.
        positions: Those that belong to *episodes*; None where nothing was read.
        forgotten: What is left of forgotten episodes, by changelog key.
        merges: Merges of patients, by changelog key.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of its state
        self,
        partition: int,
        coder: Coder,
        episodes: MutableMapping[bytes, bytes],
        positions: Positions | None = None,
        forgotten: Iterable[bytes] = (),
        merges: Mapping[bytes, bytes] = MappingProxyType({}),
    ) -> None:
        self.partition = partition
        self.episodes = episodes
        self.episode_bytes = sum(map(len, episodes.values()))
        self.next_offsets = dict(positions.next_offsets) if positions is not None else {}
        self.time = TaskTime(coder.policy, positions.as_of_ms if positions is not None else 0)
        self._forgotten = ForgottenEpisodes(forgotten)
        self._ticks_read: int | None = None
        """The offset behind the ticks that were read and are not done yet."""
        self._coder = coder
        self._task_count = coder.task_count
        self._follows_traces = coder.follows_traces
        self._kinds = coder.topology.kinds
        self._ticks = coder.topology.ticks
        self._changelog = coder.topology.episodes_changelog
        self._router = Router(partition, coder.topology, coder.partition_counts)
        self._patients = MergedPatients(merges, coder.decoder, self._router, (self._changelog, partition))
        self._teller = Teller(partition, coder.policy, coder.topology, coder.partition_counts)
        self._decode = {
            InputKind.SURVEY: coder.decoder.decode_survey,
            InputKind.TREATMENT: coder.decoder.decode_treatment,
        }

    @property
    def is_behind_time(self) -> bool:
        """Whether a tick was read whose work is not done: the next step goes on with it, also without records."""
        return self._ticks_read is not None

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
            next_offset = records[-1].offset + 1
            if topic == self._ticks:
                self.time.pass_by([tick for tick in records if tick.offset >= (self._ticks_read or 0)])
                self._ticks_read = next_offset
            else:
                for start in range(0, len(records), _RECORDS_A_TURN):
                    self._take(topic, records[start : start + _RECORDS_A_TURN], arrivals, output)
                    yield
                self.next_offsets[topic] = output.next_offsets[topic] = next_offset
            output.consumed[topic] += len(records)
            output.consumed_bytes[topic] += sum(len(record.value or b"") for record in records)
        yield from self._patients.touching(arrivals, self.episodes)
        gathered = iter(arrivals.items())
        while turn := tuple(islice(gathered, _RECORDS_A_TURN)):
            for key, gathering in turn:
                self._advance(key, gathering, output)
            yield
        if self._ticks_read is not None:
            yield from self._passing_time(self._ticks_read, output)
        if output.next_offsets:
            output.records.append(self._positions_record())

    def _passing_time(self, ticks_read: int, output: TaskOutput) -> Iterator[None]:
        """Look at the episodes that the time brings due; at no more than so many in one step."""
        yield from self.time.planning(self.episodes)
        for number, key in enumerate(self.time.due(_LOOKS_A_STEP), start=1):
            self._look(key, output)
            if number % _RECORDS_A_TURN == 0:
                yield
        if not self.time.is_due:
            self.next_offsets[self._ticks], self._ticks_read = ticks_read, None
        # Also where it stands as it stood: without an offset the group would not be asked whether this is still ours.
        output.next_offsets[self._ticks] = self.next_offsets.get(self._ticks, 0)

    def _look(self, key: bytes, output: TaskOutput) -> None:
        """Do with an episode what its time has come for: decide it without a new fact, or forget it."""
        stored = self.episodes.get(key)
        if stored is None:
            return
        if self.time.is_to_be_decided(key, stored):
            self._keep(key, stored, self._decided(key, Gathering(stored), output), output)
        if self.time.is_to_be_forgotten(stored):
            self._forget(key, output)
        else:
            self.time.note_kept(key, stored)

    def _forget(self, key: bytes, output: TaskOutput) -> None:
        self.episode_bytes -= len(self.episodes.pop(key))
        left = self._forgotten.add(key)
        output.records += [OutputRecord(self._changelog, self.partition, k, v) for k, v in ((key, None), (left, b""))]
        output.forgotten += 1

    def _take(self, topic: str, records: Sequence[FetchedRecord], arrivals: Arrivals, output: TaskOutput) -> None:
        kind = self._kinds.get(topic)
        if kind is None:
            self._take_rekeyed(topic, records, arrivals, output)
        elif kind is InputKind.PATIENT_MERGE:
            self._patients.take_input(topic, records, output)
        else:
            self._take_input(topic, records, arrivals, output)

    def _take_input(self, topic: str, records: Sequence[FetchedRecord], arrivals: Arrivals, output: TaskOutput) -> None:
        """Decode records and put each where it belongs: its episode, its way home, or the dead letters."""
        decode = self._decode[self._kinds[topic]]
        for record in records:
            try:
                decoded = decode(record.value, record.headers)
                key = episode_key(decoded.episode_id)
                gathering = arrivals.get(key)
                if gathering is None:
                    stored = self.episodes.get(key)
                    if stored is None:
                        if not self._router.is_home(decoded.episode_id):
                            self._router.forward(record, self._origin(record, topic), decoded.episode_id, output)
                            continue
                        self._forgotten.turn_away(key)
                    gathering = arrivals[key] = Gathering(stored)
                gathering.take(decoded.fact, record.timestamp)
                self._patients.mark(gathering, decoded.fact, record.timestamp)
                if decoded.fact.moved_from_episode_id is not None:
                    self._leave(record, self._origin(record, topic), decoded, arrivals, output)
                if self._follows_traces:
                    gathering.cause = trace_context(record.headers) or gathering.cause
            except RejectedError as rejected:
                self._router.reject(record, self._origin(record, topic), rejected, output)

    def _origin(self, record: FetchedRecord, topic: str) -> Origin:
        return origin_of(PlacedRecord.of(record, topic, self.partition), self._kinds[topic])

    def _take_rekeyed(
        self, topic: str, records: Sequence[FetchedRecord], arrivals: Arrivals, output: TaskOutput
    ) -> None:
        """Take in records that another task has sent home."""
        for fetched in records:
            record = PlacedRecord.of(fetched, topic, self.partition)
            origin = arrived_origin(record)
            if origin.kind is InputKind.PATIENT_MERGE:
                self._patients.take(record, origin, output)
                continue
            try:
                decoded = self._decode[origin.kind](record.value, origin.headers)
                if not origin.leaves:
                    gathering = self._gathering(decoded.episode_id, arrivals)
                    gathering.take(decoded.fact, origin.timestamp_ms)
                    self._patients.mark(gathering, decoded.fact, origin.timestamp_ms)
                    if self._follows_traces:
                        gathering.cause = trace_context(origin.headers) or gathering.cause
                self._leave(record, origin, decoded, arrivals, output)
            except RejectedError as rejected:
                self._router.reject(record, origin, rejected, output)

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
        if not self._router.is_home(episode_id):
            self._router.forward(record, origin._replace(leaves=True), episode_id, output)
            return
        try:
            gathering = self._gathering(episode_id, arrivals)
            gathering.take_back(fact, origin.timestamp_ms)
        except RejectedError as rejected:
            raise not_taken_back(rejected) from None
        self._patients.mark(gathering, fact, origin.timestamp_ms)
        if self._follows_traces:
            gathering.cause = trace_context(origin.headers) or gathering.cause

    def _gathering(self, episode_id: str, arrivals: Arrivals) -> Gathering:
        key = episode_key(episode_id)
        gathering = arrivals.get(key)
        if gathering is None:
            stored = self.episodes.get(key)
            if stored is None:
                self._forgotten.turn_away(key)
            gathering = arrivals[key] = Gathering(stored)
        return gathering

    def _advance(self, key: bytes, gathering: Gathering, output: TaskOutput) -> None:
        stored, arrivals = gathering.stored, gathering.arrivals
        is_of_merged = gathering.merged_at_ms is not None
        if not arrivals and (stored is None or not is_of_merged):
            return  # all were turned away
        value = None if is_of_merged else with_new_facts(stored, arrivals, self._coder.policy)
        if value is None:
            value = self._decided(key, gathering, output)
        else:
            output.decisions["too_few_facts"] += 1
        self._keep(key, stored, value, output)
        if stored is None:
            self.time.note_kept(key, value)

    def _keep(self, key: bytes, stored: bytes | None, value: bytes, output: TaskOutput) -> None:
        if value != stored:
            self.episodes[key] = value
            self.episode_bytes += len(value) - (len(stored) if stored is not None else 0)
            output.records.append(OutputRecord(self._changelog, self.partition, key, value))

    def _decided(self, key: bytes, gathering: Gathering, output: TaskOutput) -> bytes:
        """The episode with what has arrived, after a decision; what billing is to be told goes into *output*."""
        value, decision, event = decided_episode(
            gathering.stored,
            gathering.arrivals,
            episode_id=episode_id_of(key),
            policy=self._coder.policy,
            as_of_ms=self.time.as_of_ms,
            survivors=self._patients.survivors,
        )
        if decision is not None:
            output.decisions[decision.code if isinstance(decision, Coded) else decision.missing.reason] += 1
            if isinstance(decision, NotCoded) and decision.closes_at is not None:
                self.time.note_closing(key, decision.closes_at)
        if event is not None:
            at_ms = gathering.newest_timestamp_ms(otherwise=self.time.told_at_ms)
            self._teller.tell(event, cause=gathering.cause, caused_at_ms=at_ms, output=output)
        return value

    def _positions_record(self) -> OutputRecord:
        positions = Positions(self._task_count, self.next_offsets, self.time.as_of_ms)
        return OutputRecord(self._changelog, self.partition, POSITIONS_KEY, encode_positions(positions))
