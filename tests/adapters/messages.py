"""Facts as FHIR and HL7 v2 tell them: an episode that was written in a line, in the words of an interface engine."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson

from schemas.vocabulary import RecordStatus, Respondent, TreatmentCodeSystem
from streams.adapters.fhir.datatypes import CPT, EPISODE_OF_CARE, ICD_10_CM, LOINC, SNOMED_CT
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.instant import Instant
from tests.policies_for_tests import INSTRUMENTS

PATIENT_ID = "patient-1"
PAYER = "Aetna"
PAYER_IDS = "urn:oid:2.16.840.1.113883.19.9603"
"""The system of payers' identifiers in the mapping of the golden files."""
DIAGNOSIS = "M54.50"

_OBSERVATION_STATUS = {RecordStatus.COMPLETED: "final"}
_RESULT_STATUS = {RecordStatus.COMPLETED: "F", RecordStatus.AMENDED: "C", RecordStatus.ENTERED_IN_ERROR: "D"}
_SENT = datetime(2026, 1, 1, tzinfo=UTC)
"""Of version 0 in HL7 v2; each later one is sent a day later."""


def fhir_message(fact: Fact, episode_id: str) -> bytes:
    """A Bundle with the resource that tells *fact*, and the patient's coverage."""
    resource = _observation(fact) if isinstance(fact, Survey) else _procedure(fact)
    resource |= {
        "meta": {"versionId": str(fact.version)},
        "extension": [{"url": EPISODE_OF_CARE, "valueReference": {"reference": f"EpisodeOfCare/{episode_id}"}}],
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
    }
    coverage = {
        "resourceType": "Coverage",
        "status": "active",
        "beneficiary": {"reference": f"Patient/{PATIENT_ID}"},
        "payor": [{"display": PAYER, "identifier": {"system": PAYER_IDS, "value": PAYER}}],
    }
    entries = [{"resource": resource}, {"resource": coverage}]
    return orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def hl7v2_message(fact: Fact, episode_id: str) -> bytes:
    """An ORU^R01 or a DFT^P03 that tells *fact*."""
    sent_at = _ts(_SENT + timedelta(days=fact.version))
    kind = "ORU^R01^ORU_R01" if isinstance(fact, Survey) else "DFT^P03^DFT_P03"
    visit = f"PV1|1|O{'|' * 48}{episode_id}"
    head = [f"MSH|^~\\&|EHR||||{sent_at}||{kind}|{fact.event_id}|P|2.5.1"]
    if isinstance(fact, Survey):
        body = [f"PID|1||{PATIENT_ID}||^^^^^^U", visit, *_result(fact, sent_at)]
    else:
        body = [f"EVN|P03|{sent_at}", f"PID|1||{PATIENT_ID}||^^^^^^U", visit, _transaction(fact)]
    return "".join(f"{segment}\r" for segment in head + body).encode()


def _observation(survey: Survey) -> dict[str, Any]:
    loinc = INSTRUMENTS[survey.instrument].loinc_for(survey.instrument_version)
    answering = "RelatedPerson/daughter" if survey.respondent is Respondent.PROXY else f"Patient/{PATIENT_ID}"
    return {
        "resourceType": "Observation",
        "id": survey.survey_id.removeprefix("#"),
        "status": _OBSERVATION_STATUS.get(survey.status, survey.status),
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "performer": [{"reference": answering}],
        "effectiveDateTime": _local(survey.completed_at).isoformat(),
        "valueQuantity": {"value": float(survey.score or 0)},
    }


def _procedure(treatment: Treatment) -> dict[str, Any]:
    system = SNOMED_CT if treatment.code_system is TreatmentCodeSystem.SNOMED_CT else CPT
    return {
        "resourceType": "Procedure",
        "id": treatment.treatment_id.removeprefix("#"),
        "status": treatment.status,
        "code": {"coding": [{"system": system, "code": treatment.code}]},
        "performedDateTime": _local(treatment.performed_at).isoformat(),
        "reasonCode": [{"coding": [{"system": ICD_10_CM, "code": DIAGNOSIS}]}],
    }


def _result(survey: Survey, changed_at: str) -> list[str]:
    loinc = INSTRUMENTS[survey.instrument].loinc_for(survey.instrument_version)
    at, status = _ts(_local(survey.completed_at)), _RESULT_STATUS[survey.status]
    score = "" if survey.status is RecordStatus.ENTERED_IN_ERROR else survey.score
    return [
        f"OBR|1||{survey.survey_id}|{loinc}^^LN|||{at}{'|' * 15}{changed_at}|||F",
        f"OBX|1|NM|{loinc}^^LN||{score}||||||{status}|||{at}",
    ]


def _transaction(treatment: Treatment) -> str:
    kind = "CD" if treatment.status is RecordStatus.ENTERED_IN_ERROR else "CG"
    system = "SCT" if treatment.code_system is TreatmentCodeSystem.SNOMED_CT else "C4"
    code, at = f"{treatment.code}^^{system}", _ts(_local(treatment.performed_at))
    return f"FT1|1|{treatment.treatment_id}||{at}|{at}|{kind}|{code}|||1||||{PAYER}|||||{DIAGNOSIS}^^I10C||||||{code}"


def _local(instant: Instant) -> datetime:
    zone = timezone(timedelta(minutes=instant.utc_offset_minutes))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant.epoch_us)).astimezone(zone)


def _ts(at: datetime) -> str:
    return f"{at:%Y%m%d%H%M%S%z}"
