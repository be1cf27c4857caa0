"""Follows the billing topic into a database.

One sink a database: it reads all partitions from where the database stands, without a group. What a second one would
write is refused by the database, so a standby may wait for the first to end, and may be wrong about it.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from streams.billing.book import BillingBook, Passage
from streams.billing.refusals import BillingRefusedError
from streams.kafka.log_reader import OffsetRange, log_ranges

_WAIT_MS = 250
_RECORDS_MAX = 2_000


async def follow(  # noqa: PLR0913 - what it joins
    connection: Mapping[str, Any],
    topic: str,
    book: BillingBook,
    *,
    once: bool,
    stop: asyncio.Event,
    on_written: Callable[[int], None],
) -> None:
    """Write what comes into *book*, until *stop*, or *once* up to where the topic ends now.

    Raises:
        BillingRefusedError: What is to be read next is not there, is no coding event, or does not follow.
        PositionTakenError: Another sink writes to the database.
    """
    ranges = await log_ranges(connection, [topic])
    positions = await asyncio.to_thread(book.positions, [tp.partition for tp in ranges])
    for tp, there in ranges.items():
        _require_there(tp, positions[tp.partition], there)
    async with AIOKafkaConsumer(
        **connection, isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="none"
    ) as consumer:
        consumer.assign(list(ranges))
        for tp in ranges:
            consumer.seek(tp, positions[tp.partition])
        while not stop.is_set():
            if once and await _has_reached(consumer, ranges):
                return
            passages = await _next_passages(consumer, positions)
            if passages:
                on_written(await asyncio.to_thread(book.write, passages))
                positions |= {passage.partition: passage.next_offset for passage in passages}


async def _next_passages(consumer: AIOKafkaConsumer, positions: Mapping[int, int]) -> list[Passage]:
    try:
        fetched = await consumer.getmany(timeout_ms=_WAIT_MS, max_records=_RECORDS_MAX)
    except OffsetOutOfRangeError as error:
        ((tp, offset), *_) = error.args[0].items()
        raise _gone(tp, offset) from None
    return [
        Passage(tp.partition, positions[tp.partition], records[-1].offset + 1, records)
        for tp, records in fetched.items()
    ]


async def _has_reached(consumer: AIOKafkaConsumer, ranges: Mapping[TopicPartition, OffsetRange]) -> bool:
    return all([await consumer.position(tp) >= there.end for tp, there in ranges.items()])


def _require_there(tp: TopicPartition, position: int, there: OffsetRange) -> None:
    if not there.begin <= position <= there.end:
        raise _gone(tp, position)


def _gone(tp: TopicPartition, position: int) -> BillingRefusedError:
    message = (
        f"{tp.topic}-{tp.partition} does not have offset {position}, where the database stands: records are gone, or "
        "the topic was made anew. Read the topic from its start into an empty database, and see what is different."
    )
    return BillingRefusedError(message)
