"""FHIR's dateTime as RFC 3339, and a resource's count of versions."""

import re
from collections.abc import Callable
from datetime import date, datetime

from streams.adapters.fhir.datatypes import Meta
from streams.adapters.times import Times

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OFFSET = re.compile(r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$")
_VERSION_MAX = 2**31 - 1
_DIGITS_MAX = 10


def moment(text: str | None, times: Times, of_day: Callable[[date], str | None]) -> str | None:
    """A ``dateTime`` with its time and offset, as it is written; others as *times* and *of_day* say, or None."""
    if text is None:
        return None
    if "T" in text and _OFFSET.search(text):
        return text
    try:
        if _DAY.fullmatch(text):
            return of_day(date.fromisoformat(text))
        return times.local(datetime.fromisoformat(text)) if "T" in text else None
    except ValueError:
        return None


def version_of(meta: Meta) -> int | None:
    """The server's count of versions where it is a count; else the second of its last change, where that is told."""
    counted = meta.version_id or ""
    if counted.isdecimal() and counted.isascii() and len(counted) <= _DIGITS_MAX and 1 <= int(counted) <= _VERSION_MAX:
        return int(counted)
    try:
        changed = datetime.fromisoformat(meta.last_updated or "")
    except ValueError:
        return None
    seconds = int(changed.timestamp()) if changed.tzinfo is not None else 0
    return seconds if 1 <= seconds <= _VERSION_MAX else None
