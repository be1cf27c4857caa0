"""A record that arrived away from home carries where it came from, while it travels.

The added headers are read only on the internal re-key topic and taken off again, so that a dead letter
still is the record exactly as it was received.

A record that moves a survey or treatment to another episode travels a second time, from its home to the episode that it
leaves, and says so in one more header.
"""

from collections.abc import Sequence
from typing import NamedTuple

from streams.processing.records import Header, InputRecord
from streams.processing.topology import InputKind

_PREFIX = "g9603-rekey-"
_KIND, _TOPIC, _PARTITION, _OFFSET, _TIMESTAMP = (
    f"{_PREFIX}{name}" for name in ("kind", "topic", "partition", "offset", "timestamp")
)
_ADDED = 5
_LEAVES = f"{_PREFIX}leaves"


class ForeignRecordError(Exception):
    """A record on the re-key topic that no worker wrote; the message says where it is and shows nothing of it."""


class Origin(NamedTuple):
    """Where a record was first read, and what it was then."""

    kind: InputKind
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    headers: Sequence[tuple[str, bytes]]
    leaves: bool = False
    """Whether it is on its way to the episode that it leaves, not to its own."""


def origin_of(record: InputRecord, kind: InputKind) -> Origin:
    """The origin of a record that was read from an input topic of *kind*."""
    return Origin(kind, record.topic, record.partition, record.offset, max(record.timestamp, 0), record.headers)


def travelling_headers(origin: Origin) -> tuple[Header, ...]:
    """The headers of a record that is forwarded: its own, then its origin."""
    leaves: tuple[Header, ...] = ((_LEAVES, b""),) if origin.leaves else ()
    return (
        *origin.headers,
        (_KIND, origin.kind.encode()),
        (_TOPIC, origin.topic.encode()),
        (_PARTITION, b"%d" % origin.partition),
        (_OFFSET, b"%d" % origin.offset),
        (_TIMESTAMP, b"%d" % origin.timestamp_ms),
        *leaves,
    )


def arrived_origin(record: InputRecord) -> Origin:
    """The origin of a record that was read from the re-key topic.

    Raises:
        ForeignRecordError: It was not written by a worker; nothing else may write to that topic.
    """
    headers = record.headers
    leaves = bool(headers) and headers[-1][0] == _LEAVES
    if leaves:
        headers = headers[:-1]
    added = dict(headers[-_ADDED:])
    if list(added) != [_KIND, _TOPIC, _PARTITION, _OFFSET, _TIMESTAMP]:
        raise _foreign(record)
    try:
        return Origin(
            InputKind(added[_KIND].decode()),
            added[_TOPIC].decode(),
            int(added[_PARTITION]),
            int(added[_OFFSET]),
            int(added[_TIMESTAMP]),
            headers[:-_ADDED],
            leaves,
        )
    except (AttributeError, TypeError, ValueError):  # their texts show the headers
        raise _foreign(record) from None


def _foreign(record: InputRecord) -> ForeignRecordError:
    return ForeignRecordError(
        f"{record.topic}-{record.partition}@{record.offset} was not written by a worker of this version: "
        "only workers may write to the re-key topic. Take the right to write to it from everybody else, "
        "then move the group past that record."
    )
