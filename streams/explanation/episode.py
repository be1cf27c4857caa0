"""Everything there is to say about one episode: its facts, what was found in them, and what billing was told.

Pure: the decision is made anew from the facts, by the policy that is given; nothing is looked up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.vocabulary import QualityDataCode
from streams.domain.coder import CodedEpisode
from streams.domain.coding import Coding, coding_of, decimal_text
from streams.domain.decision import Coded, Comparison, Finding, NotCoded, decide
from streams.domain.episode import CurrentFacts, current_facts
from streams.domain.fact import Survey
from streams.domain.ledger import Ledger
from streams.domain.missing import Missing, Reason
from streams.domain.policy import Policy
from streams.explanation.agreement import Agreement, agreement
from streams.explanation.facts import FactExplanation, explain_facts
from streams.explanation.faults import sender_faults
from streams.explanation.sentences import (
    comparison_clause,
    improvement_clause,
    missing_sentence,
    scale_name,
    score_text,
)
from streams.explanation.verdicts import RuleVerdict, Verdict, finding_verdicts, payer_verdicts, what_would_change


@dataclass(frozen=True, slots=True)
class FindingExplanation:
    """How far one instrument came, and in a sentence, why no further."""

    finding: Finding
    sentence: str
    rules: tuple[RuleVerdict, ...]
    """Each stage of the decision with its verdict."""
    would_change: str | None
    """What would change the finding, in dates and scores; None where nothing is missing, or the sentence says it."""

    @property
    def scale(self) -> str:
        """The instrument, with its version where it has one."""
        return scale_name(self.finding.instrument, self.finding.instrument_version)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        finding = self.finding
        return {
            "instrument": finding.instrument,
            "instrument_version": finding.instrument_version,
            "program": finding.program.id if finding.program is not None else None,
            "anchor": finding.anchor.treatment_id if finding.anchor is not None else None,
            "baseline": _survey_json(finding.baseline) if finding.baseline is not None else None,
            "comparisons": [_comparison_json(comparison) for comparison in finding.comparisons],
            "missing": _missing_json(finding.missing),
            "sentence": self.sentence,
            "would_change": self.would_change,
            "rules": [rule.as_json() for rule in self.rules],
        }


@dataclass(frozen=True, slots=True)
class EpisodeExplanation:
    """Why an episode is coded as it is."""

    episode_id: str
    policy: tuple[str, str]
    """Id and version of the policy that it was decided by just now."""
    decision: Coded | NotCoded
    sentence: str
    """The decision in words: what the code rests on, or what is missing."""
    would_change: str | None
    """What would bring a code, in dates and scores; None where there is one, or the sentence says it."""
    rules: tuple[RuleVerdict, ...]
    """Each rule that the decision came to, with its verdict, of the instrument that it rests on."""
    facts: tuple[FactExplanation, ...]
    """In clinical order."""
    findings: tuple[FindingExplanation, ...]
    """In the policy's instrument order."""
    events: tuple[dict[str, Any], ...]
    """Every coding event that was published, oldest first, as JSON values."""
    agreement: Agreement
    warnings: tuple[str, ...]
    """What the senders should mend."""
    survivors: Mapping[str, str]
    """For each patient of the facts who was merged into another: that one."""

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        decision = self.decision
        return {
            "episode_id": self.episode_id,
            "policy": {"id": self.policy[0], "version": self.policy[1]},
            "decision": {
                "code": decision.code.value if isinstance(decision, Coded) else None,
                "missing": _missing_json(decision.missing if isinstance(decision, NotCoded) else None),
                "sentence": self.sentence,
                "would_change": self.would_change,
                "rules": [rule.as_json() for rule in self.rules],
            },
            "facts": [fact.as_json() for fact in self.facts],
            "findings": [finding.as_json() for finding in self.findings],
            "coding_events": list(self.events),
            "ledger": self.agreement.as_json(),
            "warnings": list(self.warnings),
            "merged_patients": dict(self.survivors),
        }


def explain_episode(episode_id: str, coded: CodedEpisode, policy: Policy, *, as_of_ms: int = 0) -> EpisodeExplanation:
    """Explain an episode as it is known, by *policy*.

    Args:
        episode_id: Its id.
        coded: Its facts, and what billing was told of it.
        policy: What to decide by; the worker may have decided by another.
        as_of_ms: What time it is where the episode is at home, by its ticks.
    """
    decision = decide(coded.episode.facts, policy, as_of_ms)
    facts = explain_facts(coded.episode, decision, policy)
    survivors = dict(coded.survivors)
    coding = coding_of(decision, policy, survivors) if isinstance(decision, Coded) else None
    current = current_facts(coded.episode.facts)
    findings = tuple(_explain_finding(finding, policy, current) for finding in decision.findings)
    decisive = _decisive(decision, findings)
    return EpisodeExplanation(
        episode_id=episode_id,
        policy=(policy.id, policy.version),
        decision=decision,
        sentence=_decision_sentence(decision, policy),
        would_change=_would_change(decision, decisive),
        rules=_rules(decision, decisive, coding, coded.ledger, policy),
        facts=facts,
        findings=findings,
        events=tuple(coded.ledger.events(episode_id)),
        agreement=agreement(coded.ledger, coding, policy),
        warnings=sender_faults(facts, survivors),
        survivors=survivors,
    )


def _decision_sentence(decision: Coded | NotCoded, policy: Policy) -> str:
    if isinstance(decision, NotCoded):
        # The decision lacks what its furthest finding lacks; without a survey there is no finding.
        finding = next((f for f in decision.findings if f.missing == decision.missing), None)
        return missing_sentence(decision.missing, policy, finding)
    comparison, instrument = decision.comparison, decision.instrument
    scale = scale_name(instrument.id, decision.baseline.instrument_version)
    if comparison is None:
        return (
            f"No follow-up on {scale} is known, and the window closed on {decision.served_at.local_date}: one that was "
            "answered in it still counts, however late it is sent."
        )
    clause = comparison_clause(comparison, decision.baseline, instrument)
    return f"The follow-up on {scale} scored {score_text(comparison.follow_up)}: {clause}."


def _would_change(decision: Coded | NotCoded, decisive: FindingExplanation | None) -> str | None:
    if decisive is None or isinstance(decision, Coded) or decision.closes_at is None:
        return decisive.would_change if decisive is not None and isinstance(decision, NotCoded) else None
    closes = f"If none comes, {QualityDataCode.RESULTS_NOT_AVAILABLE} is coded after {decision.closes_at.local_date}."
    return f"{decisive.would_change} {closes}" if decisive.would_change is not None else closes


def _explain_finding(finding: Finding, policy: Policy, current: CurrentFacts) -> FindingExplanation:
    rules = finding_verdicts(finding, policy, current)
    if finding.missing is not None:
        sentence = missing_sentence(finding.missing, policy, finding)
        return FindingExplanation(
            finding, sentence, rules, what_would_change(finding.missing, finding, policy, current)
        )
    improved_count, count = sum(c.improved for c in finding.comparisons), len(finding.comparisons)
    improved_is = improvement_clause(finding.rules, policy.instruments[finding.instrument])
    return FindingExplanation(finding, f"{improved_count} of {count} follow-ups improved: {improved_is}.", rules, None)


def _decisive(decision: Coded | NotCoded, findings: Sequence[FindingExplanation]) -> FindingExplanation | None:
    """The finding that the decision rests on; None where no survey is known."""
    if isinstance(decision, Coded):
        return next(f for f in findings if _rests_on(decision, f.finding))
    # The decision lacks what its furthest finding lacks, unless that has earned a code that is not published.
    lacking = [f for f in findings if f.finding.missing == decision.missing]
    return next(iter([*lacking, *(f for f in findings if f.finding.missing is None)]), None)


def _rests_on(decision: Coded, finding: Finding) -> bool:
    if decision.comparison is not None:
        return decision.comparison in finding.comparisons
    return (finding.baseline, finding.closes_at) == (decision.baseline, decision.closed_at)


def _rules(
    decision: Coded | NotCoded,
    decisive: FindingExplanation | None,
    coding: Coding | None,
    ledger: Ledger,
    policy: Policy,
) -> tuple[RuleVerdict, ...]:
    if decisive is None or isinstance(decision, Coded) or decision.missing.reason is Reason.CODE_NOT_PUBLISHED:
        told = _decision_rule(decision, decisive, policy)
    else:
        told = ()
    known = decisive.rules if decisive is not None else ()
    return (*known, *told, *(payer_verdicts(coding, ledger, policy) if coding is not None else ()))


def _decision_rule(
    decision: Coded | NotCoded, decisive: FindingExplanation | None, policy: Policy
) -> tuple[RuleVerdict, ...]:
    """What the decision adds to the finding that it rests on."""
    if isinstance(decision, Coded):
        return (RuleVerdict("published code", Verdict.MET, f"The policy publishes {decision.code}."),)
    finding = decisive.finding if decisive is not None else None
    told = RuleVerdict(
        _rule_name(decision.missing), Verdict.NOT_MET, missing_sentence(decision.missing, policy, finding)
    )
    return (told,) if finding is not None else (RuleVerdict("survey", Verdict.NOT_MET, "No survey is known."), told)


def _rule_name(missing: Missing) -> str:
    return "published code" if missing.reason is Reason.CODE_NOT_PUBLISHED else missing.stage.value


def _missing_json(missing: Missing | None) -> dict[str, str] | None:
    return {"stage": missing.stage.value, "reason": missing.reason.value} if missing is not None else None


def _survey_json(survey: Survey) -> dict[str, Any]:
    return {
        "survey_id": survey.survey_id,
        "version": survey.version,
        "score": score_text(survey),
        "completed_at": str(survey.completed_at),
    }


def _comparison_json(comparison: Comparison) -> dict[str, Any]:
    threshold = comparison.threshold
    return {
        "follow_up": _survey_json(comparison.follow_up),
        "change": decimal_text(comparison.change),
        "threshold": decimal_text(threshold) if threshold is not None else None,
        "improved": comparison.improved,
    }
