"""What a worker tells the others of itself: its figures of now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version

from streams.domain.policy import Policy
from streams.metrics import catalogue
from streams.metrics.exposition import Figures
from streams.metrics.metric import Metric
from streams.monitoring.worker_report import CodingCount, DeadLetterSeen, WorkerReport
from streams.worker.task_manager import TaskManager
from streams.worker.task_progress import Phase
from streams.worker.worker_metrics import WorkerMetrics


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """What does not change while a worker runs."""

    group: str
    place: str
    policy: Policy
    endings: Mapping[str, int]
    """How former workers in its place ended, by reason."""
    started_at_ms: int
    build: str = field(default_factory=partial(version, "g9603"))
    """The version of this program."""


def self_report(  # noqa: PLR0913 - it tells of many things
    identity: WorkerIdentity,
    tasks: TaskManager,
    metrics: WorkerMetrics,
    *,
    phase: str,
    trouble: str | None,
    now_ms: int,
    pages_url: str | None,
) -> WorkerReport:
    """The report of *now_ms*; the figures of the tasks are as of the last `WorkerMetrics.put_tasks`."""
    figures = metrics.figures
    return WorkerReport(
        place=identity.place,
        started_at_ms=identity.started_at_ms,
        told_at_ms=now_ms,
        build=identity.build,
        policy=identity.policy.id,
        policy_version=identity.policy.version,
        phase=phase,
        trouble=trouble,
        partitions=tuple(sorted(tasks.tasks)),
        restore_remaining_records=tasks.records_remaining if tasks.progress.phase is Phase.RESTORING else 0,
        rebalances=_total(figures, catalogue.REBALANCES),
        endings=dict(identity.endings),
        records=_total(figures, catalogue.RECORDS_CONSUMED),
        episodes=sum(len(task.episodes) for task in tasks.tasks.values()),
        episode_bytes=sum(task.episode_bytes for task in tasks.tasks.values()),
        resident_bytes=figures.resident_bytes,
        dead_letters={reason: count for (reason,), count in figures.counts(catalogue.DEAD_LETTERS).items() if count},
        newest_dead_letters=tuple(DeadLetterSeen(*letter) for letter in metrics.newest_dead_letters),
        codings=_codings(figures),
        latency_bounds_seconds=catalogue.CODING_LATENCY_SECONDS.buckets,
        latency_counts=figures.bucket_counts(catalogue.CODING_LATENCY_SECONDS),
        pages_url=pages_url,
    )


def _codings(figures: Figures) -> tuple[CodingCount, ...]:
    return tuple(
        CodingCount(action, code, instrument, payer, program, count)
        for (action, code, instrument, payer, program), count in figures.counts(catalogue.CODING_EVENTS).items()
    )


def _total(figures: Figures, metric: Metric) -> int:
    return sum(figures.counts(metric).values())
