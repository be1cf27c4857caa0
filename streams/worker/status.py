"""How is the worker, as its pages tell it?"""

from collections.abc import Callable, Collection
from importlib.metadata import version

from streams.domain.policy import Policy
from streams.web.status import WorkerStatus
from streams.worker.task_manager import Phase, TaskProgress


class StatusOfTasks:
    """A source of statuses: asked now and then, it remembers since when nothing has moved.

    Args:
        progress: How far the tasks are.
        partitions: Of which there are tasks.
        clock: Seconds; the event loop's.
        policy: The rules in force.
        group: The consumer group.
        stall_seconds_max: For so long records may be in hand without a step being committed.
    """

    def __init__(  # noqa: PLR0913 - a status tells of many things
        self,
        progress: Callable[[], TaskProgress],
        partitions: Callable[[], Collection[int]],
        clock: Callable[[], float],
        *,
        policy: Policy,
        group: str,
        stall_seconds_max: float,
    ) -> None:
        self._progress = progress
        self._partitions = partitions
        self._clock = clock
        self._policy = policy
        self._group = group
        self._stall_seconds_max = stall_seconds_max
        self._build = version("g9603")
        self._seen: TaskProgress | None = None
        self._unmoved_since = 0.0

    def __call__(self) -> WorkerStatus:
        """The status of now."""
        progress = self._progress()
        return WorkerStatus(
            trouble=self._trouble(progress),
            waiting=None if progress.phase is Phase.WORKING else str(progress.phase),
            build=self._build,
            policy_id=self._policy.id,
            policy_version=self._policy.version,
            group=self._group,
            partitions=sorted(self._partitions()),
        )

    def _trouble(self, progress: TaskProgress) -> str | None:
        now = self._clock()
        # Two readings with records in hand and no step between them: the same records, however long it was.
        if progress != self._seen or not progress.records_in_hand:
            self._seen, self._unmoved_since = progress, now
        if now - self._unmoved_since < self._stall_seconds_max:
            return None
        return f"no step was committed for {self._stall_seconds_max:.0f} s, with records in hand"
