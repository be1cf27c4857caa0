"""Sends records at a steady rate, and notes when each code can be read."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.input_topics import PARTITION_COUNT, EventWriter, producer_of
from bench.watch import RunFailedError
from bench.workload import Event, Workload

_TICK_SECONDS = 0.005
_PATIENCE_SECONDS = 60


async def latencies_ms(
    connection: Mapping[str, Any], topic: str, workload: Workload, events: Sequence[Event], events_per_second: float
) -> list[float]:
    """Send *events* of *workload* at a steady rate, and see how long the code of each coded episode takes.

    Args:
        connection: Options of an aiokafka client.
        topic: Where the codes come out.
        workload: Its input topics are there, and an engine reads them.
        events: The rest of its events.
        events_per_second: The rate.

    Returns:
        Milliseconds from the moment an episode's last event was given to the client until its code could be read by
        `read_committed`.

    Raises:
        RunFailedError: Codes are missing a minute after the last event.
    """
    episodes = workload.coded_episodes()
    read_at: dict[str, float] = {}
    reading = asyncio.create_task(_read(connection, topic, len(episodes), read_at))
    try:
        sent_at = await _send(connection, workload, events, events_per_second)
        await asyncio.wait_for(reading, _PATIENCE_SECONDS)
    except TimeoutError as error:
        message = f"{len(read_at)} of {len(episodes)} codes came within {_PATIENCE_SECONDS} s of the last record."
        raise RunFailedError(message) from error
    finally:
        reading.cancel()
    return [(read_at[episode] - sent_at[episode]) * 1_000 for episode in episodes]


async def _send(
    connection: Mapping[str, Any], workload: Workload, events: Sequence[Event], events_per_second: float
) -> dict[str, float]:
    """What has come due is sent together; the result is when the last event of each episode was."""
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


async def _read(connection: Mapping[str, Any], topic: str, code_count: int, read_at: dict[str, float]) -> None:
    """Note in *read_at* when the code of each episode is read, until there are *code_count*."""
    async with AIOKafkaConsumer(
        **connection, isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITION_COUNT)])
        while len(read_at) < code_count:
            runs = await consumer.getmany(timeout_ms=200)
            now = time.perf_counter()
            for records in runs.values():
                for record in records:
                    read_at.setdefault(record.key.decode(), now)
