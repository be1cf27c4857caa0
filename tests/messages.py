"""Facts in the words of the contract, as a producer would send them."""

from typing import Any

import orjson

from streams.domain.fact import Fact, Survey
from streams.domain.patient_merge import PatientMerge
from tests.policies_for_tests import INSTRUMENTS

_SAME_NAME = (
    "event_id",
    "source",
    "version",
    "status",
    "patient_id",
    "encounter_id",
    "facility_id",
    "payer_id",
    "rendering_npi",
    "place_of_service",
    "moved_from_episode_id",
)


def message(fact: Fact, episode_id: str) -> dict[str, Any]:
    """The JSON object that tells *fact*: an incomplete survey sends blanks, any other its score."""
    told = {name: getattr(fact, name) for name in _SAME_NAME} | {"episode_id": episode_id}
    if isinstance(fact, Survey):
        return told | {
            "survey_id": fact.survey_id,
            "instrument": fact.instrument,
            "instrument_version": fact.instrument_version,
            "completed_at": str(fact.completed_at),
            "respondent": fact.respondent,
            **_score_or_blanks(fact),
        }
    return told | {
        "treatment_id": fact.treatment_id,
        "code": fact.code,
        "code_system": fact.code_system,
        "modifiers": fact.modifiers,
        "performed_at": str(fact.performed_at),
        "diagnoses": fact.diagnoses,
    }


def message_bytes(fact: Fact, episode_id: str) -> bytes:
    """The same as UTF-8 text."""
    return orjson.dumps(message(fact, episode_id))


def merge_bytes(merge: PatientMerge) -> bytes:
    """A merge of patients as UTF-8 text."""
    told = {name: getattr(merge, name) for name in ("event_id", "source", "surviving_patient_id", "merged_patient_id")}
    return orjson.dumps(told | {"merged_at": str(merge.merged_at), "action": merge.action})


def _score_or_blanks(survey: Survey) -> dict[str, Any]:
    if survey.score is not None:
        return {"score": str(survey.score)}
    items = INSTRUMENTS[survey.instrument].items
    return {"answers": [None] * items.item_count if items is not None else []}
