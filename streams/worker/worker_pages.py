"""How is the worker, and how is its group, as the pages tell it?"""

from collections.abc import AsyncIterator, Callable

import msgspec

from streams.monitoring.duration_text import duration_text
from streams.monitoring.group_monitor import GroupMonitor
from streams.monitoring.group_view import encode_view
from streams.monitoring.history import GroupSnapshot
from streams.web.source import Text, WorkerStatus
from streams.worker.group_watch import GroupWatch
from streams.worker.task_manager import TaskManager
from streams.worker.task_progress import Phase
from streams.worker.watchdog import Watchdog
from streams.worker.worker_metrics import WorkerMetrics


class WorkerPages:
    """A worker's `streams.web.source.PageSource`.

    Args:
        tasks: What the worker does.
        watchdog: Whether it comes forward.
        metrics: Its figures.
        monitor: Its group.
        watch: When the group was looked at.
        clock_ms: Unix time in milliseconds.
        ready_lag_seconds: A worker whose own partitions are further behind is not ready; None: however far.
    """

    def __init__(  # noqa: PLR0913 - pages tell of all parts
        self,
        tasks: TaskManager,
        watchdog: Watchdog,
        metrics: WorkerMetrics,
        *,
        monitor: GroupMonitor,
        watch: GroupWatch,
        clock_ms: Callable[[], int],
        ready_lag_seconds: float | None,
    ) -> None:
        self._tasks = tasks
        self._watchdog = watchdog
        self._metrics = metrics
        self._monitor = monitor
        self._watch = watch
        self._clock_ms = clock_ms
        self._ready_lag_seconds = ready_lag_seconds

    def status(self) -> WorkerStatus:
        """How the worker is."""
        return WorkerStatus(self._watchdog.trouble, self._waiting())

    def _waiting(self) -> str | None:
        phase = self._tasks.progress.phase
        if phase is not Phase.WORKING:
            return str(phase)
        if self._ready_lag_seconds is None:
            return None
        reading = self._monitor.reading
        if reading is None:
            return "the lag is not known yet"
        own, now_ms = self._tasks.tasks, self._clock_ms()
        lag_seconds = max((p.lag_seconds(now_ms) for p in reading.partitions if p.partition in own), default=0.0)
        return f"behind by {duration_text(lag_seconds)}" if lag_seconds > self._ready_lag_seconds else None

    def metrics(self, accept: str) -> Text:
        """The worker's figures."""
        self._metrics.put_tasks(self._tasks, self._watchdog.wait_ratios)
        return Text(*self._metrics.figures.exposition(accept))

    def group(self) -> bytes:
        """The group and its history."""
        return msgspec.json.encode(GroupSnapshot(self._monitor.view(self._clock_ms()), self._monitor.history))

    async def group_changes(self) -> AsyncIterator[bytes]:
        """The group after each look."""
        async for _ in self._watch.looks():
            yield encode_view(self._monitor.view(self._clock_ms()))
