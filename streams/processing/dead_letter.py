"""A record that could not be taken in, exactly as it was received, with the reason beside it."""

from streams.intake.rejection import RejectedError
from streams.processing.records import FetchedRecord, OutputRecord
from streams.processing.rekeying import Origin

REASON = "g9603-reason"
ERROR = "g9603-error"
TOPIC = "g9603-topic"
PARTITION = "g9603-partition"
OFFSET = "g9603-offset"
ADDED = (REASON, ERROR, TOPIC, PARTITION, OFFSET)
"""The headers that are added behind those received, in this order."""


def dead_letter(
    record: FetchedRecord, origin: Origin, rejected: RejectedError, *, topic: str, partition: int
) -> OutputRecord:
    """The dead letter of *record*: its key, value and headers, then where it was read and what is wrong.

    The added headers hold no patient data: topics are public names, and a rejection never shows values.
    """
    headers = (
        *origin.headers,
        (REASON, rejected.reason.encode()),
        (ERROR, rejected.detail.encode()),
        (TOPIC, origin.topic.encode()),
        (PARTITION, b"%d" % origin.partition),
        (OFFSET, b"%d" % origin.offset),
    )
    return OutputRecord(topic, partition, record.key, record.value, headers)
