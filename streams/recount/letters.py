"""Is a dead letter the record that was received? Compared by digest, so that neither is kept."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from streams.processing.dead_letter import ADDED, OFFSET, PARTITION, REASON, TOPIC
from streams.processing.records import Header
from streams.recount.standing import Coordinates

_DIGEST_BYTES = 16
_encode = msgspec.msgpack.Encoder().encode


class LetterSource(NamedTuple):
    """Where the record of a dead letter was first read, and why it was rejected."""

    coordinates: Coordinates
    reason: str


def letter_source(headers: Sequence[Header]) -> LetterSource | None:
    """What the added headers of a dead letter tell, opened or sealed; None where no worker wrote it."""
    # Those received may have the same names: a worker's own stand behind them.
    added = dict(headers)
    try:
        coordinates = Coordinates(added[TOPIC].decode(), int(added[PARTITION]), int(added[OFFSET]))
        return LetterSource(coordinates, added[REASON].decode())
    except (KeyError, ValueError, AttributeError):
        return None


def received_headers(headers: Sequence[Header]) -> Sequence[Header]:
    """The headers of a dead letter as the record had them."""
    return headers[: -len(ADDED)]


def digest(key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> bytes:
    """A name for what was received."""
    return hashlib.blake2b(_encode((key, value, list(headers))), digest_size=_DIGEST_BYTES).digest()
