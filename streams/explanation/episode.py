"""Everything there is to say about one episode: its facts, what was found in them, and what billing was told.

Pure: the decision is made anew from the facts, by the policy that is given; nothing is looked up.
"""

from dataclasses import dataclass
from typing import Any

from streams.domain.coder import CodedEpisode
from streams.domain.coding import coding_of, decimal_text
from streams.domain.decision import Coded, Comparison, Finding, NotCoded, decide
from streams.domain.fact import Survey
from streams.domain.missing import Missing
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


@dataclass(frozen=True, slots=True)
class FindingExplanation:
    """How far one instrument came, and in a sentence, why no further."""

    finding: Finding
    sentence: str

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
    facts: tuple[FactExplanation, ...]
    """In clinical order."""
    findings: tuple[FindingExplanation, ...]
    """In the policy's instrument order."""
    events: tuple[dict[str, Any], ...]
    """Every coding event that was published, oldest first, as JSON values."""
    agreement: Agreement
    warnings: tuple[str, ...]
    """What the senders should mend."""

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
            },
            "facts": [fact.as_json() for fact in self.facts],
            "findings": [finding.as_json() for finding in self.findings],
            "coding_events": list(self.events),
            "ledger": self.agreement.as_json(),
            "warnings": list(self.warnings),
        }


def explain_episode(episode_id: str, coded: CodedEpisode, policy: Policy) -> EpisodeExplanation:
    """Explain an episode as it is known, by *policy*.

    Args:
        episode_id: Its id.
        coded: Its facts, and what billing was told of it.
        policy: What to decide by; the worker may have decided by another.
    """
    decision = decide(coded.episode.facts, policy)
    facts = explain_facts(coded.episode, decision, policy)
    coding = coding_of(decision, policy) if isinstance(decision, Coded) else None
    return EpisodeExplanation(
        episode_id=episode_id,
        policy=(policy.id, policy.version),
        decision=decision,
        sentence=_decision_sentence(decision, policy),
        facts=facts,
        findings=tuple(_explain_finding(finding, policy) for finding in decision.findings),
        events=tuple(coded.ledger.events(episode_id)),
        agreement=agreement(coded.ledger, coding, policy),
        warnings=sender_faults(facts),
    )


def _decision_sentence(decision: Coded | NotCoded, policy: Policy) -> str:
    if isinstance(decision, NotCoded):
        # The decision lacks what its furthest finding lacks; without a survey there is no finding.
        finding = next((f for f in decision.findings if f.missing == decision.missing), None)
        return missing_sentence(decision.missing, policy, finding)
    comparison, instrument = decision.comparison, decision.instrument
    scale = scale_name(instrument.id, decision.baseline.instrument_version)
    clause = comparison_clause(comparison, decision.baseline, instrument)
    return f"The follow-up on {scale} scored {score_text(comparison.follow_up)}: {clause}."


def _explain_finding(finding: Finding, policy: Policy) -> FindingExplanation:
    if finding.missing is not None:
        return FindingExplanation(finding, missing_sentence(finding.missing, policy, finding))
    improved_count, count = sum(c.improved for c in finding.comparisons), len(finding.comparisons)
    improved_is = improvement_clause(finding.rules, policy.instruments[finding.instrument])
    return FindingExplanation(finding, f"{improved_count} of {count} follow-ups improved: {improved_is}.")


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
