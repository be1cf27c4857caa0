"""The room in which an episode is drawn: time from left to right, and scores with the better ones on top."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from xml.etree.ElementTree import Element

from streams.documents.elements import element
from streams.domain.instant import US_PER_DAY
from streams.domain.instrument import ImprovementNotation, Instrument
from streams.explanation.facts import FactExplanation

WIDTH = 1040
LEFT, RIGHT = 120, 930
PLOT_HEIGHT = 230
CHARACTER_WIDTH = 7.2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US, _LAST_US = -62_135_596_800_000_000, 253_402_214_400_000_000
"""The first and the last day that Python's calendar has, years 1 and 9999."""


class TimeAxis(NamedTuple):
    """Which stretch of time is shown."""

    begin_us: float
    end_us: float

    @classmethod
    def of(cls, facts: Sequence[FactExplanation]) -> "TimeAxis":
        """All of *facts*, with room on both sides: for the bands, and for the words."""
        times = [explained.fact.occurred_at.epoch_us for explained in facts]
        room = max(0.12 * (max(times) - min(times)), 4 * US_PER_DAY)
        return cls(min(times) - room, max(times) + 1.6 * room)

    def x(self, epoch_us: float) -> float:
        """Where a time is, in the picture; what lies outside is at the edge."""
        share = (epoch_us - self.begin_us) / (self.end_us - self.begin_us)
        return LEFT + min(max(share, 0.0), 1.0) * (RIGHT - LEFT)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """About six dates, evenly apart."""
        for part in range(6):
            at_us = self.begin_us + (part + 0.5) / 6 * (self.end_us - self.begin_us)
            yield self.x(at_us), day(at_us)


def day(epoch_us: float) -> str:
    """The date of a time, in UTC; of one that no calendar has, the first or the last."""
    within_us = min(max(epoch_us, _FIRST_US), _LAST_US)
    return (_EPOCH + timedelta(microseconds=within_us)).date().isoformat()


@dataclass(slots=True)
class Labels:
    """Words that are not written over each other."""

    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def place(self, text: str, x: float, y: float, style: str) -> Element:
        """*text* beside the point, as near to it as there is room."""
        width = CHARACTER_WIDTH * len(text)
        is_right = x + 9 + width <= WIDTH - 4
        left = x + 9 if is_right else x - 9 - width
        for shift in (-8, 12, -24, 28, -40, 44, -56, 60, 76, -72):
            box = (left, y + shift - 11, left + width, y + shift + 3)
            if not any(_overlap(box, other) for other in self.taken):
                break
        self.taken.append(box)
        if is_right:
            return element("text", text, x=x + 9, y=box[3] - 3, class_=style)
        return element("text", text, x=x - 9, y=box[3] - 3, text_anchor="end", class_=style)


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


class Scale(NamedTuple):
    """The scores of an instrument, from the worse at the bottom to the better at the top."""

    instrument: Instrument
    top: float

    def y(self, score: Decimal) -> float:
        """Where a score is."""
        worst, best = self.ends
        share = float((score - worst) / (best - worst))
        return self.top + (1 - min(max(share, 0.0), 1.0)) * PLOT_HEIGHT

    @property
    def rises(self) -> bool:
        """Whether higher scores are better."""
        return self.instrument.improvement_notation is ImprovementNotation.INCREASE

    @property
    def ends(self) -> tuple[Decimal, Decimal]:
        """The worst score and the best."""
        ends = self.instrument.score_min, self.instrument.score_max
        return ends if self.rises else (ends[1], ends[0])
