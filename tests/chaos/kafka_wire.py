"""What does a Kafka frame say of itself, without what it carries?

A frame is a length of four bytes and as many bytes of message. A request begins with its api key, its version, a
correlation id and the client's name; the answer begins with the correlation id. More than that no fault needs to know.
https://kafka.apache.org/protocol#protocol_messages
"""

import asyncio
import struct
from enum import IntEnum
from typing import NamedTuple

_LENGTH = struct.Struct(">i")
_REQUEST_HEADER = struct.Struct(">hhih")
_CORRELATION_ID = struct.Struct(">i")

FRAME_BYTES_MAX = 128 * 1024 * 1024
"""Longer than any that Kafka takes: what claims to be, is something else than Kafka."""


class ApiKey(IntEnum):
    """The requests that faults are about, by their number on the wire."""

    PRODUCE = 0
    FETCH = 1
    METADATA = 3
    OFFSET_COMMIT = 8
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    SYNC_GROUP = 14
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


class NoKafkaError(Exception):
    """These bytes are no Kafka frame."""


class RequestHeader(NamedTuple):
    """What stands at the beginning of every request."""

    api_key: int
    api_version: int
    correlation_id: int
    client_id: str | None = None


def request_header(message: bytes) -> RequestHeader:
    """The header of a request.

    Args:
        message: The request without its length.

    Raises:
        NoKafkaError: It is none.
    """
    if len(message) < _REQUEST_HEADER.size:
        told = f"A request has at least {_REQUEST_HEADER.size} bytes; this one has {len(message)}."
        raise NoKafkaError(told)
    api_key, api_version, correlation_id, name_length = _REQUEST_HEADER.unpack_from(message)
    if name_length < 0:
        return RequestHeader(api_key, api_version, correlation_id)
    name = message[_REQUEST_HEADER.size : _REQUEST_HEADER.size + name_length]
    if len(name) < name_length:
        told = f"The client's name should have {name_length} bytes and has {len(name)}."
        raise NoKafkaError(told)
    return RequestHeader(api_key, api_version, correlation_id, name.decode("utf-8", errors="replace"))


def correlation_id(message: bytes) -> int:
    """Which request *message*, an answer without its length, answers.

    Raises:
        NoKafkaError: It is no answer.
    """
    if len(message) < _CORRELATION_ID.size:
        told = f"An answer has at least {_CORRELATION_ID.size} bytes; this one has {len(message)}."
        raise NoKafkaError(told)
    (found,) = _CORRELATION_ID.unpack_from(message)
    return int(found)


def framed(message: bytes) -> bytes:
    """*message* with its length before it."""
    return _LENGTH.pack(len(message)) + message


def encoded_request(header: RequestHeader, body: bytes = b"") -> bytes:
    """A request without its length."""
    name = None if header.client_id is None else header.client_id.encode()
    length = -1 if name is None else len(name)
    return _REQUEST_HEADER.pack(*header[:3], length) + (name or b"") + body


async def read_message(stream: asyncio.StreamReader) -> bytes | None:
    """The next message of *stream*, without its length; None where it ends between two.

    Raises:
        NoKafkaError: The length is not one.
        asyncio.IncompleteReadError: The stream ends in a message.
        OSError: The connection was reset.
    """
    try:
        prefix = await stream.readexactly(_LENGTH.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    (length,) = _LENGTH.unpack(prefix)
    if not 0 <= length <= FRAME_BYTES_MAX:
        told = f"A message of {length} bytes is none."
        raise NoKafkaError(told)
    return await stream.readexactly(length)
