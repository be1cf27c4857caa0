"""Who lets time pass: the worker that has a partition sends it a tick now and then.

What time a tick tells, the broker says that appends it. This process decides only when to send one, by a clock that no
time is read from; so where that is wrong, and where two workers believe that a partition is theirs, ticks come more
often or more seldom, and none is false. They are therefore sent outside of the transactions, and need no fencing.
"""

import asyncio
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import aiokafka.errors as kafka_errors
import structlog
from aiokafka import AIOKafkaProducer

from streams.kafka.connection import client_options
from streams.worker.tuning import Tuning

_log = structlog.get_logger(__name__)


class TickSchedule:
    """Which partitions are to be sent a tick.

    Args:
        interval_seconds: How long after the last.
    """

    def __init__(self, interval_seconds: float) -> None:
        self._interval_seconds = interval_seconds
        self._sent_at: dict[int, float] = {}

    def due(self, partitions: Collection[int], now: float) -> list[int]:
        """Those of *partitions* that are to be sent one now; those that are new here at once.

        Args:
            partitions: That this worker has.
            now: Seconds on a clock that only goes forward.
        """
        self._sent_at = {partition: at for partition, at in self._sent_at.items() if partition in partitions}
        return [p for p in sorted(partitions) if now - self._sent_at.get(p, -math.inf) >= self._interval_seconds]

    def sent(self, partition: int, now: float) -> None:
        """One was sent to *partition*."""
        self._sent_at[partition] = now


async def send_ticks(
    connection: Mapping[str, Any], topic: str, *, partitions: Callable[[], Collection[int]], tuning: Tuning
) -> None:
    """Send ticks until cancelled; where the brokers take none, the work goes on, and time stands still.

    Args:
        connection: Options of an aiokafka client.
        topic: Of the ticks; as wide as the changelog.
        partitions: Those that this worker has.
        tuning: How often.
    """
    schedule = TickSchedule(tuning.tick_interval_seconds)
    clock = asyncio.get_running_loop().time
    while True:
        try:
            async with AIOKafkaProducer(**client_options(connection)) as producer:
                while True:
                    for partition in schedule.due(partitions(), clock()):
                        await producer.send_and_wait(topic, b"", partition=partition)
                        schedule.sent(partition, clock())
                    await asyncio.sleep(tuning.tick_check_seconds)
        except (kafka_errors.KafkaError, OSError, TimeoutError) as error:
            _log.warning("tick_not_sent", error=error)
            await asyncio.sleep(tuning.tick_check_seconds)
