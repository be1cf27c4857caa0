"""The year, in parts: each is generated and sent by itself, so that no process holds more than one."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from random import Random
from typing import NamedTuple

from streams.demo.health_system.generation import generate
from streams.kafka.connection import connection_options
from streams.settings import Settings
from tests.chaos.load import Partitioner, send

PARTITIONS = 8
_EPISODES_A_PART = 5_000
_NUMBERS_A_PART = 100 * _EPISODES_A_PART
"""An episode has some dozens of ids under each prefix at most."""


class Part(NamedTuple):
    """Some episodes of the year, named by their seed."""

    number: int
    seed: int


def send_year(
    settings: Settings, record_count: int, *, seed: int, processes: int, on_sent: Callable[[int], None]
) -> int:
    """Generate *record_count* records or a few more, and put them on the bus; how many they are.

    Args:
        settings: Where the topics are, which are made.
        record_count: How many at least.
        seed: Names the year.
        processes: How many parts are made at once.
        on_sent: Told how many more there are.
    """
    sent = 0
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        number = 0
        waiting: set[Future[int]] = set()
        while sent < record_count or waiting:
            while sent < record_count and len(waiting) < processes:
                waiting.add(pool.submit(send_part, settings, Part(number, seed)))
                number += 1
            done = next(as_completed(waiting))
            waiting.remove(done)
            sent += done.result()
            on_sent(done.result())
    return sent


def send_part(settings: Settings, part: Part) -> int:
    """Generate one part and send it, a fifth of it to partitions where it is not at home; how many records it has."""
    taken = part.number * _NUMBERS_A_PART
    records = generate(part.seed + part.number, _EPISODES_A_PART, numbers_taken=taken).records
    asyncio.run(
        send(
            connection_options(settings),
            records,
            topic_prefix=settings.topic_prefix,
            partition_count=PARTITIONS,
            partitioner=Partitioner.MIXED,
            random=Random(part.number),  # noqa: S311 - where a record goes is to be repeatable
        )
    )
    return len(records)
