"""Readings and reports to test with: a group whose state is said in a line."""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.monitoring.reading import GroupReading, MemberReading, PartitionReading
from streams.monitoring.worker_report import WorkerReport

NOW_MS = 1_795_000_000_000
TOPIC = "survey-completed"


def partition(number: int, *, read_to: int = 100, waiting: int = 0, age_seconds: float = 0.0) -> PartitionReading:
    """A partition in which *waiting* records wait, the oldest as old as is said at `NOW_MS`."""
    oldest_ms = NOW_MS - int(age_seconds * 1000) if waiting else None
    return PartitionReading(TOPIC, number, read_to, read_to + waiting, waiting, oldest_ms)


def member(number: int, *partitions: int) -> MemberReading:
    """The worker in place *number*."""
    return MemberReading(f"coder-{number}", "10.0.0.1", partitions)


def reading(
    *partitions: PartitionReading,
    at_ms: int = NOW_MS,
    state: str = "Stable",
    members: Sequence[MemberReading] = (member(0, 0, 1, 2, 3),),
) -> GroupReading:
    """A group as the brokers tell it."""
    return GroupReading(at_ms, state, tuple(members), partitions)


def report(number: int = 0, *, at_ms: int = NOW_MS, started_at_ms: int = 0, **told: Any) -> WorkerReport:  # noqa: ANN401
    """What the worker in place *number* says of itself."""
    usual: Mapping[str, Any] = {
        "place": f"coder-{number}",
        "build": "1",
        "policy": "default",
        "policy_version": "1",
        "phase": "working",
        "partitions": (0, 1, 2, 3),
    }
    return WorkerReport(**{**usual, "told_at_ms": at_ms, "started_at_ms": started_at_ms, **told})
