"""A coding event as a record of the billing topic: CloudEvents 1.0 in binary mode."""

from typing import Any

import orjson

from streams.processing.records import Header, OutputRecord

CLOUDEVENTS_SOURCE = b"/g9603"
CLOUDEVENTS_TYPE = b"g9603.coding-event.v1"
_FIXED: tuple[Header, ...] = (
    ("ce_specversion", b"1.0"),
    ("ce_source", CLOUDEVENTS_SOURCE),
    ("ce_type", CLOUDEVENTS_TYPE),
    ("content-type", b"application/json"),
)


def coding_record(event: dict[str, Any], *, topic: str, partition: int) -> OutputRecord:
    """The record of *event*, keyed by its episode. No patient data stands in its headers."""
    headers = (
        *_FIXED,
        ("ce_id", event["event_id"].encode()),
        ("ce_time", event["decided_at"].encode()),
    )
    return OutputRecord(topic, partition, event["episode_id"].encode(), orjson.dumps(event), headers)
