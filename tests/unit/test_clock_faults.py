"""Whose clock tells what time it is: a topic of ticks that would take a worker's word is refused."""

from collections.abc import Mapping

import pytest

from streams.kafka.provisioning import TopicState, topic_faults
from streams.kafka.topic_admin import TopicDescription
from streams.processing.topology import Topology

TOPOLOGY = Topology()


def states(ticks: Mapping[str, str] | None) -> list[TopicState]:
    """All topics as they should be, but for what the topic of the ticks has."""
    usual = {"max.message.bytes": "1048588"}
    return [
        TopicState(
            specification,
            TopicDescription(specification.name, 4, 1),
            ticks if specification.name == TOPOLOGY.ticks else {**usual, **specification.config},
        )
        for specification in TOPOLOGY.specifications
    ]


@pytest.mark.parametrize(
    ("config", "count"),
    [
        ({"message.timestamp.type": "LogAppendTime"}, 0),
        ({"message.timestamp.type": "CreateTime"}, 1),
        ({}, 1),
        (None, 0),
    ],
    ids=["by-the-brokers", "by-the-workers", "not-told", "a-broker-without-settings"],
)
def test_ticks_are_stamped_by_the_brokers(config: Mapping[str, str] | None, count: int) -> None:
    """With what to do about it."""
    faults = topic_faults(states(config), TOPOLOGY)

    assert len(faults) == count
    assert all("--add-config message.timestamp.type=LogAppendTime" in fault for fault in faults)
