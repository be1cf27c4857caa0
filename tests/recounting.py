"""The recount over topics in memory: what `g9603 reconcile` does, without a broker."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from aiokafka import TopicPartition

from streams.domain.policy import Policy
from streams.intake.decoder import Decoder
from streams.kafka.log_reader import Run
from streams.kafka.sealing import Sealing
from streams.recount.comparison import Recount
from streams.recount.extent import Extent
from streams.recount.recount_study import RecountStudy
from streams.recount.told_merges import told_merges
from tests.policies_for_tests import DEFAULT
from tests.tasks_in_memory import TOPOLOGY, Record, TasksInMemory

_ALL = Extent({})
READ = (*TOPOLOGY.kinds, TOPOLOGY.coding_events, TOPOLOGY.dead_letter)
_BUCKETS = 3


def records_of(tasks: TasksInMemory) -> list[Record]:
    """All records that a recount reads, each partition in order."""
    return [record for topic in READ for record in tasks.records(topic)]


def recounted(records: Sequence[Record], extent: Extent = _ALL, policies: Sequence[Policy] = (DEFAULT,)) -> Recount:
    """The recount of *records*, dealt out to a few buckets."""
    merges = [record for record in records if record.topic == TOPOLOGY.patient_merged]
    extent = replace(extent, merges=told_merges(merges, Decoder({}), extent.positions))
    study = RecountStudy(TOPOLOGY, extent, Sealing(None, TOPOLOGY), policies)
    by_partition: dict[TopicPartition, list[Record]] = defaultdict(list)
    for record in records:
        by_partition[TopicPartition(record.topic, record.partition)].append(record)
    buckets: list[list[bytes]] = [[] for _ in range(_BUCKETS)]
    for tp, of_partition in by_partition.items():
        for key, entry in study.sort(Run(tp, list(of_partition), len(of_partition))):
            buckets[hash(key) % _BUCKETS].append(b"\x91" + entry)  # MessagePack: an array of one
    whole = Recount()
    for bucket in buckets:
        whole += study.examine(bucket)
    return whole
