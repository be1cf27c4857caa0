"""Which surveys the patients answer, and what scores are typical.

Ranges and item counts are the instruments' published ones. Only ids and numbers are held: item texts
are licensed. They are written down here once more, apart from the registry that the worker scores
with, so that the demo would show a mistake in either. Typical scores are invented.
"""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Literal


@dataclass(frozen=True, slots=True)
class AnswerSheet:
    """The items of an instrument whose score is the sum of its answers, each from 0 up."""

    items: int
    answer_max: int
    unanswered_max: int = 0


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument and its usual results. Scores are held as a `level`: whole steps above the lowest."""

    id: str
    lowest: int
    highest: int
    step: Decimal
    better: Literal["lower", "higher"]
    typical_at_intake: float
    typical_gain: float
    versions: tuple[str | None, ...] = (None,)
    """The version in use, then, where there are two, the one that some sites still have."""
    sheet: AnswerSheet | None = None

    @property
    def level_max(self) -> int:
        """The level of the highest score."""
        return int((self.highest - self.lowest) / self.step)

    def score(self, level: int) -> Decimal:
        """Turn a level into the score."""
        return self.lowest + level * self.step

    def gain(self, before: int, after: int) -> int:
        """Count the steps towards better health; negative when worse."""
        return before - after if self.better == "lower" else after - before

    def moved(self, level: int, gain: int) -> int:
        """Move `gain` steps towards better health, as far as the scale goes."""
        moved = level - gain if self.better == "lower" else level + gain
        return min(max(moved, 0), self.level_max)

    def intake_level(self, rng: Random) -> int:
        """Draw a first result, with room for at least two steps either way."""
        spread = self.typical_gain * 0.8
        points = rng.gauss(self.typical_at_intake, spread) - self.lowest
        return min(max(round(points / float(self.step)), 2), self.level_max - 2)

    def gain_steps(self, rng: Random) -> int:
        """Draw how many steps a treatment brings; at least one."""
        return max(1, round(rng.gauss(self.typical_gain, self.typical_gain / 2) / float(self.step)))

    def answers(self, level: int, rng: Random) -> tuple[int, ...] | None:
        """Draw answers that sum to `level`, every such sheet being possible; None without a sheet."""
        if self.sheet is None:
            return None
        points = rng.sample(range(self.sheet.items * self.sheet.answer_max), level)
        per_item = Counter(point // self.sheet.answer_max for point in points)
        return tuple(per_item[item] for item in range(self.sheet.items))


ONE = Decimal(1)
TENTH = Decimal("0.1")
THOUSANDTH = Decimal("0.001")

ODI = Instrument(
    "odi",
    lowest=0,
    highest=100,
    step=Decimal(2),  # ten answers of 0 to 5 make 50 points, written as percent
    better="lower",
    typical_at_intake=46,
    typical_gain=16,
    versions=("2.1a", "2.0"),
    sheet=AnswerSheet(items=10, answer_max=5, unanswered_max=2),
)
PROMIS_PAIN_INTERFERENCE = Instrument("promis_pi", 20, 80, TENTH, "lower", 64, 6, versions=("1.1", "1.0"))
NPRS = Instrument("nprs", 0, 10, ONE, "lower", 6.5, 2.5)
NDI = Instrument("ndi", 0, 50, ONE, "lower", 22, 8, sheet=AnswerSheet(items=10, answer_max=5, unanswered_max=1))
KOOS_JR = Instrument("koos_jr", 0, 100, THOUSANDTH, "higher", 47, 26)
HOOS_JR = Instrument("hoos_jr", 0, 100, THOUSANDTH, "higher", 49, 30)
PHQ9 = Instrument("phq9", 0, 27, ONE, "lower", 15, 6, sheet=AnswerSheet(items=9, answer_max=3))
GAD7 = Instrument("gad7", 0, 21, ONE, "lower", 12, 5, sheet=AnswerSheet(items=7, answer_max=3))
AVVQ = Instrument("avvq", 0, 100, THOUSANDTH, "lower", 21, 11)
VVSYMQ = Instrument("vvsymq", 0, 25, TENTH, "lower", 11, 6)
