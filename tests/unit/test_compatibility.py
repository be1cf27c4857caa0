"""A change that would break a consumer or a producer of a released version is found, and no other."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from schemas.compatibility import Side, breaking_changes
from schemas.example_messages import example_messages
from schemas.json_schema import CONTRACT_VERSION, MESSAGES, json_schema
from streams.cli.application import cli

RELEASED = Path(__file__).parents[2] / "schemas" / "released"
SIDES = {name: Side.OUTPUT if name == "coding-event" else Side.INPUT for name in MESSAGES}
Change = Callable[[dict[str, Any]], object]


def released_schema(version: str, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((RELEASED / version / f"{name}.schema.json").read_text())
    return told


def changed(name: str, change: Change) -> list[str]:
    """What *change* to the schema of the message *name* would break."""
    released = json_schema(name)
    current = copy.deepcopy(released)
    change(current)
    return breaking_changes(released, current, SIDES[name])


RELEASES = sorted((path.parent.name, path.name.removesuffix(".schema.json")) for path in RELEASED.glob("*/*.json"))


@pytest.mark.parametrize(("version", "name"), RELEASES)
def test_nobody_who_was_built_for_a_release_breaks(version: str, name: str) -> None:
    """If this fails, the change must not be made: version 1 only grows."""
    assert breaking_changes(released_schema(version, name), json_schema(name), SIDES[name]) == []


@pytest.mark.parametrize("name", MESSAGES)
def test_the_newest_release_is_what_is_there(name: str) -> None:
    """If this fails, a field was added: raise `CONTRACT_VERSION` and keep its schemas in schemas/released."""
    assert released_schema(CONTRACT_VERSION, name) == json_schema(name)


def test_the_command_says_so_too() -> None:
    """What a consumer would run before an upgrade."""
    assert CliRunner().invoke(cli, ["schema", "check", str(RELEASED / CONTRACT_VERSION)]).exit_code == 0


def test_the_command_ends_with_1_where_something_breaks(tmp_path: Path) -> None:
    """And names it."""
    CliRunner().invoke(cli, ["schema", "write", str(tmp_path)])
    path = tmp_path / "coding-event.schema.json"
    released = json.loads(path.read_text())
    released["properties"]["invoice"] = {"type": "string"}
    path.write_text(json.dumps(released))

    checked = CliRunner().invoke(cli, ["schema", "check", str(tmp_path)])

    assert checked.exit_code == 1
    assert "coding-event: invoice is gone" in checked.stderr


def _property(*path: str, **words: object) -> Change:
    """Give the property at *path* some *words*."""

    def change(schema: dict[str, Any]) -> None:
        node = schema
        for name in path:
            node = node["$defs"][name] if name[0].isupper() else node["properties"].setdefault(name, {})
        node.update(words)

    return change


def _renamed(schema: dict[str, Any]) -> None:
    schema["properties"]["visit_id"] = schema["properties"].pop("encounter_id")


def _required(name: str) -> Change:
    def change(schema: dict[str, Any]) -> None:
        schema["properties"].setdefault(name, {"type": "string"})
        schema["required"].append(name)

    return change


def _optional(name: str) -> Change:
    return lambda schema: schema["required"].remove(name)


def _values(definition: str, *values: str) -> Change:
    return lambda schema: schema["$defs"][definition].update(enum=list(values))


def _either(schema: dict[str, Any]) -> None:
    del schema["anyOf"][1]


def _never_null(schema: dict[str, Any]) -> None:
    schema["properties"]["payer_id"] = schema["properties"]["payer_id"]["anyOf"][0]


def _null(schema: dict[str, Any]) -> None:
    schema["properties"]["service_date"] = {"anyOf": [schema["properties"]["service_date"], {"type": "null"}]}


BREAKING: dict[str, tuple[str, Change, str]] = {
    "field_removed": ("coding-event", lambda s: s["properties"].pop("program"), "program is gone"),
    "field_renamed": ("coding-event", _renamed, "encounter_id is gone"),
    "nested_field_removed": (
        "coding-event",
        lambda s: s["$defs"]["CodedSurvey"]["properties"].pop("score"),
        "baseline.score is gone",
    ),
    "type_changed": ("coding-event", _property("revision", type="string"), "revision may be string"),
    "no_longer_always_there": ("coding-event", _optional("charge"), "a message may lack charge"),
    "may_be_null_now": ("coding-event", _null, "service_date may be null"),
    "value_added_to_output": (
        "coding-event",
        _values("CodingAction", "new", "replace", "void", "merge"),
        "action may be merge",
    ),
    "code_added_to_output": (
        "coding-event",
        _values("QualityDataCode", "G9603", "G9604", "G9605", "G9606"),
        "code may be G9606",
    ),
    "constant_changed": ("coding-event", _property("units", const=2), "units may be 2"),
    "longer_identifiers": ("coding-event", _property("episode_id", maxLength=512), "episode_id has maxLength 512"),
    "other_format": ("coding-event", _property("service_date", format="date-time"), "service_date is ruled by other"),
    "other_items": (
        "coding-event",
        _property("diagnoses", items={"type": "object"}),
        "diagnoses.[] may be object",
    ),
    "field_required_of_producers": ("survey-completed", _required("device"), "a message may lack device"),
    "field_made_required": ("treatment-recorded", _required("payer_id"), "a message may lack payer_id"),
    "value_no_longer_taken": ("survey-completed", _values("Respondent", "patient"), "respondent may be proxy"),
    "shorter_identifiers": ("survey-completed", _property("survey_id", maxLength=64), "survey_id has maxLength 256"),
    "no_longer_null": ("survey-completed", _never_null, "payer_id may be null"),
    "other_default": ("survey-completed", _property("version", default=0), "version has another default"),
    "answers_alone_no_longer_taken": ("survey-completed", _either, "the message is ruled by other keywords (anyOf)"),
    "pattern_on_input": ("treatment-recorded", _property("code", pattern="^[0-9]{5}$"), "code is ruled by other"),
}

COMPATIBLE: dict[str, tuple[str, Change]] = {
    "nothing": ("coding-event", lambda _: None),
    "field_added_to_output": ("coding-event", _property("claim_id", type="string")),
    "required_field_added_to_output": ("coding-event", _required("claim_id")),
    "nested_field_added": ("coding-event", _property("CodedSurvey", "respondent", type="string")),
    "value_never_told_any_more": ("coding-event", _values("Channel", "claim", "registry", "hold")),
    "always_there_now": ("coding-event", _required("program")),
    "described": ("coding-event", _property("program", description="Which one.")),
    "optional_field_added_to_input": ("survey-completed", _property("device", type="string")),
    "value_taken_now": ("survey-completed", _values("Respondent", "patient", "proxy", "clinician")),
    "no_longer_required": ("treatment-recorded", _optional("code")),
    "longer_identifiers_taken": ("survey-completed", _property("survey_id", maxLength=512)),
}


@pytest.mark.parametrize(("name", "change", "sentence"), BREAKING.values(), ids=BREAKING)
def test_what_breaks_is_found(name: str, change: Change, sentence: str) -> None:
    """By its name, and with what is wrong."""
    told = changed(name, change)

    assert any(line.startswith(sentence) for line in told), told


@pytest.mark.parametrize(("name", "change"), COMPATIBLE.values(), ids=COMPATIBLE)
def test_what_does_not_break_is_let_through(name: str, change: Change) -> None:
    """The contract may grow."""
    assert changed(name, change) == []


@pytest.mark.parametrize("told", example_messages(), ids=lambda told: str(told["name"]))
def test_a_reader_of_the_release_reads_what_has_grown(told: dict[str, Any]) -> None:
    """By a judge of schemas that we did not write: with a field more, an example is valid for the release."""
    name = {"coding-events": "coding-event"}.get(told["topic"], told["topic"])

    jsonschema.validate(told["payload"] | {"new_field": {"of": "any kind"}}, released_schema(CONTRACT_VERSION, name))
