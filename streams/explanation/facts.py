"""The facts of an episode in clinical order, each with its part: nothing that was sent goes unexplained."""

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from streams.domain.decision import Coded, NotCoded
from streams.domain.episode import Episode, current_facts
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.policy import Policy
from streams.explanation.parts import Part, Standing, part_of
from streams.explanation.sentences import score_text


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
            "moved_from_episode_id": fact.moved_from_episode_id,
            "moved_to_episode_id": fact.moved_to_episode_id,
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
    """Every fact of *episode* in clinical order, with its part in *decision*, which was made by *policy*."""
    current = current_facts(episode.facts)
    counting: list[Fact] = [*current.surveys, *current.treatments]
    by_identity = {fact.identity: fact for fact in counting}
    explained = []
    for fact in sorted(episode.facts, key=_clinical_order):
        counts = by_identity[fact.identity]
        part = part_of(fact, decision, policy, current) if fact == counts else _superseded(fact, counts)
        contested = (fact.source, fact.event_id) in episode.contested
        explained.append(FactExplanation(fact, part, contested))
    return tuple(explained)


def is_repetition(fact: Fact, other: Fact) -> bool:
    """Whether two facts say the same, in two transport events."""
    return replace(fact, source=other.source, event_id=other.event_id) == other


def _clinical_order(fact: Fact) -> tuple[int, tuple[str, str], int, str, str]:
    # At one instant a survey stands before a treatment, as it counts: it may be that treatment's baseline.
    return fact.occurred_at.epoch_us, fact.identity, fact.version, fact.source, fact.event_id


def _superseded(fact: Fact, counts: Fact) -> Part:
    if counts.version > fact.version:
        why = f"version {counts.version} counts"
    elif is_repetition(fact, counts):
        why = f"event {counts.event_id} of {counts.source} says the same"
    else:
        why = f"event {counts.event_id} of {counts.source} says otherwise under this version, and counts"
    return Part(Standing.SUPERSEDED, None, why)
