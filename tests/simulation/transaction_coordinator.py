"""The transaction coordinator: who may write under a transactional id, and what became of each transaction.

The protocol before KIP-890's second part, which aiokafka speaks: the epoch stays the same from one transaction
to the next. EndTxn is answered once the decision is stored; the markers that make it known to each partition
are written later, one by one, and until then the producer's next transaction has to wait.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from streams.worker.step import TopicPartition
from tests.simulation.partition_log import Producer
from tests.simulation.refusals import FencedError, InvalidTransactionError, NotYetError

GROUP_OFFSETS = TopicPartition("__consumer_offsets", 0)


class State(Enum):
    """Of the last transaction under a transactional id."""

    COMPLETE = "complete"
    ONGOING = "ongoing"
    COMMITTING = "committing"
    ABORTING = "aborting"


@dataclass(slots=True)
class Transaction:
    """The last transaction under a transactional id."""

    producer: Producer
    state: State = State.COMPLETE
    participants: list[TopicPartition] = field(default_factory=list)
    """The partitions that have no marker yet."""
    committed: bool = False
    """How the last complete one ended."""

    @property
    def is_decided(self) -> bool:
        """Whether markers are being written."""
        return self.state in (State.COMMITTING, State.ABORTING)


class TransactionCoordinator:
    """The coordinator of every transactional id.

    Args:
        fences_producers: False breaks InitProducerId: see `Protocol`.
    """

    def __init__(self, *, fences_producers: bool = True) -> None:
        self.transactions: dict[str, Transaction] = {}
        self._fences_producers = fences_producers

    def init_producer_id(self, transactional_id: str) -> Producer:
        """Begin a new epoch; what the former epoch left open is aborted first.

        Raises:
            NotYetError: The markers of the last transaction are still being written.
        """
        transaction = self.transactions.get(transactional_id)
        if transaction is None:
            transaction = Transaction(Producer(len(self.transactions), 0))
            self.transactions[transactional_id] = transaction
            return transaction.producer
        if not self._fences_producers:
            return transaction.producer
        self.abort(transactional_id)
        if transaction.is_decided:
            raise NotYetError
        self._raise_epoch(transaction)
        return transaction.producer

    def add_partitions(self, transactional_id: str, producer: Producer, participants: Iterable[TopicPartition]) -> None:
        """Begin the transaction where there is none, and take *participants* into it.

        Raises:
            FencedError: The epoch is over.
            NotYetError: The markers of the last transaction are still being written.
        """
        transaction = self._of(transactional_id, producer)
        if transaction.is_decided:
            raise NotYetError
        transaction.state = State.ONGOING
        for participant in participants:
            if participant not in transaction.participants:
                transaction.participants.append(participant)

    def end(self, transactional_id: str, producer: Producer) -> None:
        """Decide that the transaction is committed.

        Raises:
            FencedError: The epoch is over.
            NotYetError: It was decided before, and the markers are still being written.
            InvalidTransactionError: There is nothing to commit.
        """
        transaction = self._of(transactional_id, producer)
        if transaction.state is State.COMMITTING:
            raise NotYetError
        if transaction.state is State.ONGOING:
            transaction.state = State.COMMITTING
        elif not (transaction.state is State.COMPLETE and transaction.committed):
            raise InvalidTransactionError

    def abort(self, transactional_id: str) -> None:
        """Abort what is open, and fence who opened it: a new producer has come, or the time is up."""
        transaction = self.transactions[transactional_id]
        if transaction.state is State.ONGOING:
            self._raise_epoch(transaction)
            transaction.state = State.ABORTING

    def open_ones(self) -> list[str]:
        """The transactional ids that have a transaction open."""
        return [name for name, transaction in self.transactions.items() if transaction.state is State.ONGOING]

    def marked(self, transactional_id: str, participant: TopicPartition) -> None:
        """The marker is in *participant*'s log."""
        transaction = self.transactions[transactional_id]
        transaction.participants.remove(participant)
        if not transaction.participants:
            transaction.committed = transaction.state is State.COMMITTING
            transaction.state = State.COMPLETE

    def verify(self, producer: Producer, participant: TopicPartition) -> None:
        """What a partition's leader asks before it takes the first record of a transaction (KIP-890, first part).

        Raises:
            FencedError: No transaction of *producer* with *participant* in it is open.
        """
        transaction = next(t for t in self.transactions.values() if t.producer.id == producer.id)
        is_open = transaction.state is State.ONGOING and participant in transaction.participants
        if not is_open or producer.epoch != transaction.producer.epoch:
            raise FencedError

    def is_committing(self, producer: Producer, participant: TopicPartition) -> bool:
        """Whether *producer*'s records in *participant* are committed, and only the marker is missing."""
        return any(
            t.state is State.COMMITTING and t.producer == producer and participant in t.participants
            for t in self.transactions.values()
        )

    def _of(self, transactional_id: str, producer: Producer) -> Transaction:
        transaction = self.transactions[transactional_id]
        if producer.epoch != transaction.producer.epoch:
            raise FencedError
        return transaction

    @staticmethod
    def _raise_epoch(transaction: Transaction) -> None:
        transaction.producer = Producer(transaction.producer.id, transaction.producer.epoch + 1)
