"""Treatments in FHIR: a Procedure."""

from schemas.vocabulary import RecordStatus, TreatmentCodeSystem
from streams.adapters.adaptation import NOT_FINAL, Fields, transport
from streams.adapters.fhir.datatypes import CPT, HCPCS, ICD_10_CM, SNOMED_CT, CodeableConcept, Condition, Procedure
from streams.adapters.fhir.message import Message, Placed
from streams.adapters.fhir.moments import moment, version_of
from streams.adapters.fhir.surroundings import EPISODE, Surroundings
from streams.adapters.times import Times

PROCEDURE = {
    "treatment_id": "id",
    "episode_id": EPISODE,
    "patient_id": "subject",
    "code": "code in CPT, HCPCS or SNOMED CT",
    "performed_at": "performedDateTime or performedPeriod.start with a time and an offset",
}
"""What a Procedure must tell, and where."""

_STATUS = {
    "completed": RecordStatus.COMPLETED,
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
    "not-done": RecordStatus.ENTERED_IN_ERROR,
}
"""hl7.org/fhir/R4/valueset-event-status.html; the others are not, or not yet, done."""
_CODE_SYSTEMS = (
    (CPT, TreatmentCodeSystem.HCPCS),
    (HCPCS, TreatmentCodeSystem.HCPCS),
    (SNOMED_CT, TreatmentCodeSystem.SNOMED_CT),
)
"""Those that a treatment may be coded in; the first that is given counts."""


class Treatments:
    """Reads treatments.

    Args:
        source: The sending system.
        times: How its times are read.
    """

    def __init__(self, source: str, times: Times) -> None:
        self._source = source
        self._times = times

    def of_procedure(self, message: Message, around: Surroundings, placed: Placed[Procedure]) -> Fields | str:
        """The fields of a `TreatmentRecorded`, or why there is none.

        Raises:
            FaultError: What is told cannot be one.
        """
        told = placed.resource
        status = _STATUS.get(told.status)
        if status is None:
            return NOT_FINAL
        code, system = _coded(told.code)
        # What takes an hour treats from its beginning: a survey in its midst is no baseline.
        begun = told.performed_date_time or told.performed_period.start
        return {
            **transport(self._source, placed.id, version_of(told.meta), status),
            "treatment_id": placed.id,
            "code": code,
            "code_system": system,
            "performed_at": moment(begun, self._times, self._times.treatment_day),
            "diagnoses": _diagnoses(message, placed) or None,
            **around.of(placed, on=begun or ""),
        }


def _coded(concept: CodeableConcept) -> tuple[str | None, TreatmentCodeSystem | None]:
    for url, system in _CODE_SYSTEMS:
        for code in concept.codes(url):
            return code, system
    return None, None


def _diagnoses(message: Message, placed: Placed[Procedure]) -> list[str]:
    """The ICD-10-CM codes among the reasons, each once."""
    conditions = [message.referenced(reference, placed, Condition) for reference in placed.resource.reason_reference]
    reasons = [*placed.resource.reason_code, *(found.resource.code for found in conditions if found is not None)]
    return list(dict.fromkeys(code for reason in reasons for code in reason.codes(ICD_10_CM)))
