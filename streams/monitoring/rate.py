"""How fast does a figure that only grows, grow?"""

from collections import deque
from typing import NamedTuple

_KNOWN_MS = 5_000


class Reading(NamedTuple):
    """The figure at one instant."""

    at_ms: int
    value: int


class Rate:
    """The growth per second over the last readings.

    Args:
        window_ms: Over how long it is taken: long enough to be steady, short enough to follow.
    """

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._readings: deque[Reading] = deque()

    def take(self, at_ms: int, value: int) -> None:
        """Take in a reading. One that is smaller than the last begins anew: the figure was reset."""
        readings = self._readings
        if readings and (value < readings[-1].value or at_ms <= readings[-1].at_ms):
            readings.clear()
        readings.append(Reading(at_ms, value))
        while len(readings) > 2 and readings[1].at_ms <= at_ms - self._window_ms:  # noqa: PLR2004 - two make a rate
            readings.popleft()

    @property
    def is_known(self) -> bool:
        """Whether the readings reach back far enough to tell."""
        readings = self._readings
        return bool(readings) and readings[-1].at_ms - readings[0].at_ms >= _KNOWN_MS

    @property
    def per_second(self) -> float:
        """The rate; 0 before there are two readings."""
        if not self._readings:
            return 0.0
        first, last = self._readings[0], self._readings[-1]
        elapsed_ms = last.at_ms - first.at_ms
        return (last.value - first.value) * 1000 / elapsed_ms if elapsed_ms > 0 else 0.0


def catch_up_seconds(lag_records: int, in_per_second: float, out_per_second: float) -> float | None:
    """How long until nothing waits, if all goes on as it does; None where it will not.

    >>> catch_up_seconds(1000, in_per_second=50, out_per_second=150)
    10.0
    """
    if lag_records == 0:
        return 0.0
    gained = out_per_second - in_per_second
    return lag_records / gained if gained > 0 else None
