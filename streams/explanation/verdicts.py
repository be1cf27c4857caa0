"""Each rule with its verdict: what an instrument of an episode met, what it did not, and what it never came to.

The stages are those of the decision (`streams.domain.decision`), in its order; behind them, what a payer asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from schemas.vocabulary import Channel
from streams.domain.coding import Coding, decimal_text
from streams.domain.decision import Finding
from streams.domain.episode import CurrentFacts
from streams.domain.fact import Survey
from streams.domain.filing_limit import decided_on, last_filing_day
from streams.domain.instant import US_PER_DAY
from streams.domain.instrument import ImprovementNotation
from streams.domain.ledger import Ledger
from streams.domain.missing import STAGES, Missing, Reason, Stage
from streams.domain.policy import PayerRule, Policy
from streams.explanation.sentences import (
    comparison_clause,
    days,
    improvement_clause,
    missing_sentence,
    scale_name,
    score_text,
    window,
)


class Verdict(StrEnum):
    """What became of a rule."""

    MET = "met"
    NOT_MET = "not met"
    NOT_REACHED = "not reached"
    ATTENTION = "needs attention"
    """Nothing that keeps a code back, but somebody must look."""


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """One rule, and how it was answered."""

    rule: str
    verdict: Verdict
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {"rule": self.rule, "verdict": self.verdict.value, "sentence": self.sentence}


def finding_verdicts(finding: Finding, policy: Policy, current: CurrentFacts) -> tuple[RuleVerdict, ...]:
    """The verdict of each stage on one instrument."""
    failed = None if finding.missing is None else STAGES.index(finding.missing.stage)
    verdicts = []
    for index, stage in enumerate(STAGES):
        if failed is None or index < failed:
            verdicts.append(RuleVerdict(stage.value, Verdict.MET, _met(stage, finding, policy, current)))
        elif index == failed and finding.missing is not None:
            told = missing_sentence(finding.missing, policy, finding)
            verdicts.append(RuleVerdict(stage.value, Verdict.NOT_MET, told))
        else:
            verdicts.append(RuleVerdict(stage.value, Verdict.NOT_REACHED, _asked(stage, finding, policy)))
    return tuple(verdicts)


def payer_verdicts(coding: Coding, ledger: Ledger, policy: Policy) -> tuple[RuleVerdict, ...]:
    """What the payer's rule says of a code: how it goes, and by when."""
    rule = policy.payer_rule(coding.payer_id)
    known = coding.payer_id is not None and rule is not policy.other_payer
    payer = coding.payer_id if coding.payer_id is not None else "not told"
    if rule.channel is Channel.HOLD or not known:
        told = f"The payer is {payer}, which the policy does not know by name: by its rule for any other the code goes "
        sentence = f"{told}to {rule.channel}{': a person must look' if rule.channel is Channel.HOLD else ''}."
        return (RuleVerdict("payer", Verdict.ATTENTION, sentence), *_filing(coding, ledger, rule))
    sentence = f"{rule.name} takes the code by {rule.channel}, with a charge of {rule.charge}."
    return (RuleVerdict("payer", Verdict.MET, sentence), *_filing(coding, ledger, rule))


def what_would_change(missing: Missing, finding: Finding, policy: Policy, current: CurrentFacts) -> str | None:
    """What would change a finding, in dates and scores of this episode; None where the rule has said it already."""
    rules, scale = finding.rules, scale_name(finding.instrument, finding.instrument_version)
    qualifying = rules.qualifying_of(current.standing_treatments)
    match missing.stage:
        case Stage.BASELINE if qualifying:
            first = qualifying[0].performed_at
            begin = _later(first.local_date, -rules.look_back_days)
            return f"A survey of {scale} that was answered from {begin} to {first.local_date} would be a baseline."
        case Stage.FOLLOW_UP if qualifying:
            last = qualifying[-1].performed_at.local_date
            begin, end = _later(last, rules.follow_up_from_days), _later(last, rules.follow_up_to_days)
            return f"A survey of {scale} that is answered from {begin} to {end} would be a follow-up."
        case Stage.IMPROVEMENT if missing.reason is Reason.NOT_IMPROVED and finding.baseline is not None:
            return _better_score(finding, finding.baseline, policy)
        case _:
            return None


# ---------------------------------------------------------------------------------------------
# Stages
# ---------------------------------------------------------------------------------------------
def _met(stage: Stage, finding: Finding, policy: Policy, current: CurrentFacts) -> str:
    rules = finding.rules
    baseline, anchor = finding.baseline, finding.anchor
    match stage:
        case Stage.SURVEY:
            return f"The policy takes {finding.instrument}."
        case Stage.TREATMENT:
            count = len(rules.qualifying_of(current.standing_treatments))
            return f"{count} treatment{'s qualify' if count != 1 else ' qualifies'}."
        case Stage.BASELINE if baseline is not None and anchor is not None:
            elapsed = (anchor.performed_at.epoch_us - baseline.completed_at.epoch_us) // US_PER_DAY
            return (
                f"{baseline.survey_id} scored {score_text(baseline)}, {days(elapsed)} before the anchor {anchor.code}; "
                f"the look-back is {days(rules.look_back_days)}."
            )
        case Stage.FOLLOW_UP:
            count = len(finding.comparisons)
            lie = "surveys lie" if count != 1 else "survey lies"
            return f"{count} {lie} in the window: {window(rules)}."
        case Stage.IMPROVEMENT if baseline is not None:
            instrument = policy.instruments[finding.instrument]
            improved = next(c for c in finding.comparisons if c.improved)
            clause = comparison_clause(improved, baseline, instrument)
            return f"{improved.follow_up.survey_id} scored {score_text(improved.follow_up)}: {clause}."
        case _:
            return ""


def _asked(stage: Stage, finding: Finding, policy: Policy) -> str:
    """What a stage would ask for."""
    rules, scale = finding.rules, scale_name(finding.instrument, finding.instrument_version)
    match stage:
        case Stage.SURVEY:
            return f"The policy takes {finding.instrument}."
        case Stage.TREATMENT:
            return "A treatment qualifies."
        case Stage.BASELINE:
            return f"A survey of {scale} lies in the {days(rules.look_back_days)} up to a qualifying treatment."
        case Stage.FOLLOW_UP:
            return f"A survey of {scale} is answered {window(rules)}."
        case Stage.IMPROVEMENT:
            clause = improvement_clause(rules, policy.instruments.get(finding.instrument))
            return f"{clause[0].upper()}{clause[1:]}."


def _better_score(finding: Finding, baseline: Survey, policy: Policy) -> str | None:
    instrument, before = policy.instruments[finding.instrument], baseline.score or Decimal(0)
    threshold = finding.rules.threshold.points(instrument, before)
    if threshold is None:
        return None
    rises = instrument.improvement_notation is ImprovementNotation.INCREASE
    needed = before + threshold if rises else before - threshold
    scale = scale_name(finding.instrument, finding.instrument_version)
    if not instrument.admits(needed) or (not threshold and needed in (instrument.score_min, instrument.score_max)):
        return f"No score of {scale} is so much better than {score_text(baseline)}: the scale ends before."
    way = "above" if rises else "below"
    text = decimal_text(needed)
    asked = f"of {text} or {'more' if rises else 'less'}" if threshold else f"{way} {text}"
    return f"A follow-up on {scale} with a score {asked} would be improved."


def _later(on: date, count: int) -> date:
    """So many days later; a day that no calendar has is told as its first or last."""
    return date.fromordinal(min(max(on.toordinal() + count, date.min.toordinal()), date.max.toordinal()))


# ---------------------------------------------------------------------------------------------
# Filing
# ---------------------------------------------------------------------------------------------
def _filing(coding: Coding, ledger: Ledger, rule: PayerRule) -> Sequence[RuleVerdict]:
    """Whether billing was told in time to file: no clock is read, only when the code was decided."""
    if rule.filing_limit_days is None:
        return ()
    last = last_filing_day(coding.service_date, rule.filing_limit_days)
    limit = f"{rule.name} takes claims for {days(rule.filing_limit_days)} after the service date: until {last}."
    if not ledger.entries or ledger.active != coding:
        return (RuleVerdict("filing limit", Verdict.NOT_REACHED, limit),)
    told = decided_on(ledger.entries[-1].decided_at_ms)
    if told > last:
        sentence = f"{limit} The code was decided on {told}, past the limit."
        return (RuleVerdict("filing limit", Verdict.ATTENTION, sentence),)
    return (RuleVerdict("filing limit", Verdict.MET, f"{limit} The code was decided on {told}."),)
