"""The JSON Schemas that are shipped are those of the types, and mean what the types mean."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schemas.json_schema import MESSAGES, json_schema, schema_text
from schemas.survey_completed import SurveyCompleted

FOLDER = Path(__file__).parents[2] / "schemas" / "v1"
SURVEY = {
    "event_id": "e1",
    "source": "portal",
    "survey_id": "s1",
    "episode_id": "ep1",
    "patient_id": "p1",
    "instrument": "odi",
    "completed_at": "2026-01-05T09:00:00-05:00",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_files_have_not_drifted(name: str) -> None:
    """A change of a type shows in the contract's files: run `make schemas` and look at the difference."""
    assert (FOLDER / f"{name}.schema.json").read_text() == schema_text(name)


def test_there_is_a_file_for_each_message_and_no_other() -> None:
    """Nobody builds on a schema that nothing keeps."""
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.schema.json" for name in MESSAGES}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_schemas_are_valid(name: str) -> None:
    """Each is a schema of its own dialect."""
    jsonschema.Draft202012Validator.check_schema(json_schema(name))


@pytest.mark.parametrize(
    ("more", "valid"),
    [
        ({"score": 48}, True),
        ({"score": "48.5"}, True),
        ({"answers": [1, None, 3]}, True),
        ({"score": 48, "answers": None, "something_new": {"a": 1}}, True),
        ({}, False),
        ({"score": None}, False),
        ({"score": "1_0"}, False),
        ({"score": 48, "version": 0}, False),
        ({"score": 48, "status": "final"}, False),
        ({"score": 48, "patient_id": ""}, False),
        ({"score": 48, "patient_id": "x" * 257}, False),
        ({"answers": ["1"]}, False),
    ],
)
def test_schema_and_type_agree(more: dict[str, Any], *, valid: bool) -> None:
    """What the schema admits, the type reads, and the reverse."""
    survey = SURVEY | more
    by_schema = jsonschema.Draft202012Validator(json_schema("survey-completed")).is_valid(survey)
    try:
        SurveyCompleted.model_validate_json(json.dumps(survey))
        by_type = True
    except ValueError:
        by_type = False

    assert (by_schema, by_type) == (valid, valid)
