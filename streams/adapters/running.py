"""Runs of messages to the records that they come to: events for the inputs, and dead letters."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from streams.adapters.adaptation import AdaptedEvent, Adapter, FaultError
from streams.kafka.sealing import Sealing
from streams.processing.adapter_topics import AdapterTopics
from streams.processing.dead_letter import dead_letter
from streams.processing.partitioning import home_partition
from streams.processing.records import Header, InputRecord, OutputRecord

_FAULTS_TOLD_MAX = 3
_TRACE = frozenset({"traceparent", "tracestate"})
"""Headers of W3C Trace Context, which an event carries on."""


@dataclass(slots=True)
class Tally:
    """How much was read, and what became of it."""

    messages: int = 0
    events: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Count *other*, too."""
        self.messages += other.messages
        self.events += other.events
        self.dead_letters += other.dead_letters
        self.passed_over += other.passed_over


@dataclass(frozen=True, slots=True)
class Processed:
    """What a run of messages comes to."""

    records: Sequence[OutputRecord]
    tally: Tally


class MessageProcessor:
    """Adapts runs of messages.

    Args:
        adapter: Understands them.
        topics: Theirs.
        partition_counts: Of the inputs and of the dead letters.
        sealing: Seals dead letters, where there are keys.
    """

    def __init__(
        self, adapter: Adapter, topics: AdapterTopics, partition_counts: Mapping[str, int], sealing: Sealing
    ) -> None:
        self._adapter = adapter
        self._dead_letter = topics.dead_letter
        self._inputs = {kind: topic for topic, kind in topics.topology.kinds.items()}
        self._partition_counts = partition_counts
        self._sealing = sealing

    def process(self, messages: Sequence[InputRecord]) -> Processed:
        """The records to write, in the order of *messages*."""
        tally = Tally()
        records = [record for message in messages for record in self._records(message, tally)]
        return Processed(records, tally)

    def _records(self, message: InputRecord, tally: Tally) -> Iterator[OutputRecord]:
        adaptation = self._adapter.adapt(message.value)
        tally.messages += 1
        tally.passed_over += adaptation.passed_over
        headers = tuple(header for header in message.headers if header[0] in _TRACE)
        for event in adaptation.events:
            tally.events[event.kind.value] += 1
            yield self._event(event, headers)
        if adaptation.faults:
            told = told_together(adaptation.faults)
            tally.dead_letters[told.reason] += 1
            partition = message.partition % self._partition_counts[self._dead_letter]
            letter = dead_letter(message, message, told, topic=self._dead_letter, partition=partition)
            yield self._sealing.sealed(letter)

    def _event(self, event: AdaptedEvent, headers: tuple[Header, ...]) -> OutputRecord:
        topic = self._inputs[event.kind]
        partition = home_partition(event.episode_id, self._partition_counts[topic])
        return OutputRecord(topic, partition, event.episode_id.encode(), event.value, headers)


def told_together(faults: Sequence[FaultError]) -> FaultError:
    """One fault that stands for all of a message: the reason of the first, and what the first few say."""
    told = " ".join(fault.detail for fault in faults[:_FAULTS_TOLD_MAX])
    more = len(faults) - _FAULTS_TOLD_MAX
    return FaultError(faults[0].reason, f"{told} And {more} more." if more > 0 else told)
