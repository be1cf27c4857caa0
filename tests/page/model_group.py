"""A group that is worked out instead of run: what its brokers would say and its workers report, second by second."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from streams.monitoring.group_monitor import GroupMonitor
from streams.monitoring.reading import GroupReading, MemberReading, PartitionReading
from streams.monitoring.worker_report import CodingCount, DeadLetterSeen, WorkerReport

STEP_SECONDS = 2
LATENCY_BOUNDS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)


class _Log:
    """A partition: what has come in by when, and how much of it is read."""

    def __init__(self) -> None:
        self.end = 0.0
        self.read_to = 0.0
        self._written: deque[tuple[int, float]] = deque()

    def step(self, at_ms: int, arriving: float, capacity: float) -> float:
        """Take in and work off; how much was worked off."""
        self.end += arriving
        if arriving:
            self._written.append((at_ms, self.end))
        read = min(self.end - self.read_to, capacity)
        self.read_to += read
        while self._written and self._written[0][1] <= self.read_to:
            self._written.popleft()
        return read

    @property
    def oldest_ms(self) -> int | None:
        return self._written[0][0] if self._written else None


@dataclass
class ModelWorker:
    """A worker as it would report; a test changes what it likes."""

    partitions: Sequence[int]
    capacity_per_second: float = 0.0
    phase: str = "working"
    trouble: str | None = None
    restore_remaining_records: int = 0
    rebalances: int = 2
    endings: dict[str, int] = field(default_factory=dict)
    policy_version: str = "2026.2"
    records: float = 0.0
    latency_counts: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS_SECONDS) + 1))
    is_member: bool = True
    reports: bool = True


class ModelGroup:
    """Brokers and workers in step with each other.

    Args:
        monitor: Takes in what they say.
        now_ms: Where their time begins.
        topics: The inputs.
        partition_count: Of each.
        workers: By place.
    """

    def __init__(
        self,
        monitor: GroupMonitor,
        now_ms: int,
        *,
        topics: Sequence[str],
        partition_count: int,
        workers: Mapping[str, ModelWorker],
    ) -> None:
        self.monitor = monitor
        self.now_ms = now_ms
        self.workers = dict(workers)
        self.state = "Stable"
        self.dead_letters: dict[str, int] = {}
        self.newest_dead_letters: tuple[DeadLetterSeen, ...] = ()
        self.codings: tuple[CodingCount, ...] = ()
        self._started_at_ms = now_ms - 86_400_000
        self._topic_count = len(topics)
        self._logs = {place: _Log() for place in product(topics, range(partition_count))}

    def pass_time(self, seconds: float, *, in_per_second: float, shares: Mapping[int, float] | None = None) -> None:
        """Let *seconds* go by, in which records arrive, evenly over the partitions or with the *shares* given."""
        for _ in range(round(seconds / STEP_SECONDS)):
            self.now_ms += STEP_SECONDS * 1000
            arriving = in_per_second * STEP_SECONDS / len(self._logs)
            for (_topic, partition), log in self._logs.items():
                self._step(partition, log, arriving * (shares or {}).get(partition, 1.0))
            self.tell()

    def _step(self, partition: int, log: _Log, arriving: float) -> None:
        owner = next((w for w in self.workers.values() if w.is_member and partition in w.partitions), None)
        working = owner is not None and owner.phase == "working" and owner.reports
        capacity = (
            owner.capacity_per_second * STEP_SECONDS / (len(owner.partitions) * self._topic_count)
            if owner and working
            else 0.0
        )
        oldest_ms = log.oldest_ms or self.now_ms
        read = log.step(self.now_ms, arriving, capacity)
        if owner is not None and read:
            owner.records += read
            latency_seconds = (self.now_ms - oldest_ms) / 1000 + 0.02 + 0.08 * (partition % 5)
            bucket = sum(bound < latency_seconds for bound in LATENCY_BOUNDS_SECONDS)
            owner.latency_counts[bucket] += max(1, round(read / 6))

    def tell(self) -> None:
        """Let the monitor have a reading and the reports."""
        self.monitor.take_reading(self.reading())
        self.report()

    def report(self) -> None:
        """Let the monitor have the reports."""
        for place, worker in self.workers.items():
            if worker.reports:
                self.monitor.take_report(self._report(place, worker))

    def reading(self) -> GroupReading:
        """What the brokers say."""
        members = tuple(
            MemberReading(place, "/10.4.2.7", tuple(worker.partitions))
            for place, worker in self.workers.items()
            if worker.is_member
        )
        partitions = tuple(
            PartitionReading(
                topic, partition, int(log.read_to), int(log.end), int(log.end) - int(log.read_to), log.oldest_ms
            )
            for (topic, partition), log in self._logs.items()
        )
        return GroupReading(self.now_ms, self.state, members, partitions)

    def _report(self, place: str, worker: ModelWorker) -> WorkerReport:
        is_first = place == next(iter(self.workers))
        return WorkerReport(
            place=place,
            started_at_ms=self._started_at_ms,
            told_at_ms=self.now_ms,
            build="0.1.0",
            policy="default",
            policy_version=worker.policy_version,
            phase=worker.phase,
            trouble=worker.trouble,
            partitions=tuple(worker.partitions),
            restore_remaining_records=worker.restore_remaining_records,
            rebalances=worker.rebalances,
            endings=worker.endings,
            records=int(worker.records),
            episodes=41_000 + int(worker.records / 9),
            episode_bytes=(41_000 + int(worker.records / 9)) * 612,
            resident_bytes=196_000_000 + int(worker.records) * 130,
            dead_letters=self.dead_letters if is_first else {},
            newest_dead_letters=self.newest_dead_letters if is_first else (),
            codings=self.codings if is_first else (),
            latency_bounds_seconds=LATENCY_BOUNDS_SECONDS,
            latency_counts=tuple(worker.latency_counts),
        )
