"""The AsyncAPI document is what the command prints, its own tool has nothing to say against it, and would say it."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from streams.cli.application import cli
from streams.cli.asyncapi_document import asyncapi_document
from streams.processing.topology import Topology

FOLDER = Path(__file__).parent
KEPT = FOLDER.parents[1] / "schemas" / "asyncapi.json"
DOCUMENT = asyncapi_document(Topology())


def judged(document: dict[str, Any]) -> str:
    """What the parser of the AsyncAPI project says against *document*."""
    command = ["node", "asyncapi_judge.mjs"]
    ran = subprocess.run(
        command, cwd=FOLDER, input=json.dumps(document), capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_document_is_what_the_command_prints() -> None:
    """If this fails: `make schemas`, and look at the difference."""
    assert KEPT.read_text() == CliRunner().invoke(cli, ["schema", "asyncapi"], env={"G9603_APP_ID": ""}).stdout


def test_names_are_those_of_the_application() -> None:
    """With a prefix and an id of its own."""
    document = asyncapi_document(Topology("coder", "clinic-"))

    assert {channel["address"] for channel in document["channels"].values()} == {
        specification.name for specification in Topology("coder", "clinic-").specifications
    }


@pytest.mark.parametrize("name", ["survey-completed", "treatment-recorded", "coding-event"])
def test_examples_are_valid(name: str) -> None:
    """By the document alone, read as AsyncAPI reads a schema: draft 07, with references from its root."""
    message = DOCUMENT["components"]["messages"][name]

    for part in ("headers", "payload"):
        schema = DOCUMENT | {"$schema": "http://json-schema.org/draft-07/schema#", "allOf": [message[part]]}
        assert message["examples"]
        for example in message["examples"]:
            jsonschema.Draft7Validator(schema).validate(example[part])
            assert not jsonschema.Draft7Validator(schema).is_valid(dict.fromkeys(example[part], 0))


def test_its_own_tool_has_nothing_to_say() -> None:
    """Neither an error nor a warning."""
    assert not judged(DOCUMENT)


def test_its_own_tool_would_say_it() -> None:
    """Silence is an answer only of one who speaks up."""
    document = copy.deepcopy(DOCUMENT)
    document["channels"]["dead-letter"]["messages"]["dead-letter"]["$ref"] = "#/components/messages/letter"
    document["channels"]["coding-events"]["bindings"]["kafka"]["topicConfiguration"]["retention.ms"] = "for ever"

    told = judged(document)

    assert "error: channels.dead-letter.messages.dead-letter.$ref" in told
    assert "error: channels.coding-events.bindings.kafka.topicConfiguration.retention.ms" in told
