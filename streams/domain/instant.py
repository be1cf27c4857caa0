"""A point in time, and the offset of the place where it was written down.

Python's ``datetime`` would do, but the time line is compared often and stored by the million: two
integers compare in one step, and survive the changelog to the microsecond.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock; the offset is kept beside it
_EPOCH_ORDINAL = _LOCAL_EPOCH.toordinal()
_SECONDS_PER_DAY = 86_400
_US_PER_MINUTE = 60_000_000
LAST_MS = 253_402_300_799_999
US_PER_MS = 1_000
US_PER_DAY = _SECONDS_PER_DAY * 1_000_000


class Instant(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Microseconds since 1970 in UTC, with the local offset in minutes."""

    epoch_us: int
    utc_offset_minutes: int

    @classmethod
    def of(cls, at: datetime) -> "Instant":
        """The instant of an aware *at*; a seconds part of its offset is dropped, as RFC 3339 has none."""
        offset = at.utcoffset() or timedelta()
        offset_minutes = (offset.days * _SECONDS_PER_DAY + offset.seconds) // 60
        days = at.toordinal() - _EPOCH_ORDINAL
        minutes = (days * 24 + at.hour) * 60 + at.minute - offset_minutes
        return cls(minutes * _US_PER_MINUTE + at.second * 1_000_000 + at.microsecond, offset_minutes)

    @property
    def local_us(self) -> int:
        """Microseconds since 1970 on the wall clock of the place."""
        return self.epoch_us + self.utc_offset_minutes * _US_PER_MINUTE

    @property
    def local(self) -> datetime:
        """The wall clock of the place, with its offset."""
        wall_clock = _LOCAL_EPOCH + timedelta(microseconds=self.local_us)
        return wall_clock.replace(tzinfo=timezone(timedelta(minutes=self.utc_offset_minutes)))

    @property
    def local_date(self) -> date:
        """The date on the calendar of the place: a date of service is a local date."""
        return date.fromordinal(_EPOCH_ORDINAL + self.local_us // US_PER_DAY)

    @property
    def local_date_text(self) -> str:
        """`local_date` as ``YYYY-MM-DD``."""
        return _date_text(self.local_us // US_PER_DAY)

    def __str__(self) -> str:
        """RFC 3339, ``Z`` for UTC."""
        day, us = divmod(self.epoch_us + self.utc_offset_minutes * _US_PER_MINUTE, US_PER_DAY)
        minute, us = divmod(us, _US_PER_MINUTE)
        seconds = f"{us // 1_000_000:02}" if us % 1_000_000 == 0 else f"{us / 1_000_000:09.6f}"
        return f"{_date_text(day)}{_MINUTES[minute]}{seconds}{_offset_text(self.utc_offset_minutes)}"


_MINUTES = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))


@lru_cache(maxsize=4_096)  # eleven years
def _date_text(day: int) -> str:
    """The date so many days after 1970-01-01."""
    return date.fromordinal(_EPOCH_ORDINAL + day).isoformat()


@lru_cache(maxsize=256)
def _offset_text(utc_offset_minutes: int) -> str:
    if not utc_offset_minutes:
        return "Z"
    hours, minutes = divmod(abs(utc_offset_minutes), 60)
    return f"{'-' if utc_offset_minutes < 0 else '+'}{hours:02}:{minutes:02}"


@lru_cache(maxsize=1_024)  # records of one batch share their time of arrival
def rfc3339_of_ms(epoch_ms: int) -> str:
    """The UTC text of a Kafka timestamp in milliseconds; a time after the year 9999 is told as its last."""
    # A producer may set any 64-bit number, and one that no calendar holds must not stop a task.
    at = _EPOCH + timedelta(milliseconds=min(epoch_ms, LAST_MS))
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
