"""A record that could not be taken in, exactly as it was received, with the reason beside it."""

from collections.abc import Sequence
from typing import Protocol

from streams.processing.records import FetchedRecord, Header, OutputRecord

REASON = "g9603-reason"
ERROR = "g9603-error"
TOPIC = "g9603-topic"
PARTITION = "g9603-partition"
OFFSET = "g9603-offset"
ADDED = (REASON, ERROR, TOPIC, PARTITION, OFFSET)
"""The headers that are added behind those received, in this order."""


class Whence(Protocol):
    """Where a record was first read, and the headers that it had there."""

    @property
    def topic(self) -> str:
        """The topic."""

    @property
    def partition(self) -> int:
        """Its partition."""

    @property
    def offset(self) -> int:
        """Its offset."""

    @property
    def headers(self) -> Sequence[Header]:
        """Its headers."""


class Refusal(Protocol):
    """Why a record is not taken in."""

    @property
    def reason(self) -> str:
        """A word to count by."""

    @property
    def detail(self) -> str:
        """A sentence without values."""


def dead_letter(
    record: FetchedRecord, origin: Whence, rejected: Refusal, *, topic: str, partition: int
) -> OutputRecord:
    """The dead letter of *record*: its key, value and headers, then where it was read and what is wrong.

    The added headers hold no patient data: topics are public names, and a rejection never shows values.
    """
    headers = (
        *origin.headers,
        (REASON, rejected.reason.encode()),
        (ERROR, rejected.detail.encode()),
        (TOPIC, origin.topic.encode()),
        (PARTITION, b"%d" % origin.partition),
        (OFFSET, b"%d" % origin.offset),
    )
    return OutputRecord(topic, partition, record.key, record.value, headers)
