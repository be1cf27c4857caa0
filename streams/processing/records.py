"""What a task reads and what it wants written; no client library is needed to make either."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Header = tuple[str, bytes]


class InputRecord(Protocol):
    """A record as fetched (aiokafka's ``ConsumerRecord`` is one)."""

    @property
    def topic(self) -> str:
        """The topic that it was read from."""

    @property
    def partition(self) -> int:
        """Its partition."""

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


class OutputRecord(NamedTuple):
    """A record to be written in the step's transaction."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()


class Batch(NamedTuple):
    """A run of records of one topic, of the task's own partition, in order of offset."""

    topic: str
    records: Sequence[InputRecord]
