"""Every metric of a worker: the one place that names them.

The worker, the dashboards, the alert rules and the documents are held against it by ``tests/unit/test_metrics.py``.

What is told of the *group* is the same at each of its workers: the lag must be seen also where the worker that causes
it is stuck or gone. Queries take it with ``max``; everything else is one worker's own, and is summed. Counters count
what is committed, never what was tried.
"""

from streams.metrics.metric import Metric, MetricKind

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LATENCY_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
_RESTORE_SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_RECORDS = (1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0)

_COUNTER, _GAUGE, _HISTOGRAM = MetricKind.COUNTER, MetricKind.GAUGE, MetricKind.HISTOGRAM
_TOPIC_PARTITION = ("topic", "partition")

# The group: asked of the brokers by each worker, for all partitions.
LAG_RECORDS = Metric(
    "g9603_lag_records", _GAUGE, "Group: records of an input that are not yet committed.", _TOPIC_PARTITION
)
LAG_SECONDS = Metric(
    "g9603_lag_seconds",
    _GAUGE,
    "Group: age of the oldest record that is not yet committed, by its own timestamp; 0 where none waits.",
    _TOPIC_PARTITION,
)
CATCH_UP_SECONDS = Metric(
    "g9603_catch_up_seconds",
    _GAUGE,
    "Group: time until nothing waits, at the present rates; 0 where nothing waits, +Inf where the lag does not shrink.",
)
LAG_READ_TIMESTAMP_SECONDS = Metric(
    "g9603_lag_read_timestamp_seconds",
    _GAUGE,
    "When this worker last learned the lag from the brokers, as Unix time; the figures of the group are as old.",
)
GROUP_MEMBERS = Metric("g9603_group_members", _GAUGE, "Group: its members, by the brokers.")
GROUP_STATE = Metric("g9603_group_state", _GAUGE, "Group: 1 for the state that it is in, by the brokers.", ("state",))

# The flow: this worker, what is committed.
RECORDS_CONSUMED = Metric("g9603_records_consumed_total", _COUNTER, "Records read, and committed.", ("topic",))
CONSUMED_BYTES = Metric("g9603_consumed_bytes_total", _COUNTER, "Bytes of the values of these records.", ("topic",))
RECORDS_PRODUCED = Metric("g9603_records_produced_total", _COUNTER, "Records written, and committed.", ("topic",))
PRODUCED_BYTES = Metric("g9603_produced_bytes_total", _COUNTER, "Bytes of the values of these records.", ("topic",))
RECORDS_REKEYED = Metric(
    "g9603_records_rekeyed_total", _COUNTER, "Records that lay in another partition than their episode's."
)
DEAD_LETTERS = Metric("g9603_dead_letters_total", _COUNTER, "Records that could not be taken in.", ("reason",))
DECISIONS = Metric(
    "g9603_decisions_total",
    _COUNTER,
    "Decisions made, by their outcome: the code, or the reason why there is none.",
    ("outcome",),
)
CODING_EVENTS = Metric(
    "g9603_coding_events_total",
    _COUNTER,
    "Coding events published. The actions replace and void are corrections. The payer is a rule of the policy.",
    ("action", "code", "instrument", "payer", "program"),
)
CODING_LATENCY_SECONDS = Metric(
    "g9603_coding_latency_seconds",
    _HISTOGRAM,
    "From the Kafka timestamp of the record that caused a coding event until the event was committed.",
    buckets=_LATENCY_SECONDS,
)

# The steps: this worker's transactions.
STEP_RECORDS = Metric("g9603_step_records", _HISTOGRAM, "Records read in one step.", buckets=_RECORDS)
STEP_COMPUTE_SECONDS = Metric(
    "g9603_step_compute_seconds", _HISTOGRAM, "Time to decode, join and decide one step.", buckets=_SECONDS
)
TRANSACTION_SECONDS = Metric(
    "g9603_transaction_seconds",
    _HISTOGRAM,
    "Time of one transaction, by its parts: begin, send, offsets, end.",
    ("part",),
    _SECONDS,
)
TRANSACTIONS_COMMITTED = Metric("g9603_transactions_committed_total", _COUNTER, "Transactions committed.")
WORKER_ENDINGS = Metric(
    "g9603_worker_endings_total",
    _COUNTER,
    "Ends of former workers in this one's place: stopped, fenced, doubt (of a transaction's outcome), stalled "
    "(ended by the watchdog), denied, refused, or killed (no word was left).",
    ("reason",),
)

# Membership and restore.
WORKER_PHASE = Metric("g9603_worker_phase", _GAUGE, "1 for what the worker is about.", ("phase",))
TASKS = Metric("g9603_tasks", _GAUGE, "Stream tasks, one a partition, that the worker has.")
REBALANCES = Metric("g9603_rebalances_total", _COUNTER, "Assignments of tasks to the worker.")
REBALANCE_SECONDS = Metric(
    "g9603_rebalance_seconds",
    _HISTOGRAM,
    "Time without tasks, from giving them up until they are here and restored.",
    buckets=_RESTORE_SECONDS,
)
RESTORED_RECORDS = Metric(
    "g9603_restored_records_total", _COUNTER, "Records of the changelog read to restore episodes."
)
RESTORE_REMAINING_RECORDS = Metric(
    "g9603_restore_remaining_records", _GAUGE, "Offsets of the changelog that the restore under way has yet to pass."
)

# State.
EPISODES = Metric("g9603_episodes", _GAUGE, "Episodes held.", ("partition",))
EPISODES_FORGOTTEN = Metric(
    "g9603_episodes_forgotten_total", _COUNTER, "Episodes that were kept for as long as the policy says."
)
EPISODE_BYTES = Metric("g9603_episode_bytes", _GAUGE, "Bytes of the values of these episodes.", ("partition",))

# The worker itself.
WATCHDOG_WAIT_RATIO = Metric(
    "g9603_watchdog_wait_ratio",
    _GAUGE,
    "For how long nothing has moved that should, as a part of the watchdog's patience; at 1 it ends the worker.",
    ("stall",),
)
BUILD_INFO = Metric(
    "g9603_build_info", _GAUGE, "1, with what runs here and by which rules.", ("version", "policy", "policy_version")
)

CATALOGUE: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
"""All of them, in the order of this file."""
