"""What time does a date of another system mean? No offset is made up; a day is taken where the mapping says so."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

_LAST_SECOND = time(23, 59, 59)


class Times:
    """How times without an offset, and days without a time, are read.

    On one day a survey counts as answered before a treatment where nothing tells better: it may be a baseline, and is
    never a follow-up. So a survey of a day is of its first second, a treatment of its last.

    Args:
        zone: Where the sender's clocks are; None where it tells an offset itself.
        takes_days: Whether days without a time are taken.
    """

    def __init__(self, zone: ZoneInfo | None, *, takes_days: bool) -> None:
        self._zone = zone
        self._takes_days = takes_days

    def local(self, moment: datetime) -> str | None:
        """RFC 3339 of *moment*; None where it has no offset, and the mapping names no zone."""
        if moment.tzinfo is None:
            if self._zone is None:
                return None
            moment = moment.replace(tzinfo=self._zone)
        return moment.isoformat()

    def survey_day(self, day: date) -> str | None:
        """RFC 3339 of a survey that was answered on *day*; None where days are not taken."""
        return self._of_day(day, time.min)

    def treatment_day(self, day: date) -> str | None:
        """RFC 3339 of a treatment on *day*; None where days are not taken."""
        return self._of_day(day, _LAST_SECOND)

    def _of_day(self, day: date, at: time) -> str | None:
        return self.local(datetime.combine(day, at)) if self._takes_days else None
