"""What was found in the topics after a trial?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from streams.domain.policy import Policy
from streams.processing.records import InputRecord
from streams.processing.topology import Topology
from streams.worker.restorer import RestoredPartition
from streams.worker.step import TopicPartition


@dataclass(slots=True)
class Evidence:
    """Everything that a reader from outside can see when the workers have stopped.

    Records of a topic are those that a `read_committed` reader gets, each partition in order of offset.
    """

    topology: Topology
    policy: Policy
    partition_counts: Mapping[str, int]
    inputs: Sequence[InputRecord]
    """Of both input topics."""
    rekeyed: Sequence[InputRecord]
    changelog: Sequence[InputRecord]
    dead_letters: Sequence[InputRecord]
    events: Sequence[InputRecord]
    """Of the billing topic, as read afresh at the end."""
    events_as_they_came: Sequence[InputRecord]
    """The same, by a reader that ran during the faults."""
    committed: Mapping[TopicPartition, int]
    """The group's offsets."""
    open_ends: Sequence[str] = ()
    """Partitions whose last stable offset is not their high watermark: a transaction is open there."""
    restored: Mapping[int, RestoredPartition] = field(default_factory=dict)
    """What the worker's own restorer makes of the changelog."""
    is_refused: bool = False
    """Whether the workers rightly refuse to go on. Then only what was read counts as input."""
    changelog_is_whole: bool = True
    """Whether the changelog still has every record that was written; compaction takes the history away."""
    canaries_in_logs: Sequence[str] = ()
    """Ids of patients and episodes that stand in a worker's log."""
    unbounded: Sequence[str] = ()
    """What has grown that should not."""
    faults_of_processes: Sequence[str] = ()
    """Ends of workers that nobody asked for, and that doubt does not explain."""

    def last_offsets(self) -> Iterator[tuple[str, int, int]]:
        """The offset of the last record of every partition of a source that has any."""
        last = {(record.topic, record.partition): record.offset for record in (*self.inputs, *self.rekeyed)}
        for (topic, partition), offset in sorted(last.items()):
            yield topic, partition, offset

    def records_of(self, topic: str, partition: int) -> list[InputRecord]:
        """The records of one partition of a source topic or of the changelog."""
        records = {self.topology.episodes_changelog: self.changelog, self.topology.episodes_rekey: self.rekeyed}
        of_topic = records.get(topic, self.inputs)
        return [record for record in of_topic if record.topic == topic and record.partition == partition]
