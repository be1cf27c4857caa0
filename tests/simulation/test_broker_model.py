"""The model of the broker does what Kafka does, where the simulation rests on it."""

from functools import partial

import pytest

from streams.processing.records import OutputRecord
from streams.worker.step import Generation, TopicPartition
from tests.simulation.broker import Broker
from tests.simulation.group_coordinator import NOBODY
from tests.simulation.partition_log import PartitionLog, Producer, Unit
from tests.simulation.protocol import AS_BUILT
from tests.simulation.refusals import (
    FencedError,
    InvalidTransactionError,
    NotYetError,
    OutOfSequenceError,
    RebalancingError,
    StaleMemberError,
)
from tests.simulation.transaction_coordinator import GROUP_OFFSETS
from tests.tasks_in_memory import TOPOLOGY

CHANGELOG = TopicPartition(TOPOLOGY.episodes_changelog, 0)
CODES = TopicPartition(TOPOLOGY.coding_events, 0)
SOURCE = TopicPartition(TOPOLOGY.survey_completed, 0)
ID = "slot-0"
UNIT = Unit(ID, 1, 0)


@pytest.fixture
def broker() -> Broker:
    """A broker that keeps every promise."""
    return Broker(2, AS_BUILT)


def record(key: bytes = b"key", value: bytes | None = b"value") -> OutputRecord:
    return OutputRecord(CHANGELOG.topic, CHANGELOG.partition, key, value)


def written(broker: Broker, producer: Producer, *records: OutputRecord, first_sequence: int = 0) -> None:
    """Write *records* to the changelog in a transaction that stays open."""
    broker.transactions.add_partitions(ID, producer, [CHANGELOG])
    broker.produce(CHANGELOG, records, producer, first_sequence, UNIT)


def write_markers(broker: Broker) -> None:
    for missing in broker.missing_markers():
        broker.write_marker(*missing)


def values(log: PartitionLog) -> list[bytes | None]:
    return [read.value for read in log.read_committed(0)]


# ---------------------------------------------------------------------------------------------
# Transactions
# ---------------------------------------------------------------------------------------------
def test_a_committed_record_is_hidden_until_its_marker_is_written(broker: Broker) -> None:
    """EndTxn is answered before: the last stable offset is behind, the high watermark is not."""
    producer, log = broker.transactions.init_producer_id(ID), broker.logs[CHANGELOG]
    written(broker, producer, record())
    broker.transactions.end(ID, producer)
    assert (log.last_stable_offset, log.high_watermark) == (0, 1)
    assert values(log) == []
    assert len(list(broker.decided(CHANGELOG.topic))) == 1
    with pytest.raises(NotYetError):
        broker.transactions.add_partitions(ID, producer, [CHANGELOG])

    write_markers(broker)

    assert (log.last_stable_offset, log.high_watermark) == (2, 2)
    assert values(log) == [b"value"]


def test_init_producer_id_aborts_and_fences_the_former_holder(broker: Broker) -> None:
    """It is answered when the markers of what was open are written; the former epoch can do nothing more."""
    former = broker.transactions.init_producer_id(ID)
    written(broker, former, record())
    with pytest.raises(NotYetError):
        broker.transactions.init_producer_id(ID)
    write_markers(broker)

    successor = broker.transactions.init_producer_id(ID)

    assert successor.id == former.id
    assert successor.epoch > former.epoch
    assert values(broker.logs[CHANGELOG]) == []
    for late in (
        partial(broker.transactions.add_partitions, ID, former, [CODES]),
        partial(broker.transactions.end, ID, former),
        partial(broker.produce, CHANGELOG, [record()], former, 1, UNIT),
        partial(broker.add_offsets, former, NOBODY, {SOURCE: 1}),
    ):
        with pytest.raises(FencedError):
            late()


def test_a_transaction_whose_time_is_up_is_aborted_and_its_producer_fenced(broker: Broker) -> None:
    producer = broker.transactions.init_producer_id(ID)
    written(broker, producer, record())
    broker.transactions.abort(ID)
    with pytest.raises(FencedError):
        broker.transactions.end(ID, producer)
    write_markers(broker)
    assert values(broker.logs[CHANGELOG]) == []


def test_a_batch_that_is_sent_again_is_acknowledged_and_not_appended(broker: Broker) -> None:
    producer = broker.transactions.init_producer_id(ID)
    written(broker, producer, record())
    written(broker, producer, record())
    assert broker.logs[CHANGELOG].high_watermark == 1
    with pytest.raises(OutOfSequenceError):
        written(broker, producer, record(), first_sequence=2)


def test_a_record_outside_a_transaction_is_refused(broker: Broker) -> None:
    """A late request cannot leave a transaction hanging (KIP-890, first part)."""
    producer = broker.transactions.init_producer_id(ID)
    with pytest.raises(FencedError):
        broker.produce(CHANGELOG, [record()], producer, 0, UNIT)
    written(broker, producer, record())
    with pytest.raises(FencedError):
        broker.produce(CODES, [record()], producer, 0, UNIT)


def test_the_end_of_a_transaction_may_be_asked_for_again_until_the_next_has_begun(broker: Broker) -> None:
    """Then it would end the next: the hazard for which EndTxn is asked once."""
    producer = broker.transactions.init_producer_id(ID)
    with pytest.raises(InvalidTransactionError):
        broker.transactions.end(ID, producer)
    written(broker, producer, record())
    broker.transactions.end(ID, producer)
    with pytest.raises(NotYetError):
        broker.transactions.end(ID, producer)
    write_markers(broker)
    broker.transactions.end(ID, producer)
    assert broker.missing_markers() == []
    written(broker, producer, record(), first_sequence=1)
    broker.transactions.end(ID, producer)
    assert broker.missing_markers() == [(ID, CHANGELOG)]


# ---------------------------------------------------------------------------------------------
# Groups
# ---------------------------------------------------------------------------------------------
def stable(broker: Broker) -> Generation:
    """The generation of a group of one."""
    member_id = broker.group.join("", ())
    broker.group.end_rebalance()
    generation, tasks = broker.group.sync(member_id)
    assert list(tasks) == [0, 1]
    return generation


def test_offsets_count_with_the_marker_of_their_transaction(broker: Broker) -> None:
    generation, producer = stable(broker), broker.transactions.init_producer_id(ID)
    with pytest.raises(FencedError):
        broker.add_offsets(producer, generation, {SOURCE: 3})
    broker.transactions.add_partitions(ID, producer, [GROUP_OFFSETS])
    broker.add_offsets(producer, generation, {SOURCE: 3})
    broker.transactions.end(ID, producer)
    assert broker.group.committed == {}
    write_markers(broker)
    assert broker.group.committed == {SOURCE: 3}


def test_offsets_of_a_former_generation_are_refused(broker: Broker) -> None:
    """From the moment at which the next generation begins, not before; who gives no generation is not refused."""
    generation, producer = stable(broker), broker.transactions.init_producer_id(ID)
    broker.transactions.add_partitions(ID, producer, [GROUP_OFFSETS])
    broker.group.join("", ())
    broker.add_offsets(producer, generation, {SOURCE: 3})
    broker.group.join(generation.member_id, (0, 1))
    broker.group.end_rebalance()
    with pytest.raises(StaleMemberError):
        broker.add_offsets(producer, generation, {SOURCE: 4})
    with pytest.raises(StaleMemberError):
        broker.group.commit(generation, {SOURCE: 4})
    broker.add_offsets(producer, NOBODY, {SOURCE: 4})


def test_a_member_learns_its_tasks_when_all_have_joined(broker: Broker) -> None:
    """And has to join again where the next rebalance has begun meanwhile, or where the group has given it up."""
    first = stable(broker).member_id
    second = broker.group.join("", ())
    assert not broker.group.all_have_joined
    for told in (partial(broker.group.sync, first), partial(broker.group.heartbeat, first)):
        with pytest.raises(RebalancingError):
            told()
    with pytest.raises(NotYetError):
        broker.group.sync(second)
    assert broker.group.join(first, (0, 1)) == first
    assert broker.group.all_have_joined
    broker.group.end_rebalance()
    assert list(broker.group.sync(first)[1]) == [0]
    assert list(broker.group.sync(second)[1]) == [1]
    broker.group.leave(second)
    with pytest.raises(StaleMemberError):
        broker.group.heartbeat(second)
    with pytest.raises(RebalancingError):
        broker.group.sync(first)


# ---------------------------------------------------------------------------------------------
# Compaction
# ---------------------------------------------------------------------------------------------
def test_compaction_keeps_the_last_value_of_a_key_and_every_offset(broker: Broker) -> None:
    """Up to the last stable offset: what is not decided neither goes nor replaces anything."""
    producer, log = broker.transactions.init_producer_id(ID), broker.logs[CHANGELOG]
    written(broker, producer, record(b"a", b"1"), record(b"b", b"1"), record(b"a", b"2"))
    broker.transactions.end(ID, producer)
    write_markers(broker)
    written(broker, producer, record(b"b", b"2"), first_sequence=3)

    log.compact()

    assert [(read.offset, read.key, read.value) for read in log.read_committed(0)] == [(1, b"b", b"1"), (2, b"a", b"2")]
    assert log.high_watermark == 5


def test_compaction_removes_what_was_aborted_and_a_tombstone_the_second_time(broker: Broker) -> None:
    producer, log = broker.transactions.init_producer_id(ID), broker.logs[CHANGELOG]
    written(broker, producer, record(b"a", b"1"))
    broker.transactions.end(ID, producer)
    write_markers(broker)
    written(broker, producer, record(b"a", b"2"), first_sequence=1)
    broker.transactions.abort(ID)
    write_markers(broker)
    log.compact()
    assert values(log) == [b"1"]

    producer = broker.transactions.init_producer_id(ID)
    written(broker, producer, record(b"a", None))
    broker.transactions.end(ID, producer)
    write_markers(broker)
    log.compact()
    assert values(log) == [None]
    log.compact()
    assert values(log) == []
