"""Who is in a consumer group, as its coordinator tells it."""

import re
from typing import Any, NamedTuple

import aiokafka.errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from streams.monitoring.reading import MemberReading

_STATIC_MEMBER = re.compile(r"(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A coordinator names a static member after its group instance id and a UUID (Kafka, KIP-345)."""
_UNKNOWN = "Dead"
"""Kafka's word for a group that it knows nothing of."""


class GroupDescription(NamedTuple):
    """A group's state, in Kafka's words, and its members by place."""

    state: str
    members: tuple[MemberReading, ...]


async def described_group(admin: AIOKafkaAdminClient, group_id: str) -> GroupDescription:
    """The group *group_id*; without members where it was never joined."""
    try:
        (response,) = await admin.describe_consumer_groups([group_id])
    except kafka_errors.GroupCoordinatorNotAvailableError:
        return GroupDescription(_UNKNOWN, ())  # nobody has joined any group of this cluster yet
    (described,) = response.groups
    error_code, _, state, _, _, members, *_ = described
    if error_code:
        raise kafka_errors.for_code(error_code)(group_id)
    return GroupDescription(state, tuple(sorted(_member(*member) for member in members)))


def _member(member_id: str, _client_id: str, host: str, _metadata: bytes, assignment: bytes) -> MemberReading:
    place = _STATIC_MEMBER.fullmatch(member_id)
    return MemberReading(place[1] if place else member_id, host.removeprefix("/"), _partitions(assignment), member_id)


def _partitions(assignment: bytes) -> tuple[int, ...]:
    if not assignment:
        return ()  # the group rebalances
    decoded: Any = ConsumerProtocolMemberAssignment.decode(assignment)
    return tuple(sorted({tp.partition for tp in decoded.partitions()}))
