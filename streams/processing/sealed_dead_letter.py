"""How does a dead letter keep its patient data, all of it, sealed?

The key and the headers of a record that cannot be read hold as much as its value may. So all three are sealed together,
as the value; readable remain why, and where the record was first read.
"""

from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from streams.processing.dead_letter import ADDED
from streams.processing.encryption import Cipher, NotOpenedError, value_context
from streams.processing.records import Header, InputRecord, OutputRecord

SEALED = "g9603-sealed"
_FORMAT = b"1"


class _Received(msgspec.Struct, array_like=True):
    key: bytes | None
    value: bytes | None
    headers: list[Header]


class OpenedDeadLetter(NamedTuple):
    """A dead letter as it would be without encryption."""

    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Received).decode


def seal_dead_letter(letter: OutputRecord, cipher: Cipher) -> OutputRecord:
    """*letter* with its key, value and received headers sealed; its added headers say what they said."""
    received, added = list(letter.headers[: -len(ADDED)]), tuple(letter.headers[-len(ADDED) :])
    sealed = cipher.seal(
        _encode(_Received(letter.key, letter.value, received)),
        context=value_context(letter.topic, letter.partition, None),
    )
    return replace(letter, key=None, value=sealed, headers=(*added, (SEALED, _FORMAT)))


def open_dead_letter(letter: InputRecord, cipher: Cipher) -> OpenedDeadLetter:
    """A dead letter as it would be without encryption; one that is not sealed is as it is.

    Raises:
        EncryptionError: It is sealed, and cannot be opened.
    """
    *added, last = letter.headers or [("", b"")]
    if last != (SEALED, _FORMAT):
        return OpenedDeadLetter(letter.key, letter.value, tuple(letter.headers))
    opened = cipher.open(letter.value or b"", context=value_context(letter.topic, letter.partition, None))
    try:
        key, value, headers = msgspec.structs.astuple(_decode(opened))
    except msgspec.DecodeError:  # its text shows what could not be decoded
        message = "A dead letter was sealed by another version of g9603: open it with that one."
        raise NotOpenedError(message) from None
    return OpenedDeadLetter(key, value, (*headers, *added))
