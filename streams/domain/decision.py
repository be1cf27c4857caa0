"""Which quality-data code an episode has earned, and if none, what is missing first.

Theory of operation. Surveys are judged per instrument and instrument version, for only equal scales
compare. Such a group goes through four stages, and stops at the first that fails:

    treatment     is there a treatment that qualifies?
    baseline      the *anchor* is the earliest qualifying treatment with a valid survey at or before it
                  within the look-back; the *baseline* is the latest such survey
    follow-up     valid surveys strictly after the anchor, in the window that opens with the last
                  qualifying treatment before each
    improvement   the change in the instrument's better direction meets the threshold

The episode's outcome is the earliest improved follow-up over all groups (G9603), else the latest
follow-up (G9605), else, once the windows of all groups with an anchor have closed, that none came (G9604);
G9605 and G9604 where the policy publishes them. Rules: contract.md, "What is decided".

Time is an argument, too: *as of* when windows are to have closed. A decision changes with it at most once, when the
last window closes.

Everything a decision depends on is an argument, and everything it concludes is in the value returned.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import TypeAlias

import msgspec

from schemas.vocabulary import QualityDataCode
from streams.domain.episode import CurrentFacts, current_facts
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.instant import US_PER_MS, Instant
from streams.domain.instrument import Instrument
from streams.domain.missing import (
    STAGES,
    Missing,
    Reason,
    Stage,
    exclusion,
    last_before_us,
    missing_baseline,
    missing_follow_up,
    missing_treatment,
)
from streams.domain.policy import Policy, Program, Rules

_Group: TypeAlias = tuple[str, str | None]
"""An instrument in one version."""


_NOTHING = Decimal(0)
_NOT_IMPROVED = Missing(Stage.IMPROVEMENT, Reason.NOT_IMPROVED)


class Comparison(msgspec.Struct, frozen=True):
    """One follow-up held against the baseline, in score points."""

    follow_up: Survey
    change: Decimal
    """Follow-up minus baseline."""
    threshold: Decimal | None
    """The least improvement that counts; None where the instrument has no published change."""
    improved: bool


class Finding(msgspec.Struct, frozen=True):
    """How far one instrument, in one version, came in one episode."""

    instrument: str
    instrument_version: str | None
    program: Program | None
    rules: Rules
    surveys: tuple[Survey, ...]
    anchor: Treatment | None = None
    baseline: Survey | None = None
    comparisons: tuple[Comparison, ...] = ()
    missing: Missing | None = None
    closes_at: Instant | None = None
    """When its last window closes, where it waits for a follow-up and the policy codes that none came."""


class Coded(msgspec.Struct, frozen=True):
    """The code that was earned, and what it rests on."""

    code: QualityDataCode
    instrument: Instrument
    program: Program | None
    baseline: Survey
    anchor: Treatment
    comparison: Comparison | None
    """Of the follow-up; None where none came."""
    findings: tuple[Finding, ...]
    closed_at: Instant | None = None
    """When the last window closed, where no follow-up came."""

    @property
    def served_at(self) -> Instant:
        """When what is coded came about: the follow-up, or that none came."""
        if self.comparison is not None:
            return self.comparison.follow_up.completed_at
        return self.closed_at or self.anchor.performed_at


class NotCoded(msgspec.Struct, frozen=True):
    """No code, and the first thing that is missing."""

    missing: Missing
    findings: tuple[Finding, ...]
    closes_at: Instant | None = None
    """When it will be coded for want of a follow-up, if none comes; None where it will not."""


def decide(facts: Iterable[Fact], policy: Policy, as_of_ms: int = 0) -> Coded | NotCoded:
    """Decide what an episode with *facts* is coded with under *policy*.

    The answer depends on the set of facts, and on the time, alone: not on their order, nor on how often they came.

    Args:
        facts: Of the episode.
        policy: The rules.
        as_of_ms: Unix time in milliseconds: a window that ended before it has closed. No window ends before 0.
    """
    current = current_facts(facts)
    findings = _findings(current, policy)
    improved = _earliest_improved(findings)
    if improved is not None:
        return _published(QualityDataCode.SCORE_IMPROVED, improved, findings, policy)
    compared = _latest_compared(findings)
    if compared is not None and QualityDataCode.SCORE_NOT_IMPROVED in policy.published_codes:
        return _published(QualityDataCode.SCORE_NOT_IMPROVED, compared, findings, policy)
    missing = _first_missing(findings, current, policy)
    last = _last_to_close(findings) if compared is None and policy.closes_windows else None
    if last is None or last.closes_at is None:
        return NotCoded(missing, findings)
    if last.closes_at.epoch_us >= as_of_ms * US_PER_MS:
        return NotCoded(missing, findings, last.closes_at)
    return _not_available(last, findings, policy)


def _findings(current: CurrentFacts, policy: Policy) -> tuple[Finding, ...]:
    groups: dict[_Group, list[Survey]] = defaultdict(list)
    for survey in current.surveys:
        groups[survey.instrument, survey.instrument_version].append(survey)
    return tuple([_finding(group, groups[group], current, policy) for group in _in_order(groups, policy)])


def _in_order(groups: Collection[_Group], policy: Policy) -> Collection[_Group]:
    if len(groups) == 1:
        return groups
    return sorted(groups, key=lambda group: (policy.precedence(group[0]), group[0], group[1] or ""))


def _finding(group: _Group, surveys: Sequence[Survey], current: CurrentFacts, policy: Policy) -> Finding:
    """What became of the *surveys* of one *group*, stage by stage."""
    program = policy.program_of(group[0], current.standing_treatments)
    rules = program.rules if program is not None else policy.rules
    begun = (*group, program, rules, tuple(surveys))
    if group[0] not in rules.instruments:
        return Finding(*begun, missing=Missing(Stage.SURVEY, Reason.INSTRUMENT_NOT_IN_POLICY))
    qualifying = rules.qualifying_of(current.standing_treatments)
    if not qualifying:
        return Finding(*begun, missing=missing_treatment(current))
    valid = [s for s in surveys if exclusion(s, rules) is None]
    anchored = _anchor_and_baseline(valid, qualifying, rules)
    if anchored is None:
        return Finding(*begun, missing=missing_baseline(group, current, qualifying, rules))
    anchor, baseline = anchored
    performed_us = [t.performed_at.epoch_us for t in qualifying]
    follow_ups = [s for s in valid if _is_follow_up(s, anchor, performed_us, rules)]
    if not follow_ups:
        missing = missing_follow_up(group, current, anchor, performed_us, rules)
        closes_at = rules.closes_at(qualifying[-1]) if policy.closes_windows else None
        return Finding(*begun, *anchored, missing=missing, closes_at=closes_at)
    instrument = policy.instruments[group[0]]
    comparisons = tuple([_comparison(instrument, baseline, follow_up, rules) for follow_up in follow_ups])
    improved = any(comparison.improved for comparison in comparisons)
    return Finding(*begun, *anchored, comparisons, missing=None if improved else _NOT_IMPROVED)


def _anchor_and_baseline(
    valid: Sequence[Survey], qualifying: Sequence[Treatment], rules: Rules
) -> tuple[Treatment, Survey] | None:
    # Both are in order of time, so the latest survey up to a treatment is found without looking at each.
    completed_us = [s.completed_at.epoch_us for s in valid]
    for treatment in qualifying:
        performed_us = treatment.performed_at.epoch_us
        count = bisect_right(completed_us, performed_us)
        if count and performed_us - completed_us[count - 1] <= rules.look_back_us:
            return treatment, valid[count - 1]
    return None


def _is_follow_up(survey: Survey, anchor: Treatment, performed_us: Sequence[int], rules: Rules) -> bool:
    completed_us = survey.completed_at.epoch_us
    if completed_us <= anchor.performed_at.epoch_us:
        return False
    return rules.in_window(completed_us - last_before_us(completed_us, performed_us))


def _comparison(instrument: Instrument, baseline: Survey, follow_up: Survey, rules: Rules) -> Comparison:
    # Neither score is None: a survey without one is excluded, and so never compared.
    before, after = baseline.score or _NOTHING, follow_up.score or _NOTHING
    threshold = rules.threshold.points(instrument, before)
    improvement = instrument.improvement(before, after)
    improved = threshold is not None and improvement > _NOTHING and improvement >= threshold
    return Comparison(follow_up, after - before, threshold, improved)


def _earliest_improved(findings: Sequence[Finding]) -> tuple[Finding, Comparison] | None:
    improved = [(f, c) for f in findings for c in f.comparisons if c.improved]
    # min and max keep the first of equals, and findings stand in the policy's instrument order.
    return min(improved, key=_completed_us, default=None)


def _latest_compared(findings: Sequence[Finding]) -> tuple[Finding, Comparison] | None:
    compared = [(f, c) for f in findings for c in f.comparisons]
    return max(compared, key=_completed_us, default=None)


def _last_to_close(findings: Sequence[Finding]) -> Finding | None:
    return max((f for f in findings if f.closes_at is not None), key=_closes_us, default=None)


def _closes_us(finding: Finding) -> int:
    return finding.closes_at.epoch_us if finding.closes_at is not None else 0


def _completed_us(compared: tuple[Finding, Comparison]) -> int:
    return compared[1].follow_up.completed_at.epoch_us


def _published(
    code: QualityDataCode,
    compared: tuple[Finding, Comparison],
    findings: tuple[Finding, ...],
    policy: Policy,
) -> Coded | NotCoded:
    if code not in policy.published_codes:
        return NotCoded(Missing(Stage.IMPROVEMENT, Reason.CODE_NOT_PUBLISHED), findings)
    finding, comparison = compared
    if finding.baseline is None or finding.anchor is None:
        message = "A comparison without a baseline and an anchor cannot be: see _finding."
        raise AssertionError(message)
    instrument = policy.instruments[finding.instrument]
    return Coded(code, instrument, finding.program, finding.baseline, finding.anchor, comparison, findings)


def _not_available(last: Finding, findings: tuple[Finding, ...], policy: Policy) -> Coded:
    if last.baseline is None or last.anchor is None:
        message = "A window without a baseline and an anchor cannot be: see _finding."
        raise AssertionError(message)
    return Coded(
        QualityDataCode.RESULTS_NOT_AVAILABLE,
        policy.instruments[last.instrument],
        last.program,
        last.baseline,
        last.anchor,
        None,
        findings,
        closed_at=last.closes_at,
    )


def _first_missing(findings: Sequence[Finding], current: CurrentFacts, policy: Policy) -> Missing:
    """What the group that came furthest lacks; the first of equals in instrument order."""
    reached = [f.missing for f in findings if f.missing is not None]
    if reached:
        return max(reached, key=lambda missing: STAGES.index(missing.stage))
    # No survey says which program applies, so a treatment may qualify by the rules of any.
    every_rules = (policy.rules, *(program.rules for program in policy.programs))
    if not any(rules.qualifying_of(current.standing_treatments) for rules in every_rules):
        return missing_treatment(current)
    return Missing(Stage.BASELINE, Reason.NO_BASELINE)
