"""How patient a worker is, and how much it takes at once. Each figure with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """Time-outs in seconds, sizes in records or bytes."""

    session_timeout_seconds: float = 10.0
    """How long a silent worker keeps its partitions: the larger part of the recovery after a kill."""
    heartbeat_interval_seconds: float = 1.0
    rebalance_timeout_seconds: float = 30.0
    """How long the group waits for a worker to finish its step and rejoin."""
    transaction_timeout_seconds: float = 10.0
    """After which a dead worker's transaction is aborted; restore waits for it. Bounds each step, too."""
    request_timeout_seconds: float = 20.0
    stop_seconds_max: float = 40.0
    """After SIGTERM; a worker that has not stopped by then ends as one in doubt. Longer than any step may take."""
    linger_seconds: float = 0.02
    """How long a step waits for company when there is no backlog: bounds transactions to 50 a second."""
    poll_records_max: int = 5_000
    inbox_records_max: int = 10_000
    """Records fetched and not yet in a step: the larger, the larger the steps under backlog, and the memory."""
    fetch_bytes_max: int = 1024 * 1024
    """Per partition and fetch; each partition has one fetch on the way and one at hand."""
    batch_bytes_max: int = 1024 * 1024
    """Per produced batch."""
    restore_stall_seconds: float = 120.0
    """A restore that gets no record for so long ends the process: the changelog cannot be read."""
    access_check_seconds: float = 10.0
    """How often a worker that logs in looks whether it still may: bounds how long it works on without the right to."""
