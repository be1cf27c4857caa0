"""A survey, a treatment and a merge as the contract has them, ways to send them, and what the decoder makes of them."""

from typing import Any

import orjson
import pytest

from streams.domain.fact import Survey
from streams.domain.instant import Instant
from streams.intake.cloudevents import Headers
from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError, RejectionReason
from tests.policies_for_tests import INSTRUMENTS

DECODER = Decoder(INSTRUMENTS)
COMPLETED_AT = Instant(1_741_183_205_250_000, -300)

# What the contract requires, and nothing else.
SURVEY = {
    "event_id": "event-1",
    "source": "tablet",
    "survey_id": "survey-1",
    "episode_id": "episode-1",
    "patient_id": "patient-1",
    "instrument": "odi",
    "completed_at": "2025-03-05T09:00:05.25-05:00",
}
SCORED = {**SURVEY, "score": 42.5}
TREATMENT = {
    "event_id": "event-2",
    "source": "ehr",
    "treatment_id": "treatment-1",
    "episode_id": "episode-1",
    "patient_id": "patient-1",
    "code": "97110",
    "performed_at": "2025-01-15T12:00:00Z",
}
MERGE = {
    "event_id": "event-3",
    "source": "registration",
    "surviving_patient_id": "patient-1",
    "merged_patient_id": "patient-2",
    "merged_at": "2025-02-01T08:00:00-05:00",
}
ODI_HALF = [3, 2, 3, 2, 3, 2, 3, 2, 3, 2]
"""Answers to the ten items of the ODI: half of the possible points."""
WHERE = {
    "encounter_id": "encounter-1",
    "facility_id": "clinic-1",
    "payer_id": "AETNA",
    "rendering_npi": "1234567893",
    "place_of_service": "11",
}

BINARY: Headers = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"event-1"),
    ("ce_source", b"/tablet"),
    ("ce_type", b"survey-completed.v1"),
    ("content-type", b"application/json"),
]
STRUCTURED: Headers = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


def enveloped(data: dict[str, Any], **changes: object) -> bytes:
    envelope = {"specversion": "1.0", "id": "event-1", "source": "/tablet", "type": "any", "data": data}
    return orjson.dumps(envelope | changes)


def survey_of(value: bytes, headers: Headers = ()) -> Survey:
    fact = DECODER.decode_survey(value, headers).fact
    assert isinstance(fact, Survey)
    return fact


def scored(score: str) -> bytes:
    """A survey whose score is the JSON text *score*."""
    return orjson.dumps(SURVEY)[:-1] + b', "score": ' + score.encode() + b"}"


def rejection(value: bytes | None, headers: Headers = ()) -> RejectionReason:
    with pytest.raises(RejectedError) as rejected:
        DECODER.decode_survey(value, headers)
    return rejected.value.reason
