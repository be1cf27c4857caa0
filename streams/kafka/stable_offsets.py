"""How far has a group come, with nothing left open?

Offsets that are committed in a transaction show only once its marker is written, on their partition later perhaps than
on the topics that it wrote to. OffsetFetch version 7 asks for stable offsets (KIP-447): where a transaction is being
ended, the coordinator says so, and is asked again. aiokafka 0.14 has no such version.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

from streams.kafka.connection import client_options

_UNSTABLE_OFFSET_COMMIT = 88
_NO_OFFSET = -1
_AGAIN_SECONDS = 0.05
_TRANSIENT = (
    kafka_errors.GroupLoadInProgressError,
    kafka_errors.GroupCoordinatorNotAvailableError,
    kafka_errors.NotCoordinatorForGroupError,
)


class _OffsetFetchResponseV7(Response):
    API_KEY = 9
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", CompactString("utf-8")),
                        ("error_code", Int16),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class _OffsetFetchRequestV7(RequestStruct):
    API_KEY = 9
    API_VERSION = 7
    RESPONSE_TYPE = _OffsetFetchResponseV7
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(
        ("group_id", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")), ("partitions", CompactArray(Int32)), ("tags", TaggedFields)
            ),
        ),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )


class _OffsetFetchRequest(Request[_OffsetFetchRequestV7]):
    API_KEY = 9

    def __init__(self, group_id: str, partitions: Collection[TopicPartition]) -> None:
        by_topic: dict[str, list[int]] = defaultdict(list)
        for tp in partitions:
            by_topic[tp.topic].append(tp.partition)
        self._fields: tuple[Any, ...] = (
            group_id,
            [(topic, numbers, {}) for topic, numbers in by_topic.items()],
            True,
            {},
        )

    def build(self, request_struct_class: type[_OffsetFetchRequestV7]) -> _OffsetFetchRequestV7:
        return request_struct_class(*self._fields)


async def stable_offsets(
    connection: Mapping[str, Any], group_id: str, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """The next offsets that a group has committed, no transaction with others being ended; none where it read nothing.

    Args:
        connection: Options of an aiokafka client; `ensure_access` has looked at them.
        group_id: The group.
        partitions: What it reads.

    Raises:
        KafkaError: The coordinator does not tell.
    """
    client = AIOKafkaClient(**client_options(connection))
    try:
        await client.bootstrap()
        while True:
            try:
                coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group_id)
                response = await client.send(coordinator, _OffsetFetchRequest(group_id, partitions))
                offsets = _offsets_in(response)
            except _TRANSIENT:
                offsets = None
            if offsets is not None:
                return offsets
            await asyncio.sleep(_AGAIN_SECONDS)
    finally:
        await client.close()


def _offsets_in(response: _OffsetFetchResponseV7) -> dict[TopicPartition, int] | None:
    """What *response* tells; None where something is being committed."""
    offsets = {}
    codes = {response.error_code}
    for topic, partitions, _tags in response.topics:
        for partition, offset, _epoch, _metadata, code, _ in partitions:
            codes.add(code)
            if offset != _NO_OFFSET:
                offsets[TopicPartition(topic, partition)] = offset
    if _UNSTABLE_OFFSET_COMMIT in codes:
        return None
    for code in codes - {0}:
        raise kafka_errors.for_code(code)
    return offsets


async def until_settled(connection: Mapping[str, Any], ends: Mapping[TopicPartition, int]) -> None:
    """Return when every transaction with records before *ends* has ended: no time-out but their own."""
    async with AIOKafkaConsumer(**connection, isolation_level="read_committed", enable_auto_commit=False) as consumer:
        while True:
            last_stable = await consumer.end_offsets(list(ends))
            if all(last_stable[tp] >= end for tp, end in ends.items()):
                return
            await asyncio.sleep(_AGAIN_SECONDS)
