"""What is shown of a group: the page, its stream of changes and `g9603 lag` are all this, as JSON or as text."""

from enum import StrEnum

import msgspec

from streams.monitoring.worker_report import CodingCount, DeadLetterSeen


class Condition(StrEnum):
    """How the group is, at a glance."""

    IDLE = "idle"
    """Nothing waits, and nothing comes in."""
    UP_TO_DATE = "up to date"
    BEHIND = "behind"
    """Records wait for longer than the lag that is set, and the lag does not shrink."""
    RECOVERING = "recovering"
    """Behind, and the lag shrinks."""
    BROKEN = "broken"
    """Nobody works, or nobody can say."""


class PartitionView(msgspec.Struct, frozen=True, array_like=True):
    """A partition of an input."""

    topic: str
    partition: int
    lag_records: int
    lag_seconds: float
    worker: str | None
    """The place of the member that has it."""


class WorkerView(msgspec.Struct, frozen=True):
    """A worker: a member of the group, or one that has reported."""

    place: str
    host: str | None
    """None where the brokers do not know it as a member."""
    phase: str
    """As it reported; "silent" where it has not for some seconds, "unknown" where it never did."""
    silent_seconds: float | None
    partitions: tuple[int, ...]
    records_per_second: float = 0.0
    episodes: int = 0
    episode_bytes: int = 0
    resident_bytes: int = 0
    restore_remaining_records: int = 0
    rebalances: int = 0
    build: str | None = None
    policy: str | None = None
    endings: dict[str, int] = {}
    trouble: str | None = None


class LatencyView(msgspec.Struct, frozen=True):
    """Record to committed coding event, in seconds, over the last minutes; None where there was none."""

    p50: float | None
    p95: float | None
    p99: float | None


class AlertView(msgspec.Struct, frozen=True):
    """An alert that would fire now."""

    name: str
    severity: str
    sentence: str
    first_step: str
    """What to do first. The runbook says the rest."""
    runbook: str
    """Its heading in the runbook, deploy/README.md."""


class GroupView(msgspec.Struct, frozen=True):
    """The group at one instant."""

    at_ms: int
    app_id: str
    condition: Condition
    sentence: str
    """The answer at a glance: behind or not, by how much, until when."""
    cause: str | None
    """Why it is behind, as far as can be told."""
    broker_trouble: str | None
    """Why the figures are not of now."""
    group_state: str | None
    lag_records: int
    lag_seconds: float
    lag_seconds_high: float
    """From which on the group counts as behind."""
    catch_up_seconds: float | None
    """None where the lag does not shrink."""
    in_per_second: float | None
    out_per_second: float | None
    """Both None at first, before the readings reach back some seconds."""
    latency: LatencyView
    partitions: tuple[PartitionView, ...]
    workers: tuple[WorkerView, ...]
    dead_letters: dict[str, int]
    newest_dead_letters: tuple[DeadLetterSeen, ...]
    """The newest first."""
    codings: tuple[CodingCount, ...]
    alerts: tuple[AlertView, ...]


encode_view = msgspec.json.Encoder().encode
