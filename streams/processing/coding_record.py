"""A coding event as a record of the billing topic: CloudEvents 1.0 in binary mode."""

from typing import Any

import orjson

from streams.processing.records import Header, OutputRecord
from streams.processing.trace_context import TRACEPARENT, TraceContext

CLOUDEVENTS_SOURCE = b"/g9603"
CLOUDEVENTS_TYPE = b"g9603.coding-event.v1"
_FIXED: tuple[Header, ...] = (
    ("ce_specversion", b"1.0"),
    ("ce_source", CLOUDEVENTS_SOURCE),
    ("ce_type", CLOUDEVENTS_TYPE),
    ("content-type", b"application/json"),
)


def coding_record(
    event: dict[str, Any], *, topic: str, partition: int, span: TraceContext | None = None
) -> OutputRecord:
    """The record of *event*, keyed by its episode. No patient data stands in its headers.

    Args:
        event: As JSON values.
        topic: The billing topic.
        partition: Of it.
        span: What the consumer's own span is to be a child of.
    """
    headers: tuple[Header, ...] = (
        *_FIXED,
        ("ce_id", event["event_id"].encode()),
        ("ce_time", event["decided_at"].encode()),
    )
    if span is not None:
        headers = (*headers, (TRACEPARENT, span.header))
    return OutputRecord(topic, partition, event["episode_id"].encode(), orjson.dumps(event), headers)
