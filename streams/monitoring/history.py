"""How has the lag come about? A quarter of an hour of it, in columns of some seconds."""

from collections import deque

import msgspec

from streams.monitoring.group_view import GroupView
from streams.monitoring.reading import GroupReading

COLUMN_MS = 10_000
COLUMNS_MAX = 90


class HistoryColumn(msgspec.Struct, frozen=True):
    """The group in one column's time, as it was at its end."""

    at_ms: int
    lag_records: int
    lag_seconds: float
    in_per_second: float
    out_per_second: float
    partitions: dict[int, float]
    """Lag in seconds by place in the reading; of partitions in which something waits."""


class GroupSnapshot(msgspec.Struct, frozen=True):
    """The group at one instant, and how it came there."""

    view: GroupView
    history: tuple[HistoryColumn, ...]


class LagHistory:
    """The columns, the oldest first."""

    def __init__(self) -> None:
        self._columns: deque[HistoryColumn] = deque(maxlen=COLUMNS_MAX)

    @property
    def columns(self) -> tuple[HistoryColumn, ...]:
        """All that are kept."""
        return tuple(self._columns)

    def take(self, reading: GroupReading, *, in_per_second: float, out_per_second: float) -> None:
        """Take in a reading: it overwrites the last of its column."""
        at_ms = reading.read_at_ms
        seconds = [partition.lag_seconds(at_ms) for partition in reading.partitions]
        column = HistoryColumn(
            at_ms=at_ms,
            lag_records=reading.lag_records,
            lag_seconds=max(seconds, default=0.0),
            in_per_second=in_per_second,
            out_per_second=out_per_second,
            partitions={place: value for place, value in enumerate(seconds) if value > 0},
        )
        if self._columns and self._columns[-1].at_ms // COLUMN_MS == at_ms // COLUMN_MS:
            self._columns.pop()
        self._columns.append(column)
