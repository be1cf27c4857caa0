"""A patient answered a survey, or an answer was corrected."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.fields import (
    ANSWERS_MAX,
    Answer,
    ExactDecimal,
    Identifier,
    Instant,
    OptionalIdentifier,
    RecordVersion,
)
from schemas.vocabulary import RecordStatus, Respondent


class SurveyCompleted(BaseModel):
    """One version of one survey result, as a record of the topic ``survey-completed``.

    Either ``score`` or ``answers`` is given; where both are, they must agree (checked at intake, where
    the instrument is known). Fields that are not named here are ignored, so that a producer may move first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_id: Identifier
    source: Identifier
    survey_id: Identifier
    version: RecordVersion = 1
    status: RecordStatus = RecordStatus.COMPLETED
    episode_id: Identifier
    patient_id: Identifier
    instrument: Identifier
    instrument_version: OptionalIdentifier = None
    score: ExactDecimal | None = None
    answers: Annotated[tuple[Answer | None, ...], Field(max_length=ANSWERS_MAX)] | None = None
    completed_at: Instant
    respondent: Respondent = Respondent.PATIENT
    encounter_id: OptionalIdentifier = None
    facility_id: OptionalIdentifier = None
    payer_id: OptionalIdentifier = None
    rendering_npi: OptionalIdentifier = None
    place_of_service: OptionalIdentifier = None
    moved_from_episode_id: OptionalIdentifier = None
    """The episode that an earlier version was linked to, where it is another: this version takes it out of there."""

    @model_validator(mode="after")
    def _has_a_score_or_answers(self) -> Self:
        if self.score is None and self.answers is None:
            code, message = "score_missing", "One of score and answers is required"
            raise PydanticCustomError(code, message)
        return self
