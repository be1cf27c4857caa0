"""The smallest billing consumer that is exactly once: the codes and the offsets are one transaction of one database.

    python billing_consumer.py kafka-1:9092 coding-events billing.sqlite

Needs confluent-kafka. Kill it whenever you like, start as many as you like, and replay the topic from its start: the
table ``code`` holds what billing must hold.
"""

import json
import sqlite3
import sys

from confluent_kafka import Consumer, KafkaException, TopicPartition

TABLES = """
CREATE TABLE IF NOT EXISTS code (episode_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, action TEXT NOT NULL,
                                 event_id TEXT NOT NULL, event TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS next_offset (partition INTEGER PRIMARY KEY, value INTEGER NOT NULL);
"""
# A void stays as a row, so that an older event of its episode that is seen again changes nothing.
APPLY = """
INSERT INTO code VALUES (:episode_id, :revision, :action, :event_id, :event)
ON CONFLICT (episode_id) DO UPDATE SET revision = excluded.revision, action = excluded.action,
    event_id = excluded.event_id, event = excluded.event
WHERE excluded.revision > code.revision
"""
MOVE_ON = """
INSERT INTO next_offset VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET value = max(value, excluded.value)
"""


def main(bootstrap_servers: str, topic: str, database: str) -> None:
    """Apply coding events for as long as it lives."""
    tables = sqlite3.connect(database, isolation_level=None, timeout=30)
    tables.executescript(TABLES)

    def from_where_we_stand(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        known = dict(tables.execute("SELECT partition, value FROM next_offset"))
        for partition in partitions:
            partition.offset = known.get(partition.partition, 0)
        consumer.assign(partitions)

    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "billing",
            "isolation.level": "read_committed",  # what a worker has not committed was never told
            "enable.auto.commit": False,  # our offsets are in the database
            "session.timeout.ms": 10_000,  # so long its partitions wait for one that was killed
            "auto.offset.reset": "error",  # events that are gone are for a person, not to be skipped
        }
    )
    consumer.subscribe([topic], on_assign=from_where_we_stand)
    while True:
        records = consumer.consume(num_messages=500, timeout=1.0)
        tables.execute("BEGIN IMMEDIATE")
        for record in records:
            if record.error():
                raise KafkaException(record.error())
            event = json.loads(record.value())
            columns = {name: event[name] for name in ("episode_id", "revision", "action", "event_id")}
            tables.execute(APPLY, columns | {"event": record.value().decode()})
            tables.execute(MOVE_ON, (record.partition(), record.offset() + 1))
        tables.execute("COMMIT")


if __name__ == "__main__":
    main(*sys.argv[1:])
