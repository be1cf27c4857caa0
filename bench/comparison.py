"""What several runs say together: where figures lie, and how two engines compare within one round."""

import statistics
from collections.abc import Iterable
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
    yardstick: Figures

    @property
    def rate_ratio(self) -> float:
        """How many times the yardstick's events per second the subject reached."""
        return self.subject.events_per_second / self.yardstick.events_per_second

    @property
    def cpu_ratio(self) -> float:
        """How many times the subject's processor time the yardstick needed for an event."""
        return self.yardstick.cpu_seconds_per_million / self.subject.cpu_seconds_per_million


def extent(values: Iterable[float]) -> Extent:
    """Minimum, median and maximum of *values*, of which there is at least one."""
    ordered = sorted(values)
    return Extent(ordered[0], statistics.median(ordered), ordered[-1])


def counted(measurements: Iterable[Measurement]) -> list[Figures]:
    """The figures of the runs that came to their end with the right outcome."""
    return [run.figures for run in measurements if run.figures is not None and not run.faults]


def round_pairs(measurements: Iterable[Measurement], subject: str, yardstick: str) -> list[RoundPair]:
    """The rounds in which the runs of both engines count."""
    figures = {
        (run.round_number, run.engine): run.figures
        for run in measurements
        if run.round_number is not None and run.figures is not None and not run.faults
    }
    return [
        RoundPair(number, figures[number, subject], figures[number, yardstick])
        for number in sorted({number for number, _engine in figures})
        if (number, subject) in figures and (number, yardstick) in figures
    ]
