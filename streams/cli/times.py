"""Times as they are typed: a date, which begins at midnight UTC, or RFC 3339."""

from datetime import UTC, datetime

TIME_FORMS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"]


def kafka_timestamp_ms(at: datetime | None) -> int | None:
    """*at* as Kafka counts it; the same on a machine in any time zone."""
    if at is None:
        return None
    return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1000)
