"""What came of each episode on each instrument, as the policy judges it."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from streams.domain.decision import Comparison, Finding, decide
from streams.domain.episode import Episode
from streams.domain.fact import Fact, Treatment
from streams.domain.instant import US_PER_DAY
from streams.domain.instrument import Instrument
from streams.domain.policy import Policy, Threshold, ThresholdKind

NOT_AVAILABLE = "not available"
_PUBLISHED = Threshold(ThresholdKind.PUBLISHED)


class Dimension(StrEnum):
    """By what outcomes are counted."""

    ALL = "all"
    PAYER = "payer"
    PROGRAM = "program"
    INSTRUMENT = "instrument"
    SITE = "site"
    MONTH = "month"


class FollowUpOutcome(NamedTuple):
    """How the follow-up that the decision rests on compares with the baseline."""

    completed_on: date
    improved: bool
    improvement_points: Fraction
    """In the instrument's better direction; negative where it is worse."""
    improvement_of_range: Fraction
    """The same as a share of the instrument's range, so that instruments can be taken together."""
    met_published_change: bool | None
    """None where no change is published for the instrument."""
    days: int
    """From the anchor to the follow-up, begun ones not counted."""


class Outcome(NamedTuple):
    """One episode on one instrument that has a baseline and an anchor."""

    places: dict[Dimension, str]
    follow_up: FollowUpOutcome | None
    """None where none came."""


def outcomes_of(episode: Episode, policy: Policy) -> Iterator[Outcome]:
    """The outcomes of *episode*, one for each instrument and version that has a baseline before a treatment."""
    for finding in decide(episode.facts, policy).findings:
        if finding.anchor is None or finding.baseline is None:
            continue
        comparison = _decisive(finding)
        places = _places(finding, finding.anchor, comparison, policy)
        instrument = policy.instruments[finding.instrument]
        followed = None if comparison is None else _follow_up(finding, finding.anchor, comparison, instrument)
        yield Outcome(places, followed)


def _decisive(finding: Finding) -> Comparison | None:
    """The earliest improved follow-up, else the latest: what a code would rest on (contract.md, "What is decided")."""
    improved = [c for c in finding.comparisons if c.improved]
    return improved[0] if improved else finding.comparisons[-1] if finding.comparisons else None


def _follow_up(finding: Finding, anchor: Treatment, comparison: Comparison, instrument: Instrument) -> FollowUpOutcome:
    before = finding.baseline.score if finding.baseline is not None and finding.baseline.score is not None else None
    after = comparison.follow_up.score
    if before is None or after is None:
        message = "A comparison without scores cannot be: see streams.domain.decision."
        raise AssertionError(message)
    improvement = instrument.improvement(before, after)
    needed = _PUBLISHED.points(instrument, before)
    completed_at = comparison.follow_up.completed_at
    return FollowUpOutcome(
        completed_on=completed_at.local_date,
        improved=comparison.improved,
        improvement_points=Fraction(improvement),
        improvement_of_range=Fraction(improvement) / Fraction(instrument.score_max - instrument.score_min),
        met_published_change=None if needed is None else improvement > 0 and improvement >= needed,
        days=(completed_at.epoch_us - anchor.performed_at.epoch_us) // US_PER_DAY,
    )


def _places(finding: Finding, anchor: Treatment, comparison: Comparison | None, policy: Policy) -> dict[Dimension, str]:
    # Where and for whom the treatment was, for that is known also where no follow-up came.
    told: list[Fact] = [anchor] if comparison is None else [anchor, comparison.follow_up]
    payer_id = next((fact.payer_id for fact in told if fact.payer_id), None)
    places = {
        Dimension.ALL: "all",
        Dimension.PAYER: NOT_AVAILABLE if payer_id is None else policy.payer_rule(payer_id).name,
        Dimension.PROGRAM: finding.program.id if finding.program is not None else "none",
        Dimension.INSTRUMENT: finding.instrument,
        Dimension.SITE: next((fact.facility_id for fact in told if fact.facility_id), NOT_AVAILABLE),
    }
    if comparison is not None:
        places[Dimension.MONTH] = f"{comparison.follow_up.completed_at.local_date:%Y-%m}"
    return places
