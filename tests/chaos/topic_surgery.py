"""What is done to topics behind the workers' back: by retention, by an operator, by another program."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.kafka.connection import client_options
from tests.chaos.observation import Ends, read_all
from tests.chaos.trial import Trial

SEEN_BY_CLEANER: Mapping[str, str] = {
    "segment.ms": "200",
    "min.cleanable.dirty.ratio": "0.001",
    "max.compaction.lag.ms": "200",
    "delete.retention.ms": "0",
}
"""A compacted topic with these is compacted within seconds, not days."""
_UNCLEANED_RECORDS = 3
"""Of a partition: what was written to begin another segment, and is not cleaned yet."""


@asynccontextmanager
async def _admin(trial: Trial) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**client_options(trial.connection))
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def delete_records(trial: Trial, topic: str, *, up_to_the_end: bool = True) -> None:
    """Retention: everything that *topic* has now is gone; or the older half of it."""
    partitions = [TopicPartition(topic, number) for number in range(trial.scenario.partitions)]
    ends = await Ends(trial.connection).of(partitions)
    async with _admin(trial) as admin:
        bounds = {tp: RecordsToDelete(end if up_to_the_end else end // 2) for tp, end in ends.items()}
        await admin.delete_records(bounds)
    trial.fault(f"the records of {topic} are deleted before {sorted(bound.before_offset for bound in bounds.values())}")


async def widen(trial: Trial, topic: str, partitions: int) -> None:
    """An operator raises the partition count."""
    async with _admin(trial) as admin:
        await admin.create_partitions({topic: NewPartitions(partitions)})
    trial.fault(f"{topic} has {partitions} partitions now")


async def configure(trial: Trial, topic: str, config: Mapping[str, str]) -> None:
    """An operator sets all of the topic's own settings anew."""
    async with _admin(trial) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict(config))])
    trial.note(f"{topic} is configured: {json.dumps(dict(config))}")


async def put(trial: Trial, topic: str, key: bytes, value: bytes | None) -> None:
    """Another program writes a record into the first partition."""
    async with AIOKafkaProducer(**client_options(trial.connection)) as producer:
        await producer.send_and_wait(topic, value, key=key, partition=0)


async def until_compacted(trial: Trial, topic: str) -> None:
    """Wait until *topic* has lost to the cleaner whatever it can: of each key all but the last record.

    The newest segment is never compacted, so that a record of no meaning is written to begin another. It is of a key
    that no worker has, has no value, and goes with the next compaction.
    """
    before = len(await read_all(trial.connection, [topic]))

    async def compacted() -> bool:
        async with AIOKafkaProducer(**client_options(trial.connection)) as producer:
            for partition in range(trial.scenario.partitions):
                await producer.send_and_wait(topic, None, key=b"E", partition=partition)
        records = await read_all(trial.connection, [topic])
        keys = {(record.partition, record.key) for record in records}
        return len(records) - len(keys) <= _UNCLEANED_RECORDS * trial.scenario.partitions

    await trial.until(compacted, f"{topic} is compacted")
    trial.fault(f"{topic} was compacted: it had {before} records")


@asynccontextmanager
async def foreign_transaction(trial: Trial, topic: str, value: bytes | None, key: bytes) -> AsyncIterator[None]:
    """Another program has a transaction open in every partition of *topic*, and aborts it at the end."""
    options = client_options(trial.connection)
    async with AIOKafkaProducer(**options, transactional_id=f"{trial.settings.app_id}-foreign") as producer:
        await producer.begin_transaction()
        for partition in range(trial.scenario.partitions):
            await producer.send_and_wait(topic, value, key=key, partition=partition)
        trial.fault(f"another program has a transaction open in {topic}")
        yield
        await producer.abort_transaction()
        trial.healed("and aborts it")
