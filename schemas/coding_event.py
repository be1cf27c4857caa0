"""Billing is told of a code: a new one, another in its place, or none any more."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from schemas.fields import ExactDecimal, Identifier, Instant, Modifier, RecordVersion
from schemas.vocabulary import Channel, CodingAction, QualityDataCode


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class CodedInstrument(_Message):
    """The instrument that both surveys were answered on."""

    id: Identifier
    version: Identifier | None
    direction: Literal["increase", "decrease"]
    """Which way better is: FHIR's improvement notation."""
    loinc: str | None


class CodedSurvey(_Message):
    """A survey that the decision rests on."""

    survey_id: Identifier
    version: RecordVersion
    score: ExactDecimal
    completed_at: Instant


class CodedTreatment(_Message):
    """The anchor: the treatment that the decision rests on, with its own modifiers."""

    treatment_id: Identifier
    code: Identifier
    modifiers: tuple[Modifier, ...]
    performed_at: Instant


class CodedPolicy(_Message):
    """The rules that were in force."""

    id: Identifier
    version: Identifier


class CodingEvent(_Message):
    """One change of what an episode of care is coded with, as a record of the topic ``coding-events``."""

    event_id: UUID
    action: CodingAction
    revision: RecordVersion
    prior_event_id: UUID | None
    code: QualityDataCode
    code_system: Literal["HCPCS"]
    modifiers: tuple[Modifier, ...]
    units: Literal[1]
    charge: ExactDecimal
    channel: Channel
    episode_id: Identifier
    patient_id: Identifier
    encounter_id: Identifier | None
    payer_id: Identifier | None
    rendering_npi: Identifier | None
    facility_id: Identifier | None
    place_of_service: Identifier | None
    diagnoses: tuple[str, ...]
    service_date: date
    instrument: CodedInstrument
    baseline: CodedSurvey
    followup: CodedSurvey
    treatment: CodedTreatment
    change: ExactDecimal
    threshold: ExactDecimal
    policy: CodedPolicy
    program: Identifier | None = None
    """The program of the policy that narrowed the rules, where one did (added to version 1)."""
    not_available: tuple[str, ...]
    past_filing_limit: bool = False
    """Whether it was decided after the payer's filing limit; only told where it is so (added in version 1.1.0)."""
    decided_at: Instant

    @property
    def has_followup(self) -> bool:
        """Whether a follow-up came; where none did (G9604), the baseline stands in its place."""
        return self.code is not QualityDataCode.RESULTS_NOT_AVAILABLE
