"""Sends records at a steady rate, and notes when each code can be read."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.input_topics import PARTITION_COUNT, EventWriter, producer_of
from bench.watch import RunFailedError
from bench.workload import Event, Workload

_TICK_SECONDS = 0.005
_PATIENCE_SECONDS = 30


async def send_paced(
    connection: Mapping[str, Any], workload: Workload, events: Sequence[Event], events_per_second: float
) -> dict[str, float]:
    """Send *events* of *workload*; what has come due is sent together.

    Returns:
        When the last event of each episode was given to the client, by `time.perf_counter`.
    """
    sent_at: dict[str, float] = {}
    async with producer_of(connection) as producer:
        writer = EventWriter(producer, workload)
        started_at, number = time.perf_counter(), 0
        while number < len(events):
            due = min(len(events), int((time.perf_counter() - started_at) * events_per_second))
            for event in events[number:due]:
                await writer.append(event)
                sent_at[event.episode_id] = time.perf_counter()
            await writer.finish()
            number = due
            await asyncio.sleep(_TICK_SECONDS)
    return sent_at


async def read_codes(connection: Mapping[str, Any], topic: str, episodes: Collection[str]) -> dict[str, float]:
    """When the code of each of *episodes* could first be read by `read_committed`, by `time.perf_counter`.

    Raises:
        RunFailedError: For half a minute no code came, and some are missing.
    """
    read_at: dict[str, float] = {}
    async with AIOKafkaConsumer(
        **connection, isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITION_COUNT)])
        moved_at = time.perf_counter()
        while len(read_at) < len(episodes):
            runs = await consumer.getmany(timeout_ms=200)
            now = time.perf_counter()
            for record in (record for records in runs.values() for record in records):
                read_at.setdefault(record.key.decode(), now)
                moved_at = now
            if now - moved_at > _PATIENCE_SECONDS:
                message = f"{len(read_at)} of {len(episodes)} codes came; then none for {_PATIENCE_SECONDS} s."
                raise RunFailedError(message)
    return read_at
