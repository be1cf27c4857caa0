"""Finds free ports on this machine, and asks a port whether a Kafka broker answers on it."""

import secrets
import socket
import ssl
import struct
from contextlib import ExitStack
from itertools import islice

_LOOPBACK = "127.0.0.1"

# Below the ports that systems lend to outgoing connections (from 32768 on Linux, 49152 elsewhere).  A client
# that keeps trying to reach a broker that is down could otherwise be lent the broker's own port, connect to
# itself, and keep the broker from coming back.
_PORTS = range(20_000, 30_000)
_CANDIDATES = 200

# A Metadata request of version 1, which Kafka 3.9 and 4 know: api key, version, correlation id, no client id,
# no topics.  The answer begins with its length, the correlation id and the number of brokers that are up.
# https://kafka.apache.org/protocol#The_Messages_Metadata
_METADATA_REQUEST = struct.pack(">hhihi", 3, 1, 0, -1, 0)
_FRAMED_METADATA_REQUEST = struct.pack(">i", len(_METADATA_REQUEST)) + _METADATA_REQUEST
_METADATA_ANSWER = struct.Struct(">iii")


def free_ports(count: int) -> list[int]:
    """*count* different ports that nobody listens on; random, so that two programs rarely choose the same."""
    candidates = secrets.SystemRandom().sample(_PORTS, _CANDIDATES)
    return list(islice(filter(_is_free, candidates), count))


def broker_answers(port: int, *, timeout_seconds: float = 1.0, tls: ssl.SSLContext | None = None) -> bool:
    """Whether the broker on *port* serves requests, and counts itself among the brokers that are up.

    An open port is not enough: Kafka opens it well before its controller lets the broker take part.
    """
    try:
        with ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection((_LOOPBACK, port), timeout=timeout_seconds))
            if tls is not None:
                connection = stack.enter_context(tls.wrap_socket(connection, server_hostname=_LOOPBACK))
            connection.sendall(_FRAMED_METADATA_REQUEST)
            with connection.makefile("rb") as stream:
                answer = stream.read(_METADATA_ANSWER.size)
    except OSError:
        return False
    if len(answer) < _METADATA_ANSWER.size:
        return False
    _length, _correlation_id, brokers_up = _METADATA_ANSWER.unpack(answer)
    return bool(brokers_up)


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        try:
            candidate.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True
