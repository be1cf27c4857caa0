"""Which part each fact plays in the decision, and why: nothing that was sent goes unexplained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from schemas.vocabulary import RecordStatus
from streams.domain.code_set import CodeSet
from streams.domain.decision import Coded, Finding, NotCoded
from streams.domain.episode import Episode, current_facts
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.instant import US_PER_DAY
from streams.domain.missing import Reason, exclusion, last_before_us
from streams.domain.policy import Policy, Rules
from streams.explanation.sentences import comparison_clause, days, exclusion_clause, score_text


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


@dataclass(frozen=True, slots=True)
class FactExplanation:
    """A fact, and its part."""

    fact: Fact
    part: Part
    contested: bool
    """Its transport event came with two contents; this is the one that counts."""

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        fact = self.fact
        kind, identity = ("survey", "survey_id") if isinstance(fact, Survey) else ("treatment", "treatment_id")
        return {
            "kind": kind,
            identity: fact.identity[1],
            "version": fact.version,
            "status": fact.status.value,
            "occurred_at": str(fact.occurred_at),
            "patient_id": fact.patient_id,
            **(_survey_fields(fact) if isinstance(fact, Survey) else _treatment_fields(fact)),
            "source": fact.source,
            "event_id": fact.event_id,
            "standing": self.part.standing.value,
            "role": self.part.role.value if self.part.role is not None else None,
            "why": self.part.why,
            "contested": self.contested,
        }


def _survey_fields(survey: Survey) -> dict[str, Any]:
    return {
        "instrument": survey.instrument,
        "instrument_version": survey.instrument_version,
        "score": score_text(survey) if survey.score is not None else None,
        "respondent": survey.respondent.value,
    }


def _treatment_fields(treatment: Treatment) -> dict[str, Any]:
    return {
        "code": treatment.code,
        "code_system": treatment.code_system.value,
        "modifiers": list(treatment.modifiers),
    }


def explain_facts(episode: Episode, decision: Coded | NotCoded, policy: Policy) -> tuple[FactExplanation, ...]:
    """Every fact of *episode* in clinical order, with its part in *decision*."""
    current = current_facts(episode.facts)
    counting: Mapping[tuple[str, str], Fact] = {f.identity: f for f in (*current.surveys, *current.treatments)}
    standing_treatments = current.standing_treatments
    # At one instant a survey stands before a treatment, as it counts: it may be that treatment's baseline.
    in_order = sorted(
        episode.facts, key=lambda f: (f.occurred_at.epoch_us, f.identity, f.version, f.source, f.event_id)
    )
    return tuple(
        FactExplanation(
            fact,
            _part(fact, counting[fact.identity], decision, policy, standing_treatments),
            contested=(fact.source, fact.event_id) in episode.contested,
        )
        for fact in in_order
    )


def is_repetition(fact: Fact, other: Fact) -> bool:
    """Whether two facts say the same, in two transport events."""
    return replace(fact, source=other.source, event_id=other.event_id) == other


def _part(
    fact: Fact,
    counting: Fact,
    decision: Coded | NotCoded,
    policy: Policy,
    standing_treatments: Sequence[Treatment],
) -> Part:
    if fact != counting:
        return Part(Standing.SUPERSEDED, None, _why_superseded(fact, counting))
    if fact.status is RecordStatus.ENTERED_IN_ERROR:
        return Part(Standing.RETRACTED, None, "entered in error")
    if isinstance(fact, Treatment):
        return _treatment_part(fact, decision.findings, policy)
    scale = (fact.instrument, fact.instrument_version)
    finding = next(f for f in decision.findings if (f.instrument, f.instrument_version) == scale)
    return _survey_part(fact, finding, policy, standing_treatments)


def _why_superseded(fact: Fact, counting: Fact) -> str:
    if counting.version > fact.version:
        return f"version {counting.version} counts"
    if is_repetition(fact, counting):
        return f"event {counting.event_id} of {counting.source} says the same"
    return f"event {counting.event_id} of {counting.source} says otherwise under this version, and counts"


# ---------------------------------------------------------------------------------------------
# Surveys
# ---------------------------------------------------------------------------------------------
def _survey_part(survey: Survey, finding: Finding, policy: Policy, standing: Sequence[Treatment]) -> Part:
    rules = finding.rules
    if finding.missing is not None and finding.missing.reason is Reason.INSTRUMENT_NOT_IN_POLICY:
        return Part(Standing.EXCLUDED, None, f"the policy does not take {survey.instrument}")
    excluded = exclusion(survey, rules)
    if excluded is not None:
        return Part(Standing.EXCLUDED, None, exclusion_clause(excluded, survey, rules))
    if survey == finding.baseline:
        why = f"the latest survey at or before the anchor, within {days(rules.look_back_days)}"
        return Part(Standing.COUNTS, Role.BASELINE, why)
    instrument = policy.instruments[survey.instrument]
    for comparison in finding.comparisons:
        if survey == comparison.follow_up and finding.baseline is not None:
            role = Role.IMPROVED_FOLLOW_UP if comparison.improved else Role.FOLLOW_UP
            return Part(Standing.COUNTS, role, comparison_clause(comparison, finding.baseline, instrument))
    qualifying = [t for t in standing if rules.qualifies(t)]
    return Part(Standing.COUNTS, None, _why_not_used(survey, finding, qualifying))


def _why_not_used(survey: Survey, finding: Finding, qualifying: Sequence[Treatment]) -> str:
    rules, anchor, completed_us = finding.rules, finding.anchor, survey.completed_at.epoch_us
    look_back = days(rules.look_back_days)
    if not qualifying:
        return "no treatment qualifies, so there is nothing to be before or after"
    if anchor is None:
        if any(t.performed_at.epoch_us >= completed_us for t in qualifying):
            return f"no qualifying treatment follows within {look_back}, so it is no baseline"
        return "after the treatment, with no baseline to compare it with"
    if completed_us > anchor.performed_at.epoch_us:
        elapsed_us = completed_us - last_before_us(completed_us, qualifying)
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
    """The part of a treatment in what was found; where instruments differ, the greatest part."""
    # What came as far as an anchor says more of a treatment than what did not: it goes first among equals.
    parts = [
        _part_by_rules(treatment, f.rules, f.anchor) for f in sorted(findings, key=lambda f: f.anchor is None)
    ] or [_part_by_rules(treatment, policy.rules, None)]
    return min(parts, key=lambda part: (part.role is None, part.standing is Standing.EXCLUDED))


def _part_by_rules(treatment: Treatment, rules: Rules, anchor: Treatment | None) -> Part:
    look_back = days(rules.look_back_days)
    if not rules.qualifies(treatment):
        return Part(Standing.EXCLUDED, None, _why_not_qualifying(treatment, rules))
    if treatment == anchor:
        why = f"the earliest qualifying treatment with a survey at most {look_back} before it"
        return Part(Standing.COUNTS, Role.ANCHOR, why)
    if anchor is not None and treatment.performed_at.epoch_us >= anchor.performed_at.epoch_us:
        return Part(Standing.COUNTS, None, "qualifies: the window of a later follow-up counts from it")
    return Part(Standing.COUNTS, None, f"qualifies, but no survey that counts lies at most {look_back} before it")


def _why_not_qualifying(treatment: Treatment, rules: Rules) -> str:
    for pattern in rules.excluded.patterns:
        if CodeSet([pattern]).matches(treatment.code_system, treatment.code):
            return f"the policy excludes {pattern}"
    return f"{treatment.code_system}:{treatment.code} is not among the policy's qualifying codes"
