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
    """Of the producer, per request."""
    consumer_request_timeout_seconds: float = 40.0
    """A rebalance and a session, for which the answer to a JoinGroup waits; and no longer, for so long does a partition
    stand still whose fetch is not answered."""
    stop_seconds_max: float = 40.0
    """After SIGTERM; a worker that has not stopped by then ends as one in doubt. Longer than any step may take."""
    linger_seconds: float = 0.02
    """How long a step waits for company when there is no backlog: bounds transactions to 50 a second."""
    poll_records_max: int = 5_000
    inbox_records_max: int = 10_000
    """Records fetched and not yet in a step: the larger, the larger the steps under backlog, and the memory."""
    source_records_max: int = 1_000
    """Of one source, received and waiting for the other topic of its task: beyond it no more is taken from the client.
    Kafka Streams' ``buffered.records.per.partition``."""
    out_of_step_seconds_max: float = 0.5
    """How long a task holds records back for a topic that has more and gives nothing: some fetches. If its broker is
    away, codes come out later by so much, and may be corrected when it is back."""
    fetch_wait_seconds_max: float = 0.1
    """How long a fetch may wait for a record at a broker: meanwhile aiokafka asks it for no other partition."""
    fetch_bytes_max: int = 256 * 1024
    """Per partition and fetch; each partition has one fetch on the way and one at hand. Four times as much takes a
    tenth more processor time: what was fetched has left the caches before it is read."""
    batch_bytes_max: int = 1024 * 1024
    """Per produced batch."""
    restore_stall_seconds: float = 120.0
    """A restore that gets no record for so long ends the process: the changelog cannot be read."""
    poll_interval_seconds_max: float = 24 * 3600.0
    """How long the consumer may fetch nothing before aiokafka gives the membership up: as good as for ever. It fetches
    nothing during a restore, and then never joins again (reliability.md, F9); the watchdog is the judge."""
    watch_interval_seconds: float = 1.0
    loop_stall_seconds: float = 30.0
    """The longest that an event loop may not turn: a hundred times the largest part of a step."""
    step_stall_seconds: float = 60.0
    """The longest that records may wait without a committed step: far beyond the transaction time-out, within which a
    step ends or fails."""
    rejoin_stall_seconds: float = 60.0
    """The longest that a rebalance may be known and not begun."""
    rebalance_stall_seconds: float = 120.0
    """The longest without tasks and without an end of the rebalance: the rebalance time-out, a session time-out, and
    time for a coordinator to move."""
    monitor_interval_seconds: float = 2.0
    """How often the group is looked at, and the worker tells of itself."""
    monitor_seconds_max: float = 5.0
    """How long one look may take; after that the brokers count as not answering."""
    tick_interval_seconds: float = 600.0
    """How often a partition is told what time it is, by whose hours windows close: so they close in the code some
    minutes after they do."""
    tick_check_seconds: float = 5.0
    """How soon a partition that is new to a worker is told."""
    access_check_seconds: float = 10.0
    """How often a worker that logs in looks whether it still may: bounds how long it works on without the right to."""
