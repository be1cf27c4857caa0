"""The group coordinator: members and generations of the eager protocol, and the group's offsets.

A rebalance begins when a member comes or goes. It ends when all have joined again, or when those who have not
are given up; only then does the generation change, and each member learns its tasks when it next asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streams.worker.assignor import assign_tasks
from streams.worker.step import Generation, TopicPartition
from tests.simulation.partition_log import Producer
from tests.simulation.refusals import FencedError, NotYetError, RebalancingError, StaleMemberError

NOBODY = Generation(-1, "")
"""What a member is when it has been told that it is none."""


@dataclass(slots=True)
class _Member:
    owned: Sequence[int]
    has_joined: bool = True
    tasks: Sequence[int] = ()


@dataclass(slots=True)
class _Pending:
    epoch: int
    offsets: dict[TopicPartition, int] = field(default_factory=dict)


class GroupCoordinator:
    """The coordinator of the one group.

    Args:
        task_count: How many tasks there are to deal out.
        fences_generations: False takes offsets from anybody: see `Protocol`.
    """

    def __init__(self, task_count: int, *, fences_generations: bool = True) -> None:
        self.generation_id = 0
        self.members: dict[str, _Member] = {}
        self.is_rebalancing = False
        self.committed: dict[TopicPartition, int] = {}
        self._pending: dict[int, _Pending] = {}
        self._task_count = task_count
        self._fences_generations = fences_generations
        self._names = 0

    # -----------------------------------------------------------------------------------------
    # Membership
    # -----------------------------------------------------------------------------------------
    def join(self, member_id: str, owned: Sequence[int]) -> str:
        """Take part in the rebalance that this begins, or that is on; a member that is not known gets a new name."""
        if member_id not in self.members:
            self._names += 1
            member_id = f"member-{self._names}"
        self.members[member_id] = _Member(owned)
        self._begin_rebalance()
        self.members[member_id].has_joined = True
        return member_id

    def sync(self, member_id: str) -> tuple[Generation, Sequence[int]]:
        """The generation and the tasks of *member_id*.

        Raises:
            NotYetError: The rebalance is not over.
            RebalancingError: The next one has begun.
            StaleMemberError: It is no member any more.
        """
        member = self._member(member_id)
        if self.is_rebalancing:
            raise NotYetError if member.has_joined else RebalancingError
        return Generation(self.generation_id, member_id), member.tasks

    def heartbeat(self, member_id: str) -> None:
        """Tell a member that it must join again.

        Raises:
            RebalancingError: A rebalance is on.
            StaleMemberError: It is no member any more.
        """
        if not self._member(member_id).has_joined:
            raise RebalancingError

    def leave(self, member_id: str) -> None:
        """Let a member go: it said so, or it was silent for the session timeout."""
        if self.members.pop(member_id, None) is not None:
            self._begin_rebalance()

    def end_rebalance(self) -> None:
        """Give up those who have not joined, and deal out the tasks to the rest."""
        self.members = {member_id: member for member_id, member in self.members.items() if member.has_joined}
        self.generation_id += 1
        self.is_rebalancing = False
        if self.members:
            dealt = assign_tasks(self._task_count, {name: member.owned for name, member in self.members.items()})
            for member_id, tasks in dealt.items():
                self.members[member_id].tasks = tasks

    @property
    def all_have_joined(self) -> bool:
        """Whether the rebalance need not wait any longer."""
        return all(member.has_joined for member in self.members.values())

    # -----------------------------------------------------------------------------------------
    # Offsets
    # -----------------------------------------------------------------------------------------
    def add_to_transaction(
        self, producer: Producer, generation: Generation, offsets: Mapping[TopicPartition, int]
    ) -> None:
        """TxnOffsetCommit: keep *offsets* until the transaction's marker comes.

        Raises:
            StaleMemberError: The group has moved on (KIP-447).
            FencedError: A later epoch has offsets here.
        """
        # Who gives no name is not fenced: so Kafka treats a TxnOffsetCommit of before KIP-447.
        if generation != NOBODY:
            self._check(generation)
        pending = self._pending.setdefault(producer.id, _Pending(producer.epoch))
        if producer.epoch < pending.epoch:
            raise FencedError
        pending.offsets.update(offsets)

    def has_pending(self, producer: Producer) -> bool:
        """Whether a transaction of *producer* has offsets here."""
        return producer.id in self._pending

    def commit(self, generation: Generation, offsets: Mapping[TopicPartition, int]) -> None:
        """OffsetCommit, outside any transaction.

        Raises:
            StaleMemberError: The group has moved on.
        """
        self._check(generation)
        self.committed.update(offsets)

    def mark(self, producer: Producer, *, commits: bool) -> None:
        """The marker of *producer*'s transaction."""
        pending = self._pending.pop(producer.id, None)
        if pending is not None and commits:
            self.committed.update(pending.offsets)

    def _check(self, generation: Generation) -> None:
        if self._fences_generations:
            self._member(generation.member_id)
            if generation.id != self.generation_id:
                raise StaleMemberError

    def _member(self, member_id: str) -> _Member:
        if member_id not in self.members:
            raise StaleMemberError
        return self.members[member_id]

    def _begin_rebalance(self) -> None:
        if not self.is_rebalancing:
            self.is_rebalancing = True
            for member in self.members.values():
                member.has_joined = False
