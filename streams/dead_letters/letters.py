"""Which dead letters are there, which of them were sent again, and which are still dead?"""

import re
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from streams.kafka.log_reader import OffsetRange, log_ranges, read_log, read_ranges
from streams.kafka.topic_admin import topic_admin
from streams.processing.dead_letter_source import LetterSource, letter_source
from streams.processing.records import InputRecord
from streams.processing.topology import Topology

_ID = re.compile(r"([0-9]{1,9})@([0-9]{1,18})")
_NOWHERE = LetterSource("", 0, 0, "unknown", "no worker wrote it")


class LetterId(NamedTuple):
    """Where a dead letter stands in its topic: its name on the command line."""

    partition: int
    offset: int

    @classmethod
    def parsed(cls, text: str) -> Self:
        """The id that *text* is.

        Raises:
            ValueError: It is none; the message says what one looks like.
        """
        found = _ID.fullmatch(text)
        if found is None:
            message = (
                f"{text!r} names no dead letter: write its partition and offset, as 0@123; `dead-letter list` tells."
            )
            raise ValueError(message)
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.partition}@{self.offset}"


class Letter(NamedTuple):
    """A dead letter as it lies in its topic, sealed where it is."""

    id: LetterId
    timestamp_ms: int
    source: LetterSource
    was_replayed: bool
    record: InputRecord

    @property
    def can_be_replayed(self) -> bool:
        """Whether it is still dead, and a worker's."""
        return not self.was_replayed and self.source is not _NOWHERE


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant: all that every part agrees to."""

    ids: frozenset[LetterId] | None = None
    reasons: frozenset[str] | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def means(self, letter: Letter) -> bool:
        """Whether *letter* is meant."""
        return (
            (self.ids is None or letter.id in self.ids)
            and (self.reasons is None or letter.source.reason in self.reasons)
            and (self.since_ms is None or letter.timestamp_ms >= self.since_ms)
            and (self.until_ms is None or letter.timestamp_ms < self.until_ms)
        )


async def read_letters(
    connection: Mapping[str, Any], topology: Topology, replayed: Collection[LetterId]
) -> AsyncIterator[Letter]:
    """Every dead letter, as of now.

    Args:
        connection: Options of an aiokafka client.
        topology: The application's topics.
        replayed: Those that were sent again.
    """
    async for records in read_log(connection, [topology.dead_letter]):
        for record in records:
            yield _letter(record, replayed)


async def read_letter(
    connection: Mapping[str, Any], topology: Topology, letter_id: LetterId, replayed: Collection[LetterId]
) -> Letter | None:
    """One of them; None where there is no such."""
    there = await log_ranges(connection, [topology.dead_letter], partition=letter_id.partition)
    one = OffsetRange(letter_id.offset, letter_id.offset + 1)
    wanted = {tp: one for tp, all_ in there.items() if all_.begin <= letter_id.offset < all_.end}
    found = None
    async for run in read_ranges(connection, wanted):
        for record in run.records:
            found = _letter(record, replayed)
    return found


async def replayed_letters(connection: Mapping[str, Any], topology: Topology) -> frozenset[LetterId]:
    """Which dead letters were sent again, by what was committed with each sending."""
    async with topic_admin(connection) as admin:
        if not await admin.describe([topology.dead_letter_replays]):
            return frozenset()
    found: set[LetterId] = set()
    async for records in read_log(connection, [topology.dead_letter_replays]):
        found.update(LetterId.parsed((record.key or b"").decode()) for record in records)
    return frozenset(found)


def _letter(record: InputRecord, replayed: Collection[LetterId]) -> Letter:
    letter_id = LetterId(record.partition, record.offset)
    source = letter_source(record.headers) or _NOWHERE
    return Letter(letter_id, record.timestamp, source, letter_id in replayed, record)
