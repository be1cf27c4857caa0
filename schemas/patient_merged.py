"""Two patient ids turned out to be one patient's, or the saying so turned out to be wrong."""

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from schemas.fields import Identifier, Instant
from schemas.vocabulary import PatientMergeAction


class PatientMerged(BaseModel):
    """One merge of patient ids, as a record of the topic ``patient-merged``.

    After HL7 v2 ADT^A40: PID-3 survives, MRG-1 is merged into it. Fields that are not named here are ignored, so that
    a producer may move first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_id: Identifier
    source: Identifier
    surviving_patient_id: Identifier
    merged_patient_id: Identifier
    merged_at: Instant
    action: PatientMergeAction = PatientMergeAction.MERGE

    @model_validator(mode="after")
    def _names_two_patients(self) -> Self:
        if self.surviving_patient_id == self.merged_patient_id:
            code, message = "one_patient", "surviving_patient_id and merged_patient_id must be two ids"
            raise PydanticCustomError(code, message)
        return self
