"""Had the payer's limit for filing a claim passed when a code was decided?

No clock is read: the limit is held against ``decided_at``, which every coding event tells, by its date in UTC. A code
that comes too late is flagged and never dropped: whether it can still be filed is billing's to say.
"""

from datetime import date

from streams.domain.instant import rfc3339_of_ms

_DATE_LENGTH = len("2026-01-31")


def last_filing_day(service_date: str, limit_days: int) -> date:
    """The last day on which a service of *service_date* can be filed; the calendar's last where it lies beyond."""
    return date.fromordinal(min(date.fromisoformat(service_date).toordinal() + limit_days, date.max.toordinal()))


def decided_on(decided_at_ms: int) -> date:
    """The date, in UTC, of the Kafka timestamp *decided_at_ms*."""
    return date.fromisoformat(rfc3339_of_ms(decided_at_ms)[:_DATE_LENGTH])


def is_past_filing_limit(service_date: str, decided_at_ms: int, limit_days: int | None) -> bool:
    """Whether a code was decided after the last day on which it could be filed; never where no limit is stated.

    Args:
        service_date: ``YYYY-MM-DD``.
        decided_at_ms: The newest Kafka timestamp behind the decision.
        limit_days: Of the payer.
    """
    return limit_days is not None and decided_on(decided_at_ms) > last_filing_day(service_date, limit_days)
