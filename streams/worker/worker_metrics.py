"""What one worker does, as figures: told by its parts while they work, and asked of them when somebody looks."""

import math
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from streams.intake.rejection import RejectionReason
from streams.metrics import catalogue
from streams.metrics.exposition import Figures
from streams.metrics.metric import Metric
from streams.monitoring.reading import GroupReading
from streams.monitoring.worker_report import NEWEST_DEAD_LETTERS_MAX
from streams.processing.task_output import CodingTold, DeadLetterTold
from streams.worker.last_words import Ending
from streams.worker.observer import TransactionPart
from streams.worker.step import Step
from streams.worker.task_manager import TaskManager
from streams.worker.task_progress import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUP_STATES = ("Stable", "PreparingRebalance", "CompletingRebalance", "Empty", "Dead")


class WorkerMetrics:
    """The figures of one worker; a `streams.worker.observer.WorkObserver`.

    Args:
        clock_ms: The time of the records' timestamps: Unix time in milliseconds.
    """

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self.figures = Figures()
        self.newest_dead_letters: deque[DeadLetterTold] = deque(maxlen=NEWEST_DEAD_LETTERS_MAX)
        self._clock_ms = clock_ms

    def step_computed(self, seconds: float) -> None:
        """A step was computed."""
        self.figures.observe(catalogue.STEP_COMPUTE_SECONDS, seconds)

    def step_committed(self, step: Step) -> None:
        """A step is committed."""
        figures, now_ms = self.figures, self._clock_ms()
        figures.count(catalogue.TRANSACTIONS_COMMITTED, 1)
        consumed, consumed_bytes, decisions = Counter[str](), Counter[str](), Counter[str]()
        for output in step.outputs:
            consumed += output.consumed
            consumed_bytes += output.consumed_bytes
            decisions += output.decisions
            figures.count(catalogue.RECORDS_REKEYED, output.rekeyed)
            figures.count(catalogue.EPISODES_FORGOTTEN, output.forgotten)
            for letter in output.dead_letters:
                figures.count(catalogue.DEAD_LETTERS, 1, letter.reason)
            self.newest_dead_letters.extend(output.dead_letters)
        self._count_codings([coding for output in step.outputs for coding in output.codings], now_ms)
        figures.observe(catalogue.STEP_RECORDS, consumed.total())
        self._count_by_label(catalogue.RECORDS_CONSUMED, consumed)
        self._count_by_label(catalogue.CONSUMED_BYTES, consumed_bytes)
        self._count_by_label(catalogue.DECISIONS, decisions)
        self._count_produced(step)

    def _count_codings(self, codings: Sequence[CodingTold], now_ms: int) -> None:
        for labels, amount in Counter(coding.kind for coding in codings).items():
            self.figures.count(catalogue.CODING_EVENTS, amount, *labels)
        latencies = ((now_ms - coding.caused_at_ms) / 1000 for coding in codings)
        self.figures.observe_all(catalogue.CODING_LATENCY_SECONDS, (max(0.0, seconds) for seconds in latencies))

    def _count_produced(self, step: Step) -> None:
        records, produced_bytes = Counter[str](), Counter[str]()
        for record in step.records:
            records[record.topic] += 1
            produced_bytes[record.topic] += len(record.value or b"")
        self._count_by_label(catalogue.RECORDS_PRODUCED, records)
        self._count_by_label(catalogue.PRODUCED_BYTES, produced_bytes)

    def _count_by_label(self, metric: Metric, amounts: Mapping[str, int]) -> None:
        for label, amount in amounts.items():
            self.figures.count(metric, amount, label)

    def tasks_assigned(self, seconds_without: float) -> None:
        """The tasks are here, and restored."""
        self.figures.count(catalogue.REBALANCES, 1)
        self.figures.observe(catalogue.REBALANCE_SECONDS, seconds_without)

    @contextmanager
    def _timing(self, part: TransactionPart) -> "Iterator[None]":
        started = perf_counter()
        yield
        self.figures.observe(catalogue.TRANSACTION_SECONDS, perf_counter() - started, part)

    def timing(self, part: TransactionPart) -> AbstractContextManager[object]:
        """Measures the part of a transaction that runs within, where it does not fail."""
        return self._timing(part)

    def put_build(self, version: str, policy: str, policy_version: str, endings: Mapping[str, int]) -> None:
        """What runs here, and how the former ones in its place ended."""
        self.figures.put(catalogue.BUILD_INFO, 1, version, policy, policy_version)
        self._count_by_label(catalogue.WORKER_ENDINGS, endings)
        # From the start at zero: Prometheus sees no rise in a series that begins with its first event.
        for ending in set(Ending) - {Ending.RUNNING}:
            self.figures.count(catalogue.WORKER_ENDINGS, 0, ending)
        for reason in RejectionReason:
            self.figures.count(catalogue.DEAD_LETTERS, 0, reason)

    def put_group(self, reading: GroupReading, catch_up_seconds: float | None, now_ms: int) -> None:
        """What the brokers say of the group."""
        figures = self.figures
        partitions = {(p.topic, str(p.partition)): p for p in reading.partitions}
        figures.put_all(catalogue.LAG_RECORDS, {labels: p.lag_records for labels, p in partitions.items()})
        figures.put_all(catalogue.LAG_SECONDS, {labels: p.lag_seconds(now_ms) for labels, p in partitions.items()})
        figures.put(catalogue.CATCH_UP_SECONDS, math.inf if catch_up_seconds is None else catch_up_seconds)
        figures.put(catalogue.LAG_READ_TIMESTAMP_SECONDS, reading.read_at_ms / 1000)
        figures.put(catalogue.GROUP_MEMBERS, len(reading.members))
        figures.put_one_of(catalogue.GROUP_STATE, reading.state, _GROUP_STATES)

    def put_tasks(self, tasks: TaskManager, wait_ratios: Mapping[str, float]) -> None:
        """How the worker is at this moment."""
        figures, progress = self.figures, tasks.progress
        figures.put_one_of(catalogue.WORKER_PHASE, progress.phase, Phase)
        figures.put(catalogue.TASKS, len(tasks.tasks))
        restored = figures.counts(catalogue.RESTORED_RECORDS)[()]
        figures.count(catalogue.RESTORED_RECORDS, progress.records_restored - restored)
        remaining = tasks.records_remaining if progress.phase is Phase.RESTORING else 0
        figures.put(catalogue.RESTORE_REMAINING_RECORDS, remaining)
        figures.put_all(catalogue.EPISODES, {(str(p),): len(task.episodes) for p, task in tasks.tasks.items()})
        figures.put_all(catalogue.EPISODE_BYTES, {(str(p),): task.episode_bytes for p, task in tasks.tasks.items()})
        figures.put_all(catalogue.WATCHDOG_WAIT_RATIO, {(stall,): ratio for stall, ratio in wait_ratios.items()})
