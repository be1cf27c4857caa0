"""What several runs say together: where figures lie, and how two engines compare within one round."""

import statistics
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from bench.measurement import Figures, Measurement


class Extent(NamedTuple):
    """Where some figures lie."""

    minimum: float
    median: float
    maximum: float


class RoundPair(NamedTuple):
    """Two engines in one round."""

    round_number: int
    subject: Figures
    other: Figures

    @property
    def rate_ratio(self) -> float:
        """How many times the other's events per second the subject reached."""
        return self.subject.events_per_second / self.other.events_per_second

    @property
    def cpu_ratio(self) -> float:
        """How many times the subject's processor time the other needed for an event."""
        return self.other.cpu_seconds_per_million / self.subject.cpu_seconds_per_million


def extent(values: Iterable[float]) -> Extent:
    """Minimum, median and maximum of *values*, of which there is at least one."""
    ordered = sorted(values)
    return Extent(ordered[0], statistics.median(ordered), ordered[-1])


def counted(measurements: Iterable[Measurement]) -> list[Figures]:
    """The figures of the runs that came to their end with the right outcome."""
    return [run.figures for run in measurements if run.figures is not None and not run.faults]


def of_family(family: str) -> Callable[[Measurement], bool]:
    """Whether a run is one of *family*'s engines."""
    return lambda run: run.family == family


def of_engine(engine: str) -> Callable[[Measurement], bool]:
    """Whether a run is one of *engine*."""
    return lambda run: run.engine == engine


def round_pairs(
    measurements: Collection[Measurement],
    subject: Callable[[Measurement], bool],
    other: Callable[[Measurement], bool],
) -> list[RoundPair]:
    """The rounds in which both have a run that counts; of several the fastest."""
    subjects, others = (_fastest(filter(admits, measurements)) for admits in (subject, other))
    return [RoundPair(number, subjects[number], others[number]) for number in sorted(subjects.keys() & others.keys())]


def _fastest(measurements: Iterable[Measurement]) -> dict[int, Figures]:
    """By round."""
    found: dict[int, Figures] = {}
    for run in measurements:
        if run.round_number is not None and run.figures is not None and not run.faults:
            best = found.get(run.round_number)
            if best is None or run.figures.events_per_second > best.events_per_second:
                found[run.round_number] = run.figures
    return found


def fastest_of_families(measurements: Iterable[Measurement]) -> dict[str, float]:
    """Of each family the engine with the highest median over the rounds, and that, in events/s."""
    rounds = [run for run in measurements if run.round_number is not None]
    medians: dict[str, tuple[float, str]] = {}
    for engine, family in dict.fromkeys((run.engine, run.family) for run in rounds):
        if figures := counted(filter(of_engine(engine), rounds)):
            median = extent(run.events_per_second for run in figures).median
            medians[family] = max(medians.get(family, (0.0, "")), (median, engine))
    return {engine: median for median, engine in medians.values()}
