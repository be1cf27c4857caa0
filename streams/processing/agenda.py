"""Which episodes are to be looked at when: so that a tick costs what it brings due, and not a look at all of them.

Time goes by whole hours here, and that is exact: a tick says no more than which hour has begun, so what is due within
an hour is due for all of it. What is no longer as it was when an episode was noted is found when it is looked at.
"""

from collections.abc import Iterator
from heapq import heappop, heappush

HOUR_MS = 3_600_000


def begun_hour_ms(timestamp_ms: int) -> int:
    """The begin of the hour that *timestamp_ms* lies in."""
    return timestamp_ms - timestamp_ms % HOUR_MS


class Agenda:
    """Keys of episodes by the hour in which they come due."""

    def __init__(self) -> None:
        self._by_hour: dict[int, dict[bytes, None]] = {}
        self._hours: list[int] = []
        """Those that have keys, as a heap."""

    def note(self, key: bytes, due_ms: int) -> None:
        """Look at *key* once *due_ms* has passed."""
        hour = due_ms // HOUR_MS
        if hour not in self._by_hour:
            self._by_hour[hour] = {}
            heappush(self._hours, hour)
        self._by_hour[hour][key] = None

    def is_due(self, as_of_ms: int) -> bool:
        """Whether anything is to be looked at, *as_of_ms* being the begin of an hour."""
        return bool(self._hours) and self._hours[0] < as_of_ms // HOUR_MS

    def take(self, as_of_ms: int, count_max: int) -> Iterator[bytes]:
        """What is to be looked at, the longest due first; no more than *count_max*, and each no more."""
        for _ in range(count_max):
            if not self.is_due(as_of_ms):
                return
            keys = self._by_hour[self._hours[0]]
            key, _nothing = keys.popitem()
            if not keys:
                del self._by_hour[heappop(self._hours)]
            yield key
