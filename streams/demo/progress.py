"""What the audience is told while the demonstration runs."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from streams.demo.worker_process import WorkerProcess
from streams.replay.study import Progress

LATEST_CODES_MAX = 8


@dataclass(slots=True)
class DemoProgress:
    """The numbers on the screen; the stage writes them, the screen reads them."""

    total: int
    sent: Counter[str] = field(default_factory=Counter)
    """By kind of record."""
    unread: int | None = None
    """Records that the group has not committed yet."""
    workers: list[WorkerProcess] = field(default_factory=list)
    actions: Counter[str] = field(default_factory=Counter)
    codes_by_payer: Counter[str] = field(default_factory=Counter)
    latest: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LATEST_CODES_MAX))
    recounted: int = 0
    """Records that the recount has read, of the inputs and the outputs."""
    notes: list[str] = field(default_factory=list)
    """What happened, in sentences."""

    @property
    def sent_count(self) -> int:
        """How many records were sent."""
        return self.sent.total()

    def count_again(self, progress: Progress) -> None:
        """The recount has come so far."""
        self.recounted = progress.read

    def take(self, event: dict[str, Any]) -> None:
        """Count one coding event that a billing consumer has seen."""
        self.actions[event["action"]] += 1
        self.codes_by_payer[event["payer_id"] or "not available"] += 1
        self.latest.appendleft(event)
