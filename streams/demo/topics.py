"""The topics of the demonstration, on whichever broker it has."""

from streams.kafka.connection import connection_options
from streams.kafka.provisioning import create_missing_topics
from streams.kafka.topic_admin import topic_admin
from streams.local_kafka.available_broker import RunningBroker
from streams.processing.topology import Topology
from streams.settings import Settings

DEMO_PARTITIONS = 4


async def demo_topics(settings: Settings, topology: Topology, broker: RunningBroker) -> None:
    """Make the topics exist.

    The in-process broker has no request to create a topic: it makes one as soon as it is asked for it.

    Raises:
        KafkaError: The broker refuses.
    """
    if broker.ensure_topics is not None:
        broker.ensure_topics([specification.name for specification in topology.specifications])
        return
    async with topic_admin(connection_options(settings)) as admin:
        await create_missing_topics(admin, topology, partition_count=DEMO_PARTITIONS, replication=1)
