"""A point in time, and the offset of the place where it was written down.

Python's ``datetime`` would do, but the time line is compared often and stored by the million: two
integers compare in one step, and survive the changelog to the microsecond.
"""

from datetime import UTC, date, datetime, timedelta, timezone

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_PER_DAY = 86_400
US_PER_DAY = _SECONDS_PER_DAY * 1_000_000


class Instant(msgspec.Struct, frozen=True, array_like=True):
    """Microseconds since 1970 in UTC, with the local offset in minutes."""

    epoch_us: int
    utc_offset_minutes: int

    @classmethod
    def of(cls, at: datetime) -> "Instant":
        """The instant of an aware *at*; a seconds part of its offset is dropped, as RFC 3339 has none."""
        since = at - _EPOCH
        offset = at.utcoffset() or timedelta()
        return cls(
            (since.days * _SECONDS_PER_DAY + since.seconds) * 1_000_000 + since.microseconds,
            (offset.days * _SECONDS_PER_DAY + offset.seconds) // 60,
        )

    @property
    def local(self) -> datetime:
        """The wall clock of the place, with its offset."""
        return (_EPOCH + timedelta(microseconds=self.epoch_us)).astimezone(
            timezone(timedelta(minutes=self.utc_offset_minutes))
        )

    @property
    def local_date(self) -> date:
        """The date on the calendar of the place: a date of service is a local date."""
        return self.local.date()

    def __str__(self) -> str:
        """RFC 3339, ``Z`` for UTC."""
        return rfc3339(self.local)


def rfc3339(at: datetime) -> str:
    """The text of an aware *at*, with ``Z`` for UTC and no more digits than it has."""
    return at.isoformat().replace("+00:00", "Z")


def rfc3339_of_ms(epoch_ms: int) -> str:
    """The UTC text of a Kafka timestamp in milliseconds."""
    at = _EPOCH + timedelta(milliseconds=epoch_ms)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
