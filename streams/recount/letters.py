"""Is a dead letter the record that was received? Compared by digest, so that neither is kept."""

import hashlib
from collections.abc import Sequence

import msgspec

from streams.processing.records import Header

_DIGEST_BYTES = 16
_encode = msgspec.msgpack.Encoder().encode


def digest(key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> bytes:
    """A name for what was received."""
    return hashlib.blake2b(_encode((key, value, list(headers))), digest_size=_DIGEST_BYTES).digest()
