"""What is typed as a time means the same on a machine in any time zone."""

import time
from datetime import datetime

import pytest

from streams.cli.times import TIME_FORMS, kafka_timestamp_ms


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    ("typed", "form", "expected"),
    [
        ("2026-01-05", TIME_FORMS[0], 1_767_571_200_000),
        ("2026-01-05T00:00:00Z", TIME_FORMS[1], 1_767_571_200_000),
        ("2026-01-04T19:00:00-05:00", TIME_FORMS[1], 1_767_571_200_000),
    ],
    ids=["date", "utc", "offset"],
)
def test_a_time_is_one_instant(
    zone: str, typed: str, form: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A date begins at midnight UTC, wherever it is typed."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert kafka_timestamp_ms(datetime.strptime(typed, form)) == expected  # noqa: DTZ007 - as the option reads it
    finally:
        monkeypatch.undo()
        time.tzset()


def test_no_time_is_none() -> None:
    """An option that was not given."""
    assert kafka_timestamp_ms(None) is None
