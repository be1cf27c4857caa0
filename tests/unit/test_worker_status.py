"""When is a worker alive, and when is it ready?"""

import pytest

from streams.worker.status import StatusOfTasks
from streams.worker.task_manager import Phase, TaskProgress
from tests.policies_for_tests import DEFAULT

STALL_SECONDS_MAX = 60.0
IDLE = TaskProgress(Phase.WORKING, assignments=1, records_restored=0, steps_committed=5, records_in_hand=False)
BUSY = IDLE._replace(records_in_hand=True)


class Worker:
    """A worker whose progress and clock are set."""

    def __init__(self) -> None:
        self.progress = IDLE
        self.now = 0.0
        self.status = StatusOfTasks(
            lambda: self.progress,
            lambda: {1, 0},
            lambda: self.now,
            policy=DEFAULT,
            group="g9603",
            stall_seconds_max=STALL_SECONDS_MAX,
        )

    def is_alive_at(self, now: float, progress: TaskProgress) -> bool:
        """Whether it is alive then, having come so far."""
        self.now, self.progress = now, progress
        return self.status().trouble is None


@pytest.mark.parametrize(("phase", "waiting"), [(Phase.WORKING, None), (Phase.REBALANCING, "rebalancing")])
def test_ready_is_assigned_and_restored(phase: Phase, waiting: str | None) -> None:
    worker = Worker()
    worker.progress = IDLE._replace(phase=phase)

    assert worker.status().waiting == waiting
    assert worker.status().partitions == [0, 1]


def test_records_in_hand_and_no_step() -> None:
    """It is in trouble from the time on that nothing has moved for too long, and well again when it moves."""
    worker = Worker()
    assert worker.is_alive_at(0, BUSY)
    assert worker.is_alive_at(STALL_SECONDS_MAX - 1, BUSY)
    assert not worker.is_alive_at(STALL_SECONDS_MAX, BUSY)
    assert worker.is_alive_at(STALL_SECONDS_MAX + 1, BUSY._replace(steps_committed=6))


@pytest.mark.parametrize(
    "later", [IDLE, BUSY._replace(steps_committed=6), BUSY._replace(assignments=2)], ids=["idle", "step", "rebalance"]
)
def test_time_alone_is_no_trouble(later: TaskProgress) -> None:
    """Nobody has asked for hours: what moved in between counts, and idleness is no standstill."""
    worker = Worker()
    assert worker.is_alive_at(0, BUSY)
    assert worker.is_alive_at(10_000, later)
    assert worker.is_alive_at(20_000, IDLE)
    assert worker.is_alive_at(30_000, BUSY)
