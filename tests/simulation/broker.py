"""The broker as a worker and a reader see it: topics, transactions, and the group, wired together."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from streams.processing.records import OutputRecord
from streams.worker.step import Generation, TopicPartition
from tests.simulation.group_coordinator import GroupCoordinator
from tests.simulation.partition_log import Entry, Fate, PartitionLog, Producer, Unit
from tests.simulation.protocol import Protocol
from tests.simulation.refusals import NotYetError
from tests.simulation.transaction_coordinator import GROUP_OFFSETS, TransactionCoordinator
from tests.tasks_in_memory import TOPOLOGY, Record


class Broker:
    """All topics of one application, with *task_count* partitions each."""

    def __init__(self, task_count: int, protocol: Protocol) -> None:
        self.task_count = task_count
        self.transactions = TransactionCoordinator(fences_producers=protocol.fences_producers)
        self.group = GroupCoordinator(task_count, fences_generations=protocol.fences_generations)
        tps = [TopicPartition(s.name, p) for s in TOPOLOGY.specifications for p in range(task_count)]
        self.logs = {tp: PartitionLog(tp) for tp in tps}

    # -----------------------------------------------------------------------------------------
    # What a worker asks
    # -----------------------------------------------------------------------------------------
    def produce(
        self, tp: TopicPartition, records: Sequence[OutputRecord], producer: Producer, first_sequence: int, unit: Unit
    ) -> None:
        """Append a batch to a partition that is part of an open transaction."""
        verify = partial(self.transactions.verify, producer, tp)
        self.logs[tp].append(records, producer=producer, first_sequence=first_sequence, unit=unit, verify=verify)

    def add_offsets(self, producer: Producer, generation: Generation, offsets: Mapping[TopicPartition, int]) -> None:
        """TxnOffsetCommit."""
        if not self.group.has_pending(producer):
            self.transactions.verify(producer, GROUP_OFFSETS)
        self.group.add_to_transaction(producer, generation, offsets)

    def ends(self, tps: Sequence[TopicPartition], *, stable: bool) -> dict[TopicPartition, int]:
        """ListOffsets: the high watermarks, or to a `read_committed` client the last stable offsets."""
        logs = [self.logs[tp] for tp in tps]
        return {log.tp: log.last_stable_offset if stable else log.high_watermark for log in logs}

    def fetch(self, tp: TopicPartition, start: int) -> tuple[list[Record], int]:
        """Committed records from *start*, and where to read on.

        Raises:
            NotYetError: Nothing more is stable.
        """
        log = self.logs[tp]
        if log.last_stable_offset <= start:
            raise NotYetError
        return log.read_committed(start), log.last_stable_offset

    # -----------------------------------------------------------------------------------------
    # What it does by itself
    # -----------------------------------------------------------------------------------------
    def missing_markers(self) -> list[tuple[str, TopicPartition]]:
        """Each decided transaction, and each partition that has yet to learn of it."""
        decided = [(name, t) for name, t in self.transactions.transactions.items() if t.is_decided]
        return [(name, participant) for name, transaction in decided for participant in transaction.participants]

    def write_marker(self, transactional_id: str, participant: TopicPartition) -> bool:
        """Tell one partition how a transaction ended; whether it was committed."""
        transaction = self.transactions.transactions[transactional_id]
        commits = self.transactions.is_committing(transaction.producer, participant)
        if participant == GROUP_OFFSETS:
            self.group.mark(transaction.producer, commits=commits)
        else:
            self.logs[participant].append_marker(transaction.producer, commits=commits)
        self.transactions.marked(transactional_id, participant)
        return commits

    # -----------------------------------------------------------------------------------------
    # What an observer sees
    # -----------------------------------------------------------------------------------------
    def decided(self, topic: str) -> Iterator[Entry]:
        """All that is committed, whether or not its marker is written, and what compaction has removed, too."""
        for partition in range(self.task_count):
            tp = TopicPartition(topic, partition)
            for entry in self.logs[tp].entries:
                if entry.fate is Fate.COMMITTED or self._is_decided(entry, tp):
                    yield entry

    def _is_decided(self, entry: Entry, tp: TopicPartition) -> bool:
        if entry.fate is not Fate.UNDECIDED or entry.producer is None:
            return False
        return self.transactions.is_committing(entry.producer, tp)
