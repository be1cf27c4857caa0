"""What this worker is held to, and whether the runs show it."""

from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from typing import NamedTuple

from bench.comparison import Extent, RoundPair, counted, extent, of_engine, of_family, round_pairs
from bench.engines.known import SUBJECT
from bench.latency import Latency
from bench.measurement import Measurement

LATENCY_GOALS_MS = {0.5: 60, 0.8: 150}
"""The 99th percentile, by the part of the top rate."""
MEMORY_GOAL_MIB = 300
MEMORY_GOAL_EPISODES = 100_000


EXACTLY_ONCE_PEERS = ("kafka-streams-rocksdb", "kafka-streams-memory", "flink", "quix")


class Compared(StrEnum):
    """What of two engines is compared."""

    RATE = "the events/s"
    CPU = "the CPU time"


class RatioGoal(NamedTuple):
    """At least so many times the rate of another, or at most so much of its processor time, in the median round."""

    words: str
    subject: Callable[[Measurement], bool]
    other: Callable[[Measurement], bool]
    compared: Compared
    ratio_min: float

    def ratio(self, pair: RoundPair) -> float:
        """What is held against the least ratio."""
        return pair.rate_ratio if self.compared is Compared.RATE else pair.cpu_ratio


class Verdict(NamedTuple):
    """A goal beside what was reached."""

    goal: str
    reached: str
    is_reached: bool


_OURS = of_family(SUBJECT.family)


def _rate(words: str, other: str, ratio_min: float) -> RatioGoal:
    return RatioGoal(f"{words} the events/s of {other}", _OURS, of_family(other), Compared.RATE, ratio_min)


def _half_the_cpu(other: str) -> RatioGoal:
    return RatioGoal(f"half the CPU time of {other}, or less", _OURS, of_family(other), Compared.CPU, 2)


def _plain_faust(times: int) -> RatioGoal:
    words = f"{times} times the events/s of plain-faust, one process beside one"
    return RatioGoal(words, of_engine(SUBJECT.name), of_engine("plain-faust"), Compared.RATE, times)


RATIO_GOALS = (
    _plain_faust(15),
    _plain_faust(30),
    _rate("1.5 times", "kafka-streams-rocksdb", 1.5),
    _rate("1.0 times", "flink", 1.0),
    _rate("half", "limit", 0.5),
    _half_the_cpu("kafka-streams-rocksdb"),
    _half_the_cpu("flink"),
    RatioGoal(
        "two workers: 0.9 times the events/s of one",
        of_engine("this-worker-2"),
        of_engine("this-worker"),
        Compared.RATE,
        0.9,
    ),
)


def verdicts(measurements: Collection[Measurement], latencies: Collection[Latency] = ()) -> Iterator[Verdict]:
    """The goals that *measurements* and *latencies* say something about."""
    for goal in RATIO_GOALS:
        if pairs := round_pairs(measurements, goal.subject, goal.other):
            ratios = extent(goal.ratio(pair) for pair in pairs)
            yield Verdict(goal.words, f"{told(ratios)} times", ratios.median >= goal.ratio_min)
    yield from _latency(latencies)
    yield from _memory(measurements)


def told(ratios: Extent) -> str:
    """Minimum, median and maximum."""
    return " / ".join(f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" for ratio in ratios)  # noqa: PLR2004 - three digits


def _latency(latencies: Collection[Latency]) -> Iterator[Verdict]:
    for ours in latencies:
        if ours.family == SUBJECT.family and ours.load in LATENCY_GOALS_MS and not ours.fault:
            goal_ms = LATENCY_GOALS_MS[ours.load]
            goal = f"99 of 100 codes within {goal_ms} ms at {ours.load:.0%} of the top rate"
            yield Verdict(goal, f"{ours.p99_ms:.0f} ms", ours.p99_ms <= goal_ms)
            others = [other for other in latencies if other.load == ours.load and other.family in EXACTLY_ONCE_PEERS]
            if others := [other for other in others if not other.fault]:
                least = min(others, key=lambda other: other.p99_ms)
                goal = f"and sooner than every exactly-once peer, at {ours.load:.0%} of its own"
                yield Verdict(goal, f"{least.engine}: {least.p99_ms:.0f} ms", ours.p99_ms < least.p99_ms)


def _memory(measurements: Collection[Measurement]) -> Iterator[Verdict]:
    ours = [run for run in measurements if _OURS(run) and run.workload.open_only]
    episode_count = max((run.workload.episode_count for run in ours), default=0)
    figures = counted(ours)
    if figures and episode_count >= MEMORY_GOAL_EPISODES:
        peak_mib = extent(run.peak_resident_mib for run in figures).maximum
        goal = f"{MEMORY_GOAL_MIB} MiB with {MEMORY_GOAL_EPISODES:,} open episodes"
        yield Verdict(goal, f"{peak_mib:.0f} MiB with {episode_count:,}", peak_mib <= MEMORY_GOAL_MIB)
