"""A static member of a consumer group (KIP-345), which ends rather than become somebody else.

A worker that comes back under the instance id of its last run, within the session time-out, takes its place over: the
group hands it the old assignment, without a rebalance, and nobody else notices. aiokafka 0.14 joins as a static member
when told to, but three things it does not do, and they are done here by replacing private parts of its coordinator,
which is why its version is pinned:

* a member that the group does not know any more (it was silent past its session, or another process has taken its
  place) is made to join anew under the same instance id. Two workers that share a place would throw each other out
  for ever. Here it is told to whoever can end the process;
* errors of the coordinator wait until somebody fetches records, who may never come. Here they are told at once;
* a static member never leaves its group, and its partitions wait for the session time-out also where it stops for
  good. Here the caller chooses.
"""

from collections.abc import Callable

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.protocol.group import JoinGroupRequest

FENCED_INSTANCE_ID = 82


class FencedInstanceIdError(kafka_errors.BrokerResponseError):
    """The broker's word for a member whose place another process has taken; aiokafka has no class for it."""

    errno = FENCED_INSTANCE_ID
    message = "FENCED_INSTANCE_ID"
    description = "Another process has joined the group in the place of this one."


# Otherwise the error would be an UnknownError, and its number lost.
kafka_errors.kafka_errors.setdefault(FENCED_INSTANCE_ID, FencedInstanceIdError)


class MembershipLostError(kafka_errors.KafkaError):
    """The group does not know this member any more; what it holds may belong to another by now."""


class _StaticMember(GroupCoordinator):
    on_failure: Callable[[Exception], None]
    _group_instance_id: str | None
    leaves_on_close: bool

    def reset_generation(self) -> None:
        """Called where the group does not know the member or its generation, and after leaving."""
        if self.member_id != JoinGroupRequest.UNKNOWN_MEMBER_ID and not self._closing.done():
            self.on_failure(self._lost())
        super().reset_generation()

    def _push_error_to_user(self, exc: Exception) -> object:
        if not self._closing.done():
            # aiokafka wraps what it has no rule for, and only its name is left.
            self.on_failure(self._lost() if FencedInstanceIdError.__name__ in str(exc) else exc)
        return super()._push_error_to_user(exc)

    async def _maybe_leave_group(self) -> None:
        instance_id = self._group_instance_id
        if self.leaves_on_close:
            self._group_instance_id = None  # aiokafka keeps those with one from leaving
        try:
            await super()._maybe_leave_group()
        finally:
            self._group_instance_id = instance_id

    def _lost(self) -> MembershipLostError:
        message = (
            f"The group {self.group_id} does not know this worker any more. Either it was silent for longer than its "
            f"session, and another start is enough; or another worker runs in its place, {self._group_instance_id}, "
            "and must have a host name of its own."
        )
        return MembershipLostError(message)


def static_member(
    consumer: AIOKafkaConsumer, *, on_failure: Callable[[Exception], None], leaves_on_close: bool
) -> AIOKafkaConsumer:
    """Make *consumer* a static member that ends rather than join anew.

    Args:
        consumer: Started, with a group instance id, not yet subscribed.
        on_failure: Called where the membership is lost or the group refuses; it should end the process.
        leaves_on_close: Whether a closed consumer gives its partitions up at once. Otherwise they wait for it
            until the session time-out.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - see the module's first lines
    coordinator.__class__ = _StaticMember
    coordinator.on_failure = on_failure
    coordinator.leaves_on_close = leaves_on_close
    return consumer
