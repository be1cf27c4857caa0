"""One partition of a topic as a broker keeps it: records, control records, and what a reader is shown of them.

As in Kafka, a transaction's records are in the log before it is decided. A control record (a *marker*) decides
those of one producer in one partition; up to the first undecided record lies the *last stable offset*, up to
the end the *high watermark*. Compaction removes records and leaves the offsets as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from streams.processing.records import OutputRecord
from streams.worker.step import TopicPartition
from tests.simulation.refusals import FencedError, OutOfSequenceError
from tests.tasks_in_memory import FORWARDED_AT_MS, Record


class Producer(NamedTuple):
    """Who writes, by InitProducerId."""

    id: int
    epoch: int


class Unit(NamedTuple):
    """One step of one process: what is written at once, or not at all."""

    transactional_id: str
    process: int
    step: int


class Fate(Enum):
    """What became of a record."""

    UNDECIDED = "undecided"
    COMMITTED = "committed"
    ABORTED = "aborted"
    CONTROL = "control"


@dataclass(slots=True)
class Entry:
    """What stands at one offset."""

    record: Record | None
    """None for a control record."""
    fate: Fate
    producer: Producer | None = None
    unit: Unit | None = None
    is_removed: bool = False
    """By compaction: no reader gets it, but it did happen."""
    is_old_tombstone: bool = False


@dataclass(slots=True)
class _ProducerState:
    epoch: int
    next_sequence: int = 0
    ongoing_from: int | None = None
    """The offset of the first record of its open transaction here."""


class PartitionLog:
    """The log of *tp*."""

    def __init__(self, tp: TopicPartition) -> None:
        self.tp = tp
        self.entries: list[Entry] = []
        self._producers: dict[int, _ProducerState] = {}

    @property
    def high_watermark(self) -> int:
        """The end of the log: there is one replica here."""
        return len(self.entries)

    @property
    def last_stable_offset(self) -> int:
        """Up to where every record is decided."""
        open_from = [state.ongoing_from for state in self._producers.values() if state.ongoing_from is not None]
        return min(open_from, default=len(self.entries))

    def append_plain(self, record: OutputRecord, *, timestamp_ms: int, fate: Fate = Fate.COMMITTED) -> None:
        """Append a record of somebody who needs no fencing: an input."""
        self.entries.append(Entry(self._record(record, timestamp_ms), fate))

    def append_control(self) -> None:
        """Append a marker that decides nothing here: a hole in the offsets, to whoever reads records."""
        self.entries.append(Entry(None, Fate.CONTROL))

    def append(
        self,
        records: Sequence[OutputRecord],
        *,
        producer: Producer,
        first_sequence: int,
        unit: Unit,
        verify: Callable[[], None],
    ) -> None:
        """Append a batch of an open transaction; one that is here already is acknowledged again.

        Raises:
            FencedError: A later epoch has written here, or the coordinator knows of no such transaction.
            OutOfSequenceError: A batch in between is missing.
        """
        state = self._state_of(producer)
        if first_sequence < state.next_sequence:
            return
        if first_sequence > state.next_sequence:
            raise OutOfSequenceError
        if state.ongoing_from is None:
            verify()
            state.ongoing_from = len(self.entries)
        state.next_sequence += len(records)
        for record in records:
            stored = self._record(record, FORWARDED_AT_MS)
            self.entries.append(Entry(stored, Fate.UNDECIDED, producer, unit))

    def append_marker(self, producer: Producer, *, commits: bool) -> None:
        """Decide what *producer* has written here since its last marker."""
        state = self._producers.setdefault(producer.id, _ProducerState(producer.epoch))
        if state.ongoing_from is not None:
            for entry in self.entries[state.ongoing_from :]:
                if entry.producer is not None and entry.producer.id == producer.id:
                    entry.fate = Fate.COMMITTED if commits else Fate.ABORTED
        if producer.epoch > state.epoch:
            state.epoch, state.next_sequence = producer.epoch, 0
        state.ongoing_from = None
        self.append_control()

    def read_committed(self, start: int) -> list[Record]:
        """What a `read_committed` reader is given from *start* up to the last stable offset."""
        return [
            entry.record
            for entry in self.entries[start : self.last_stable_offset]
            if entry.record is not None and entry.fate is Fate.COMMITTED and not entry.is_removed
        ]

    def compact(self) -> None:
        """Remove what is aborted, and what a later record of its key replaces, in all that is stable.

        A tombstone (a record without a value) lasts for one more compaction, as it lasts for a time in Kafka.
        """
        last: dict[bytes | None, Entry] = {}
        for entry in self.entries[: self.last_stable_offset]:
            if entry.fate is Fate.ABORTED:
                entry.is_removed = True
            if entry.fate is not Fate.COMMITTED or entry.record is None or entry.is_removed:
                continue
            replaced = last.get(entry.record.key)
            if replaced is not None:
                replaced.is_removed = True
            last[entry.record.key] = entry
        for entry in last.values():
            if entry.record is not None and entry.record.value is None:
                entry.is_removed, entry.is_old_tombstone = entry.is_old_tombstone, True

    def _state_of(self, producer: Producer) -> _ProducerState:
        state = self._producers.setdefault(producer.id, _ProducerState(producer.epoch))
        if producer.epoch < state.epoch:
            raise FencedError
        if producer.epoch > state.epoch:
            state.epoch, state.next_sequence = producer.epoch, 0
        return state

    def _record(self, record: OutputRecord, timestamp_ms: int) -> Record:
        offset = len(self.entries)
        return Record(self.tp.topic, self.tp.partition, offset, timestamp_ms, record.key, record.value, record.headers)
