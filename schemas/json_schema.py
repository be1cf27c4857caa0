"""The JSON Schemas of the messages, generated from the types."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from schemas.coding_event import CodingEvent
from schemas.patient_merged import PatientMerged
from schemas.survey_completed import SurveyCompleted
from schemas.treatment_recorded import TreatmentRecorded

DIALECT = "https://json-schema.org/draft/2020-12/schema"
CONTRACT_VERSION = "1.1.0"
"""Rises with each field that is added; what was released before is kept in ``schemas/released``."""

MESSAGES: Mapping[str, type[BaseModel]] = {
    "survey-completed": SurveyCompleted,
    "treatment-recorded": TreatmentRecorded,
    "patient-merged": PatientMerged,
    "coding-event": CodingEvent,
}
"""By the name of the file that its schema is kept in."""

_SCORE_OR_ANSWERS = [
    {"required": ["score"], "properties": {"score": {"not": {"type": "null"}}}},
    {"required": ["answers"], "properties": {"answers": {"not": {"type": "null"}}}},
]
_IN_THE_DOCUMENT = "#/$defs/{model}"


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of the message *name*, version 1."""
    return {"$schema": DIALECT, "$id": f"urn:g9603:{name}:v1", **schema_of_type(name)}


def schema_of_type(name: str, *, ref_template: str = _IN_THE_DOCUMENT) -> dict[str, Any]:
    """What is to be valid as the message *name*; its parts stand in ``$defs``, and *ref_template* leads to them.

    What one cannot say in pydantic's types is added: of a survey's ``score`` and ``answers`` one is required.
    """
    schema = MESSAGES[name].model_json_schema(mode="validation", ref_template=ref_template)
    return {**schema, "anyOf": _SCORE_OR_ANSWERS} if MESSAGES[name] is SurveyCompleted else schema


def schema_text(name: str) -> str:
    """The file that the JSON Schema is kept in."""
    return json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"
