"""What is sent, and how is it spread over the partitions?"""

import asyncio
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer

from streams.demo.health_system.generation import generate
from streams.demo.source import DeliveredRecord
from streams.kafka.connection import client_options

_CRC32_SHARE = 0.2
_IDS = re.compile(rb'"(?:patient_id|episode_id)":\s*"([^"]+)"')


class Partitioner(StrEnum):
    """How a producer chooses a partition by the key."""

    MURMUR2 = "murmur2"
    """As Java's clients do."""
    CRC32 = "crc32"
    """As librdkafka does."""
    MIXED = "mixed"
    """A fifth of the records by CRC32, as where one of the senders uses another client."""


@lru_cache(maxsize=8)
def health_system(seed: int, episodes: int) -> Sequence[DeliveredRecord]:
    """A year with corrections, voids, duplicates, late and shuffled records, and garbage."""
    return tuple(generate(seed=seed, episodes=episodes).records)


def ids_of_people(records: Iterable[DeliveredRecord]) -> frozenset[str]:
    """The ids of patients and episodes in *records*: what may stand in no log."""
    return frozenset(found.decode() for record in records for found in _IDS.findall(record.value))


async def send(  # noqa: PLR0913 - what, where and how
    connection: Mapping[str, Any],
    records: Iterable[DeliveredRecord],
    *,
    topic_prefix: str,
    partition_count: int,
    partitioner: Partitioner,
    random: Random,
    skew_seconds_max: float = 0.0,
) -> None:
    """Put *records* on the bus; returns when the brokers have all of them.

    The clocks of the senders are astray by up to *skew_seconds_max*, and behind: a broker takes no record of a time
    that is an hour ahead of its own.
    """
    producer = AIOKafkaProducer(**client_options(connection), linger_ms=5, enable_idempotence=True)
    try:
        await producer.start()
        taken = []
        for record in records:
            by_crc32 = partitioner is Partitioner.CRC32 or (
                partitioner is Partitioner.MIXED and random.random() < _CRC32_SHARE
            )
            partition = None
            if record.key is None:
                partition = random.randrange(partition_count)
            elif by_crc32:
                partition = zlib.crc32(record.key) % partition_count
            taken.append(
                await producer.send(
                    f"{topic_prefix}{record.topic}",
                    record.value,
                    key=record.key,
                    partition=partition,
                    headers=list(record.headers),
                    timestamp_ms=_now_ms(random, skew_seconds_max) if skew_seconds_max else None,
                )
            )
        await asyncio.gather(*taken)
    finally:
        await producer.stop()  # also where no broker answered


def _now_ms(random: Random, skew_seconds_max: float) -> int:
    return round((datetime.now(UTC).timestamp() - random.uniform(0.0, skew_seconds_max)) * 1000)
