"""The example messages are real ones: valid, and the coding events are what the coder makes of the rest."""

import json
from datetime import datetime

import jsonschema
import orjson
import pytest

from schemas.example_messages import example_messages
from schemas.json_schema import json_schema
from streams.domain.coder import CodedEpisode, advance
from streams.domain.episode import Arrival
from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.policies.policy_loading import load_policy
from streams.processing.coding_record import coding_record
from tests.billing_consumer import billed

STORY = example_messages()
INSTRUMENTS = load_registry()
SCHEMA_OF = {
    "survey-completed": "survey-completed",
    "treatment-recorded": "treatment-recorded",
    "patient-merged": "patient-merged",
    "coding-events": "coding-event",
}


@pytest.mark.parametrize("told", STORY, ids=lambda told: str(told["name"]))
def test_an_example_is_valid(told: dict[str, object]) -> None:
    """By the schema of its topic, and with no field that the schema does not know: examples teach."""
    schema = json_schema(SCHEMA_OF[str(told["topic"])])

    jsonschema.validate(told["payload"], schema | {"additionalProperties": False})


def test_the_coding_events_are_those_of_the_coder() -> None:
    """Fed with the inputs of the story at their times, the coder tells billing what the examples say, byte for byte."""
    decoder, policy = Decoder(INSTRUMENTS), load_policy(None, INSTRUMENTS)
    decode = {"survey-completed": decoder.decode_survey, "treatment-recorded": decoder.decode_treatment}
    coded, records = CodedEpisode(), []
    for told in STORY:
        if told["topic"] not in decode:
            continue
        headers = [(name, said.encode()) for name, said in told["headers"].items()]
        decoded = decode[told["topic"]](orjson.dumps(told["payload"]), headers)
        arrived_at_ms = int(datetime.fromisoformat(told["headers"]["ce_time"]).timestamp() * 1000)
        step = advance(coded, [Arrival(decoded.fact, arrived_at_ms)], episode_id=decoded.episode_id, policy=policy)
        coded = step.after
        if step.event is not None:
            records.append(coding_record(step.event, topic="coding-events", partition=0))

    examples = [told for told in STORY if told["topic"] == "coding-events"]
    assert [record.value for record in records] == [orjson.dumps(told["payload"]) for told in examples]
    assert [{name: said.decode() for name, said in record.headers if said} for record in records] == [
        told["headers"] for told in examples
    ]


def test_each_action_is_shown() -> None:
    """New, replace and void, in a chain that a consumer can follow to its end."""
    events = [told["payload"] for told in STORY if told["topic"] == "coding-events"]

    assert [event["action"] for event in events] == ["new", "replace", "void"]
    assert billed(json.loads(json.dumps(events))) is None
