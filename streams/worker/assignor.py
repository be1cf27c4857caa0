"""Which worker gets which stream task: evenly, together, and where it was before.

Kafka's own assignors deal out partitions topic by topic; a task needs partition *p* of every source topic in
one place, also where the topics have different partition counts. Faust's assignor brings together only
topics with the same count.
"""

from collections.abc import Collection, Iterable, Mapping

import orjson
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)


def assign_tasks(task_count: int, owned: Mapping[str, Collection[int]]) -> dict[str, list[int]]:
    """Deal out the tasks below *task_count* to the members, each given with the tasks that it says it had.

    No member gets two more than another; a member keeps what it had as far as that allows. Where two claim one
    task, the first in order of member id keeps it. The answer is a function of the arguments alone.
    """
    members = sorted(owned)
    least, more = divmod(task_count, len(members))
    free = set(range(task_count))
    dealt: dict[str, list[int]] = {}
    for member in members:
        kept = [task for task in owned[member] if task in free][: least + (more > 0)]
        dealt[member] = kept
        free.difference_update(kept)
    # Only `more` members may have the larger share.
    larger = [member for member in members if len(dealt[member]) > least]
    for member in larger[more:]:
        free.add(dealt[member].pop())
    for task in sorted(free):
        member = min(members, key=lambda m: (len(dealt[m]), m))
        dealt[member].append(task)
    return {member: sorted(tasks) for member, tasks in dealt.items()}


class StreamTaskAssignor(AbstractPartitionAssignor):
    """The assignor of the group ``G9603_APP_ID``; the leader's copy assigns for all."""

    name = "g9603-stream-task"
    version = 0

    def __init__(self) -> None:
        self._tasks: list[int] = []

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this member tells the leader: its topics, and the tasks that it had."""
        return ConsumerProtocolMemberMetadata(self.version, sorted(topics), orjson.dumps(self._tasks))

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Deal out the partitions of all topics, task by task.

        A member of another version may read fewer topics, and would end if it were given a partition of one more.
        """
        topics = sorted({topic for metadata in members.values() for topic in metadata.subscription})
        counts = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
        owned = {member: _tasks_of(metadata.user_data) for member, metadata in members.items()}
        dealt = assign_tasks(max(counts.values(), default=0), owned)
        return {
            member: ConsumerProtocolMemberAssignment(
                self.version, _partitions({topic: counts[topic] for topic in members[member].subscription}, tasks), b""
            )
            for member, tasks in dealt.items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Remember what this member was given."""
        self._tasks = sorted({task for _topic, partitions in assignment.assignment for task in partitions})


def _partitions(counts: Mapping[str, int], tasks: Collection[int]) -> list[tuple[str, list[int]]]:
    by_topic = [(topic, [task for task in tasks if task < count]) for topic, count in counts.items()]
    return [(topic, partitions) for topic, partitions in by_topic if partitions]


def _tasks_of(user_data: bytes) -> list[int]:
    tasks: list[int] = orjson.loads(user_data) if user_data else []
    return tasks
