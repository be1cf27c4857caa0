"""How a fact is written on the bus: the contract's JSON, in its system's envelope and under its key."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

import orjson

from streams.demo.health_system.clinics import Envelope, KeyChoice, ScoreForm, SendingSystem
from streams.demo.health_system.delivery import RecordKind, Sending
from streams.demo.health_system.facts import Fact, Patient, Survey, Treatment, Visit

Topic: TypeAlias = Literal["survey-completed", "treatment-recorded"]
Body: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class InputRecord:
    """One record for an input topic, as bytes; the topic's name is without the prefix."""

    topic: Topic
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    kind: RecordKind
    """What it is, for the demo's statistics; nothing of it is in the bytes."""


def write_record(sending: Sending, event_id: str) -> InputRecord:
    """Write a sending as the record that its system would produce."""
    fact = sending.fact
    topic, system = addressed(fact)
    data = write_body(fact, event_id)
    attributes = _cloudevent_attributes(topic, system, event_id, sending.sent_at)
    headers: tuple[tuple[str, bytes], ...] = ()
    value = data
    match system.envelope:
        case Envelope.BARE:
            pass
        case Envelope.BINARY:
            named = ((f"ce_{name}", text.encode()) for name, text in attributes.items())
            headers = (*named, ("content-type", b"application/json; charset=utf-8"))
        case Envelope.STRUCTURED:
            value = {**attributes, "datacontenttype": "application/json", "data": data}
            headers = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    return InputRecord(topic, record_key(fact), orjson.dumps(value), headers, sending.kind)


def addressed(fact: Fact) -> tuple[Topic, SendingSystem]:
    """Say to which topic a fact goes, and which system sends it."""
    region = fact.patient.region
    if isinstance(fact, Survey):
        return "survey-completed", region.surveys_from
    return "treatment-recorded", region.treatments_from


def record_key(fact: Fact) -> bytes | None:
    """Key a record as its system does."""
    match addressed(fact)[1].key:
        case KeyChoice.EPISODE:
            return fact.patient.episode_id.encode()
        case KeyChoice.PATIENT:
            return fact.patient.patient_id.encode()
        case KeyChoice.NOTHING:
            return None


def write_body(fact: Fact, event_id: str) -> Body:
    """Write the contract's object."""
    system = addressed(fact)[1]
    body: Body = {
        "event_id": event_id,
        "source": system.source,
        "episode_id": fact.patient.episode_id,
        "patient_id": fact.patient.patient_id,
        "version": fact.version,
        "status": fact.status,
        **(_survey_fields(fact, system.score_form) if isinstance(fact, Survey) else _treatment_fields(fact)),
    }
    return body | _visit_fields(fact.patient, fact.visit) if system.knows_visits else body


def _survey_fields(survey: Survey, form: ScoreForm) -> Body:
    return {
        "survey_id": survey.survey_id,
        "instrument": survey.instrument.id,
        "instrument_version": survey.instrument_version,
        **_result_fields(survey.score, survey.answers, form),
        "completed_at": survey.completed_at.isoformat(),
        "respondent": survey.respondent,
    }


def _result_fields(score: Decimal | None, answers: tuple[int | None, ...] | None, form: ScoreForm) -> Body:
    """Write the result as the system likes to, as far as the instrument and the patient let it."""
    if score is None:
        return {"answers": answers}
    number = int(score) if score == score.to_integral_value() else float(score)
    match form:
        case ScoreForm.TEXT:
            return {"score": str(score)}
        case ScoreForm.ANSWERS if answers:
            return {"answers": answers}
        case ScoreForm.NUMBER_AND_ANSWERS if answers:
            return {"score": number, "answers": answers}
        case _:
            return {"score": number}


def _treatment_fields(treatment: Treatment) -> Body:
    return {
        "treatment_id": treatment.treatment_id,
        "code": treatment.code,
        "code_system": treatment.code_system,
        "modifiers": treatment.modifiers,
        "performed_at": treatment.performed_at.isoformat(),
        "diagnoses": treatment.patient.presentation.diagnoses,
    }


def _visit_fields(patient: Patient, visit: Visit) -> Body:
    return {
        "encounter_id": visit.encounter_id,
        "facility_id": patient.region.facility_id(visit.site),
        "payer_id": patient.payer_id,
        "rendering_npi": patient.npi,
        "place_of_service": visit.place_of_service,
    }


def _cloudevent_attributes(topic: Topic, system: SendingSystem, event_id: str, sent_at: datetime) -> dict[str, str]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": system.source,
        "type": f"health-system.{topic}",
        "time": sent_at.astimezone(UTC).isoformat(),
    }
