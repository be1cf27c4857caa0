"""Durations and counts as an operator says them."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def duration_text(seconds: float) -> str:
    """Two units at most.

    >>> duration_text(0.4), duration_text(130), duration_text(93_600)
    ('less than 1 s', '2 min 10 s', '1 d 2 h')
    """
    whole = int(seconds)
    if whole < 1:
        return "less than 1 s"
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole // _MINUTE, "min", whole % _MINUTE, "s")
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min")
    return _two(whole // _DAY, "d", whole % _DAY // _HOUR, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def records_text(count: int) -> str:
    """A count of records.

    >>> records_text(1), records_text(12_340)
    ('1 record', '12,340 records')
    """
    return "1 record" if count == 1 else f"{count:,} records"
