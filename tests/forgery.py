"""One coding event that no worker has published."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from streams.kafka.connection import client_options
from streams.kafka.log_reader import read_log
from streams.processing.records import InputRecord


async def forge(connection: Mapping[str, Any], topic: str) -> str:
    """Publish an event that follows on the last one, with another charge and a name of its own; its episode.

    Args:
        connection: Options of an aiokafka client.
        topic: The billing topic.
    """
    last_run: Sequence[InputRecord] = ()
    async for records in read_log(connection, [topic]):
        last_run = records
    last = _last_standing(last_run)
    told = json.loads(last.value or b"")
    forged = told | {
        "action": "replace",
        "charge": "0.01",
        "event_id": "00000000-0000-5000-8000-000000000000",
        "prior_event_id": told["event_id"],
        "revision": told["revision"] + 1,
    }
    async with AIOKafkaProducer(**client_options(connection)) as producer:
        await producer.send_and_wait(topic, json.dumps(forged).encode(), key=last.key, partition=last.partition)
    return str(told["episode_id"])


def _last_standing(events: Sequence[InputRecord]) -> InputRecord:
    """The last of *events* that leaves a code standing."""
    taken_back = set()
    for event in reversed(events):
        if event.key not in taken_back and json.loads(event.value or b"")["action"] != "void":
            return event
        taken_back.add(event.key)
    message = "Only what stands can be told otherwise."
    raise AssertionError(message)
