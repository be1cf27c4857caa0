"""What is checked before a worker joins its group; each refusal says what to do."""

from collections.abc import Mapping
from typing import Any

import faust.streams
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaTopicPartition

from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.provisioning import inspect_topics, partition_counts, topic_faults
from streams.kafka.topic_admin import topic_admin
from streams.processing.access import Role, rights_of
from streams.processing.changelog import POSITIONS_KEY, decode_positions
from streams.processing.topology import Topology
from streams.settings import Settings
from streams.worker.refusal import RefusedError
from streams.worker.restorer import partition_count_changed

_TAIL_RECORDS = 500
"""Every transaction ends with the positions, so the tail of a partition holds them."""


async def preflight(settings: Settings, topology: Topology) -> dict[str, int]:
    """Check everything, and return the partition count of each topic.

    Raises:
        BrokerUnreachableError: No broker answers.
        AccessDeniedError: The brokers do not let us in, or a right is missing.
        BrokerNotTrustedError: What answers is not the broker that the settings describe.
        CredentialsRefusedError: A file of the credentials is not fit.
        RefusedError: With every fault, a sentence a line.
    """
    check_stream_iterator()
    connection = connection_options(settings)
    # First of all: a topic that one may not see looks like one that is not there.
    await ensure_rights(connection, rights_of(Role.WORKER, topology))
    async with topic_admin(connection) as admin:
        states = await inspect_topics(admin, topology)
    faults = topic_faults(states, topology)
    if faults:
        raise RefusedError("\n".join(faults))
    counts = partition_counts(states)
    await _check_changelog_tail(connection, topology, counts[topology.episodes_changelog])
    return counts


def check_stream_iterator() -> None:
    """Refuse Faust without its compiled stream iterator.

    The pure-Python one acknowledges records that it skips at a rebalance (reliability.md, F7).

    Raises:
        RefusedError: It is missing.
    """
    if getattr(faust.streams, "_CStreamIterator", None) is None:
        message = (
            "Faust runs without its compiled stream iterator: unset NO_CYTHON, or install faust-streaming from a "
            "wheel or with a C compiler at hand."
        )
        raise RefusedError(message)


async def _check_changelog_tail(connection: Mapping[str, Any], topology: Topology, count: int) -> None:
    """Refuse a changelog whose partition count was changed, before any new partition is written to."""
    tps = [KafkaTopicPartition(topology.episodes_changelog, partition) for partition in range(count)]
    async with AIOKafkaConsumer(**connection, enable_auto_commit=False) as consumer:
        consumer.assign(tps)
        ends = await consumer.end_offsets(tps)
        begins = await consumer.beginning_offsets(tps)
        for tp in tps:
            consumer.seek(tp, max(begins[tp], ends[tp] - _TAIL_RECORDS))
        pending = {tp for tp in tps if ends[tp] > begins[tp]}
        while pending:
            fetched = await consumer.getmany(*pending, timeout_ms=100)
            for tp, records in fetched.items():
                for record in records:
                    if record.key == POSITIONS_KEY and record.value is not None:
                        positions = decode_positions(record.value)
                        if positions.partition_count != count:
                            message = partition_count_changed(tp.topic, tp.partition, positions, count)
                            raise RefusedError(message)
            pending = {tp for tp in pending if await consumer.position(tp) < ends[tp]}
