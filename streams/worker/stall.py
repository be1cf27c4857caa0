"""Is the worker stuck? Observations in, a verdict out; no clock, no thread.

A worker that hangs without an error keeps its partitions: its heartbeats go on, in a thread of their own, and nobody
takes over (reliability.md, F8, F9, A6). So what should move is watched: each *signal* says whether something is
waited for, and how far it has come. A signal that waits and does not move for longer than its patience is a stall.
"""

from collections.abc import Hashable, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from streams.worker.task_progress import Phase, TaskProgress


class Stall(StrEnum):
    """What does not move."""

    EVENT_LOOP = "event-loop-blocked"
    CONSUMER_LOOP = "consumer-loop-blocked"
    STEP = "no-step-committed"
    RESTORE = "restore-without-progress"
    REBALANCE = "rebalance-without-end"
    REJOIN = "rejoin-not-begun"

    @property
    def sentence(self) -> str:
        """What it means."""
        return _SENTENCES[self]


_SENTENCES = {
    Stall.EVENT_LOOP: "The event loop does not turn: something blocks it.",
    Stall.CONSUMER_LOOP: "The consumer's event loop does not turn: something blocks it, or its thread has ended.",
    Stall.STEP: "Records wait, and no step is committed.",
    Stall.RESTORE: "The restore of the state does not come forward.",
    Stall.REBALANCE: "The worker has given up its tasks, or never had any, and the rebalance does not end.",
    Stall.REJOIN: "The group rebalances, and the worker does not take part.",
}


class ConsumerProgress(NamedTuple):
    """How far the consumer is."""

    records_wait: bool
    """Whether a partition's last stable offset is past the position of the consumer."""
    rejoin_needed: bool


class Observation(NamedTuple):
    """What was seen at one instant; counters rise with progress."""

    loop_ticks: int
    consumer_ticks: int
    tasks: TaskProgress
    consumer: ConsumerProgress | None
    """None while there is none."""


class Signal(NamedTuple):
    """Whether something is waited for, and how far it has come."""

    stall: Stall
    waiting: bool
    progress: Hashable


class Waiting(NamedTuple):
    """For how many seconds a signal has waited without a move, and where it stood."""

    seconds: float
    progress: Hashable


class Verdict(NamedTuple):
    """A stall, and for how many seconds it has lasted."""

    stall: Stall
    seconds: float


def signals(seen: Observation) -> tuple[Signal, ...]:
    """What *seen* says of each possible stall."""
    tasks, consumer = seen.tasks, seen.consumer
    working = tasks.phase is Phase.WORKING
    records_wait = tasks.records_in_hand or (consumer is not None and consumer.records_wait)
    rejoin_needed = consumer is not None and consumer.rejoin_needed
    return (
        Signal(Stall.EVENT_LOOP, waiting=True, progress=seen.loop_ticks),
        Signal(Stall.CONSUMER_LOOP, waiting=consumer is not None, progress=seen.consumer_ticks),
        Signal(Stall.STEP, waiting=working and records_wait, progress=tasks.steps_committed),
        Signal(Stall.RESTORE, waiting=tasks.phase is Phase.RESTORING, progress=tasks.records_restored),
        Signal(Stall.REBALANCE, waiting=tasks.phase is Phase.REBALANCING, progress=tasks.assignments),
        # Once the tasks are given up, the rebalance is under way.
        Signal(Stall.REJOIN, waiting=rejoin_needed and tasks.phase is not Phase.REBALANCING, progress=None),
    )


def waited(before: Mapping[Stall, Waiting], seen: Iterable[Signal], elapsed_seconds: float) -> dict[Stall, Waiting]:
    """How long each signal has waited by now.

    Args:
        before: As of the observation before.
        seen: As of now.
        elapsed_seconds: Between the two, without the time in which the watcher itself did not run.
    """
    now = {}
    for signal in seen:
        if signal.waiting:
            last = before.get(signal.stall)
            stood = last is not None and last.progress == signal.progress
            now[signal.stall] = Waiting(last.seconds + elapsed_seconds if last and stood else 0.0, signal.progress)
    return now


def verdict(waiting: Mapping[Stall, Waiting], patience_seconds: Mapping[Stall, float]) -> Verdict | None:
    """The stall that has lasted longer than its patience, if any: of several the first, which causes the others."""
    for stall in Stall:
        wait = waiting.get(stall)
        if wait is not None and wait.seconds > patience_seconds[stall]:
            return Verdict(stall, wait.seconds)
    return None
