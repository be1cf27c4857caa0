"""What a task reads and what it wants written; no client library is needed to make either."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

Header = tuple[str, bytes]


class FetchedRecord(Protocol):
    """A record of a run that was fetched, which knows where it comes from."""

    @property
    def offset(self) -> int:
        """Its offset."""

    @property
    def timestamp(self) -> int:
        """Its Kafka timestamp in milliseconds; -1 where it has none."""

    @property
    def key(self) -> bytes | None:
        """Its key."""

    @property
    def value(self) -> bytes | None:
        """Its value."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Its headers."""


class InputRecord(FetchedRecord, Protocol):
    """A record by itself (aiokafka's ``ConsumerRecord`` is one)."""

    @property
    def topic(self) -> str:
        """The topic that it was read from."""

    @property
    def partition(self) -> int:
        """Its partition."""


class PlacedRecord(msgspec.Struct, frozen=True):
    """A record taken out of its run."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]

    @classmethod
    def of(cls, record: FetchedRecord, topic: str, partition: int) -> "PlacedRecord":
        """*record*, which was read from *partition* of *topic*."""
        return cls(topic, partition, record.offset, record.timestamp, record.key, record.value, record.headers)


class OutputRecord(msgspec.Struct, frozen=True, gc=False):
    """A record to be written in the step's transaction."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()


class Batch(NamedTuple):
    """A run of records of one topic, of the task's own partition, in order of offset."""

    topic: str
    records: Sequence[FetchedRecord]
