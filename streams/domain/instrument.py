"""What a survey instrument is: which way better lies, which scores it has, how answers make one.

Instruments are data, and these are the values that the data becomes. Which instruments there are is
``streams.instruments``' work; turning answers into a score is ``streams.domain.scoring``'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias


class ImprovementNotation(StrEnum):
    """Which way better lies: http://terminology.hl7.org/CodeSystem/measure-improvement-notation."""

    INCREASE = "increase"
    DECREASE = "decrease"


_INCREASE = ImprovementNotation.INCREASE  # looked up once: finding a member costs more than comparing it


class ScoreKind(StrEnum):
    """What a score counts; two kinds of one instrument are two scales, and are never compared."""

    RAW = "raw"
    """Points, as added up from the items."""
    PERCENT = "percent"
    """Percent of the possible points."""
    T_SCORE = "t_score"
    """Mean 50, standard deviation 10 in a reference population."""
    INDEX = "index"
    """Weighted items, or a table from raw points to a scale."""


class ScoringMethod(StrEnum):
    """How the answered items make a score; the three differ in what an item left blank counts for."""

    SUM = "sum"
    """The points added up: a blank counts for none."""
    PRORATED = "prorated"
    """The points added up, a blank counting for the mean of the answered items."""
    PERCENT = "percent"
    """Percent of the possible points of the answered items, counted from the lowest answer.

    A mean stretched to 0-100 is the same number: QuickDASH's ``(mean - 1) * 25`` has answers from 1 to 5.
    """


@dataclass(frozen=True, slots=True)
class PublishedChange:
    """The smallest change that a publication calls important to patients, one way or both."""

    points: Decimal | None
    """In score points, whichever way better lies."""
    percent_of_baseline: Decimal | None
    reference: str
    """The publication; ``unverified`` where nobody on the project has read the number in it."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Items that the respondent is told to pass over; those then count for the lowest answer."""

    after_lowest: tuple[int, ...]
    """Where all of these items (counted from 1) have the lowest answer,"""
    items: tuple[int, ...]
    """these may be left blank."""


@dataclass(frozen=True, slots=True)
class ItemRule:
    """The published way from item answers to a score; items are counted from 1."""

    method: ScoringMethod
    item_count: int
    answer_min: int
    answer_max: int
    unanswered_max: int = 0
    """More blanks than this, and there is no score. Always below ``item_count``."""
    skips: tuple[Skip, ...] = ()
    item_answers: Mapping[int, frozenset[int]] = field(default_factory=dict, hash=False)
    """The answers of an item that does not have all from ``answer_min`` to ``answer_max``."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A survey with one score; a variant with another scale or value set is an instrument of its own."""

    id: str
    name: str
    improvement_notation: ImprovementNotation
    score_kind: ScoreKind
    score_min: Decimal
    score_max: Decimal
    loinc: str | None = None
    """The LOINC code of the score, where one holds for every version."""
    published_change: PublishedChange | None = None
    items: ItemRule | None = None
    """None where no rule is published, or it needs a table that may not be passed on."""
    loinc_by_version: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The LOINC code of each version, where they differ; ``loinc`` is then None."""

    def improvement(self, baseline: Decimal, follow_up: Decimal) -> Decimal:
        """How much better *follow_up* is than *baseline*, in score points; negative where it is worse."""
        return follow_up - baseline if self.improvement_notation is _INCREASE else baseline - follow_up

    def admits(self, score: Decimal) -> bool:
        """Whether *score* is on the scale, its ends included."""
        return self.score_min <= score <= self.score_max

    def loinc_for(self, version: str | None) -> str | None:
        """The LOINC code of a score of *version*, or None where none is known.

        Where the code depends on the version, an unknown or absent version has none: to name a
        neighbour's would be a guess. Versions count without case and without a leading ``v``.
        """
        if version is None or not self.loinc_by_version:
            return self.loinc
        return self.loinc_by_version.get(version.lower().removeprefix("v"))


InstrumentRegistry: TypeAlias = Mapping[str, Instrument]
"""Instruments by id, in their default order of precedence."""
