"""A treatment was given, or its record was corrected."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.fields import (
    DIAGNOSES_MAX,
    MODIFIERS_MAX,
    DiagnosisCode,
    Identifier,
    Instant,
    Modifier,
    OptionalIdentifier,
    RecordVersion,
)
from schemas.vocabulary import RecordStatus, TreatmentCodeSystem


class TreatmentRecorded(BaseModel):
    """One version of one treatment, as a record of the topic ``treatment-recorded``.

    Fields that are not named here are ignored, so that a producer may move first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_id: Identifier
    source: Identifier
    treatment_id: Identifier
    version: RecordVersion = 1
    status: RecordStatus = RecordStatus.COMPLETED
    episode_id: Identifier
    patient_id: Identifier
    code: Identifier
    code_system: TreatmentCodeSystem = TreatmentCodeSystem.HCPCS
    modifiers: Annotated[tuple[Modifier, ...], Field(max_length=MODIFIERS_MAX)] = ()
    performed_at: Instant
    encounter_id: OptionalIdentifier = None
    facility_id: OptionalIdentifier = None
    payer_id: OptionalIdentifier = None
    rendering_npi: OptionalIdentifier = None
    place_of_service: OptionalIdentifier = None
    diagnoses: Annotated[tuple[DiagnosisCode, ...], Field(max_length=DIAGNOSES_MAX)] = ()
    moved_from_episode_id: OptionalIdentifier = None
    """The episode that an earlier version was linked to, where it is another: this version takes it out of there."""
