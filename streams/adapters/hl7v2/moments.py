"""HL7 v2's TS as RFC 3339, and as a count that rises with time (HL7 v2.5.1, section 2.A.79)."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from streams.adapters.times import Times

_TS = re.compile(
    r"(?P<day>[0-9]{8})(?:(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})?(?P<second>[0-9]{2})?(?:\.(?P<part>[0-9]{1,4}))?)?"
    r"(?P<offset>[+-][0-9]{4})?"
)
_VERSION_MAX = 2**31 - 1


def moment(text: str | None, times: Times, of_day: Callable[[date], str | None]) -> str | None:
    """RFC 3339 of a TS; a day alone as *of_day* says, a time without an offset as *times* do; None for what is none."""
    read = _read(text)
    if isinstance(read, datetime):
        return times.local(read)
    return of_day(read) if read is not None else None


def version_at(text: str | None, times: Times) -> int | None:
    """The second of a TS since 1970: later versions have greater ones."""
    read = _read(text)
    if not isinstance(read, datetime):
        return None
    local = datetime.fromisoformat(times.local(read) or read.replace(tzinfo=UTC).isoformat())
    seconds = int(local.timestamp())
    return seconds if 1 <= seconds < _VERSION_MAX else None


def _read(text: str | None) -> datetime | date | None:
    found = _TS.fullmatch(text or "")
    if found is None:
        return None
    try:
        day = datetime.strptime(found["day"], "%Y%m%d").date()  # noqa: DTZ007 - a day has no offset
        if found["hour"] is None:
            return day
        clock = f"{found['hour']}:{found['minute'] or '00'}:{found['second'] or '00'}.{(found['part'] or '0'):0<6}"
        offset = f"{found['offset'][:3]}:{found['offset'][3:]}" if found["offset"] else ""
        return datetime.fromisoformat(f"{day.isoformat()}T{clock}{offset}")
    except ValueError:
        return None
