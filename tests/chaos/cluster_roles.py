"""Which broker plays which part just now?

Asked of the brokers directly, in the three requests that it takes: a client library would remember what it was once
told.
"""

import socket
import struct
from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Any

from aiokafka.protocol.coordination import FindCoordinatorRequest_v1
from aiokafka.protocol.metadata import MetadataRequest_v1
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from tests.chaos.kafka_wire import RequestHeader, encoded_request, framed

_LENGTH = struct.Struct(">i")
_ANSWER_SECONDS_MAX = 3.0
_GROUP, _TRANSACTION = 0, 1


_DESCRIBE_QUORUM = (55, 0)
"""Api key and version."""
_QUORUM_REQUEST = Schema(
    ("header_tags", TaggedFields),
    (
        "topics",
        CompactArray(
            ("topic", CompactString("utf-8")),
            ("partitions", CompactArray(("partition", Int32), ("tags", TaggedFields))),
            ("tags", TaggedFields),
        ),
    ),
    ("tags", TaggedFields),
)
_QUORUM_ANSWER = Schema(  # as far as the leader; what follows is not read
    ("header_tags", TaggedFields),
    ("error_code", Int16),
    (
        "topics",
        CompactArray(
            ("topic", CompactString("utf-8")),
            ("partitions", CompactArray(("partition", Int32), ("error_code", Int16), ("leader_id", Int32))),
        ),
    ),
)


class RoleUnknownError(Exception):
    """No broker that answers knows; it may in a moment."""


class ClusterRoles:
    """Asks the first broker that answers.

    Args:
        ports: The direct port of each broker.
    """

    def __init__(self, ports: Mapping[int, int]) -> None:
        self._ports = ports

    def leader(self, topic: str, partition: int) -> int:
        """The broker that leads a partition.

        Raises:
            RoleUnknownError: None does, or no broker answers.
        """
        for name, number, leader, _replicas, _in_sync in self._partitions([topic]):
            if (name, number) == (topic, partition) and leader in self._ports:
                return leader
        message = f"Nobody leads {topic}-{partition}."
        raise RoleUnknownError(message)

    def transaction_coordinator(self, transactional_id: str) -> int:
        """The broker that runs the transactions of *transactional_id*.

        Raises:
            RoleUnknownError: There is none just now.
        """
        return self._coordinator(transactional_id, _TRANSACTION)

    def group_coordinator(self, group_id: str) -> int:
        """The broker that runs a consumer group.

        Raises:
            RoleUnknownError: There is none just now.
        """
        return self._coordinator(group_id, _GROUP)

    def controller(self) -> int:
        """The broker that leads the quorum of controllers; metadata names any broker instead, under KRaft.

        Raises:
            RoleUnknownError: There is none just now.
        """
        body = _QUORUM_REQUEST.encode(({}, [("__cluster_metadata", [(0, {})], {})], {}))
        answer = _QUORUM_ANSWER.decode(self._ask(*_DESCRIBE_QUORUM, body))
        _tags, _error_code, ((_topic, ((_partition, error_code, leader),)),) = answer
        if error_code or leader not in self._ports:
            message = f"There is no controller just now (error {error_code})."
            raise RoleUnknownError(message)
        return int(leader)

    def incomplete(self) -> list[str]:
        """Partitions without a leader, or with replicas that are not in sync, as every broker sees them.

        Raises:
            RoleUnknownError: A broker does not answer.
        """
        return sorted(
            {
                f"{name}-{number}"
                for broker in self._ports
                for name, number, leader, replicas, in_sync in self._partitions(None, [broker])
                if leader < 0 or set(replicas) != set(in_sync)
            }
        )

    def _partitions(
        self, topics: list[str] | None, brokers: Collection[int] = ()
    ) -> list[tuple[str, int, int, list[int], list[int]]]:
        """Name, number, leader, replicas and in-sync replicas of the partitions of *topics*, or of all."""
        answer = self._answer(MetadataRequest_v1(topics), brokers)
        return [
            (name, number, leader, replicas, in_sync)
            for _error, name, _internal, partitions in answer.topics
            for _partition_error, number, leader, replicas, in_sync in partitions
        ]

    def _coordinator(self, key: str, kind: int) -> int:
        answer = self._answer(FindCoordinatorRequest_v1(key, kind))
        if answer.error_code:
            message = f"{key} has no coordinator just now (error {answer.error_code})."
            raise RoleUnknownError(message)
        return int(answer.coordinator_id)

    def _answer(self, request: Any, brokers: Collection[int] = ()) -> Any:  # noqa: ANN401 - wire structs of aiokafka
        body = self._ask(request.API_KEY, request.API_VERSION, request.encode(), brokers)
        return request.RESPONSE_TYPE.decode(body)

    def _ask(self, api_key: int, api_version: int, body: bytes, brokers: Collection[int] = ()) -> BytesIO:
        message = framed(encoded_request(RequestHeader(api_key, api_version, 0, "chaos"), body))
        for broker in brokers or self._ports:
            try:
                return BytesIO(_exchanged(self._ports[broker], message))
            except OSError:
                continue
        told = f"None of the brokers {sorted(brokers or self._ports)} answers."
        raise RoleUnknownError(told)


def _exchanged(port: int, framed_request: bytes) -> bytes:
    """The answer to a request, without length and correlation id.

    Raises:
        OSError: None came.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS_MAX) as connection:
        connection.sendall(framed_request)
        with connection.makefile("rb") as stream:
            prefix = stream.read(_LENGTH.size)
            if len(prefix) < _LENGTH.size:
                raise ConnectionResetError
            return stream.read(_LENGTH.unpack(prefix)[0])[_LENGTH.size :]
