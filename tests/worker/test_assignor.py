"""Who is given which partitions, where members read different topics: as while a group is upgraded."""

from typing import TYPE_CHECKING, cast

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from streams.worker.assignor import StreamTaskAssignor

if TYPE_CHECKING:
    from aiokafka.cluster import ClusterMetadata

OLD, NEW = ["surveys"], ["merges", "surveys"]


class Cluster:
    """Topics of two partitions."""

    def partitions_for_topic(self, topic: str) -> set[int]:
        """Two, of any."""
        assert topic
        return {0, 1}


@pytest.mark.parametrize(("first", "second"), [(OLD, NEW), (NEW, OLD), (NEW, NEW)])
def test_nobody_is_given_what_they_do_not_read(first: list[str], second: list[str]) -> None:
    """A member that is given a partition of an unknown topic ends; each reads its task of what it knows."""
    members = {name: ConsumerProtocolMemberMetadata(0, topics, b"") for name, topics in (("a", first), ("b", second))}

    dealt = StreamTaskAssignor().assign(cast("ClusterMetadata", Cluster()), members)

    given = {name: dict(assignment.assignment) for name, assignment in dealt.items()}
    assert given == {"a": {key: [0] for key in first}, "b": {key: [1] for key in second}}
