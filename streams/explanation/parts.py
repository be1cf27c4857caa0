"""Which part a survey or treatment plays in the decision, and why; also why it plays none."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.vocabulary import RecordStatus
from streams.domain.code_set import CodeSet
from streams.domain.decision import Coded, Finding, NotCoded
from streams.domain.episode import CurrentFacts
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.instant import US_PER_DAY
from streams.domain.missing import Reason, exclusion, last_before_us
from streams.domain.policy import Policy, Rules
from streams.explanation.sentences import comparison_clause, days, exclusion_clause, scale_name


class Standing(StrEnum):
    """Whether a fact is taken into account."""

    COUNTS = "counts"
    SUPERSEDED = "superseded"
    """Another version of the same record counts."""
    RETRACTED = "retracted"
    """The version that counts says that the record was entered in error."""
    EXCLUDED = "excluded"
    """By the policy, or for want of a score."""


class Role(StrEnum):
    """What a fact is to the decision."""

    BASELINE = "baseline"
    ANCHOR = "anchor"
    FOLLOW_UP = "follow-up"
    IMPROVED_FOLLOW_UP = "improved follow-up"


@dataclass(frozen=True, slots=True)
class Part:
    """What a fact has to do with a decision."""

    standing: Standing
    role: Role | None
    why: str


def part_of(fact: Fact, decision: Coded | NotCoded, policy: Policy, current: CurrentFacts) -> Part:
    """The part of *fact* in *decision*.

    Args:
        fact: One of *current*: the version that counts of its survey or treatment.
        decision: What was decided by *policy*.
        policy: The policy.
        current: All facts that the decision was made from.
    """
    if fact.status is RecordStatus.ENTERED_IN_ERROR:
        moved_to = fact.moved_to_episode_id
        return Part(
            Standing.RETRACTED, None, "entered in error" if moved_to is None else f"moved to episode {moved_to}"
        )
    if isinstance(fact, Treatment):
        return _treatment_part(fact, decision.findings, policy)
    scale = (fact.instrument, fact.instrument_version)
    finding = next(f for f in decision.findings if (f.instrument, f.instrument_version) == scale)
    return _survey_part(fact, finding, policy, current.standing_treatments)


# ---------------------------------------------------------------------------------------------
# Surveys
# ---------------------------------------------------------------------------------------------
def _survey_part(survey: Survey, finding: Finding, policy: Policy, standing: Sequence[Treatment]) -> Part:
    rules = finding.rules
    if finding.missing is not None and finding.missing.reason is Reason.INSTRUMENT_NOT_IN_POLICY:
        return Part(Standing.EXCLUDED, None, f"the policy does not take {survey.instrument}")
    excluded = exclusion(survey, rules)
    if excluded is not None:
        return Part(Standing.EXCLUDED, None, exclusion_clause(excluded, survey))
    if survey == finding.baseline:
        why = f"the latest survey in the {days(rules.look_back_days)} up to the anchor"
        return Part(Standing.COUNTS, Role.BASELINE, why)
    instrument = policy.instruments[survey.instrument]
    for comparison in finding.comparisons:
        if survey == comparison.follow_up and finding.baseline is not None:
            role = Role.IMPROVED_FOLLOW_UP if comparison.improved else Role.FOLLOW_UP
            return Part(Standing.COUNTS, role, comparison_clause(comparison, finding.baseline, instrument))
    qualifying = rules.qualifying_of(standing)
    return Part(Standing.COUNTS, None, _why_not_used(survey, finding, qualifying))


def _why_not_used(survey: Survey, finding: Finding, qualifying: Sequence[Treatment]) -> str:
    rules, anchor, completed_us = finding.rules, finding.anchor, survey.completed_at.epoch_us
    look_back, scale = days(rules.look_back_days), scale_name(survey.instrument, survey.instrument_version)
    if not qualifying:
        return "no treatment qualifies, so there is nothing to be before or after"
    if anchor is None:
        if any(t.performed_at.epoch_us >= completed_us for t in qualifying):
            return f"no qualifying treatment follows within {look_back}, so it is no baseline"
        return f"after the treatment, with no baseline of {scale} before it"
    if completed_us > anchor.performed_at.epoch_us:
        elapsed_us = completed_us - last_before_us(completed_us, [t.performed_at.epoch_us for t in qualifying])
        too_late = elapsed_us > rules.follow_up_to_days * US_PER_DAY
        limit = f"more than {rules.follow_up_to_days}" if too_late else f"less than {rules.follow_up_from_days}"
        return f"outside the window: {limit} days after the last qualifying treatment before it"
    if anchor.performed_at.epoch_us - completed_us > rules.look_back_us:
        return f"more than {look_back} before the anchor"
    return "a later survey before the anchor is the baseline"


# ---------------------------------------------------------------------------------------------
# Treatments
# ---------------------------------------------------------------------------------------------
def _treatment_part(treatment: Treatment, findings: Sequence[Finding], policy: Policy) -> Part:
    """The part of a treatment in what was found; where instruments or programs differ, the greatest part."""
    # What came as far as an anchor says more of a treatment than what did not: it goes first among equals.
    found = sorted(((f.rules, f.anchor) for f in findings), key=lambda scope: scope[1] is None)
    # No survey says which program applies, so a treatment may count by the rules of any.
    of_any = [(rules, None) for rules in (policy.rules, *(program.rules for program in policy.programs))]
    parts = [_part_by_rules(treatment, rules, anchor) for rules, anchor in found or of_any]
    return min(parts, key=lambda part: (part.role is None, part.standing is Standing.EXCLUDED))


def _part_by_rules(treatment: Treatment, rules: Rules, anchor: Treatment | None) -> Part:
    look_back = days(rules.look_back_days)
    if not rules.qualifies(treatment):
        return Part(Standing.EXCLUDED, None, _why_not_qualifying(treatment, rules))
    if treatment == anchor:
        why = f"the earliest that has a survey in the {look_back} up to it"
        return Part(Standing.COUNTS, Role.ANCHOR, why)
    if anchor is not None and treatment.performed_at.epoch_us >= anchor.performed_at.epoch_us:
        return Part(Standing.COUNTS, None, "the follow-up window counts anew from it")
    return Part(Standing.COUNTS, None, f"no survey lies in the {look_back} up to it")


def _why_not_qualifying(treatment: Treatment, rules: Rules) -> str:
    for pattern in rules.excluded.patterns:
        if CodeSet([pattern]).matches(treatment.code_system, treatment.code):
            return f"the policy excludes {pattern}"
    return f"{treatment.code_system}:{treatment.code} is not among the policy's qualifying codes"
