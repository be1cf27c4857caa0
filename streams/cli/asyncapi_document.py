"""Topics and messages as an AsyncAPI 3 document: ``g9603 schema asyncapi``, kept in schemas/asyncapi.json.

Specification: https://www.asyncapi.com/docs/reference/specification/v3.0.0, and its Kafka bindings 0.5.0. What it says
comes from the types of the messages and from the topology; its examples are those of `schemas.example_messages`.
"""

from collections.abc import Mapping
from typing import Any

from schemas.example_messages import example_messages
from schemas.json_schema import CONTRACT_VERSION, MESSAGES, schema_of_type
from streams.intake.rejection import RejectionReason
from streams.processing.coding_record import CLOUDEVENTS_SOURCE, CLOUDEVENTS_TYPE
from streams.processing.dead_letter import ERROR, OFFSET, PARTITION, REASON, TOPIC
from streams.processing.topology import TopicSpecification, Topology

_DESCRIPTION = """\
Surveys and treatments in, coding events out: HCPCS Level II G9603, patient survey score improved from baseline
following treatment. Read what goes out with isolation.level=read_committed. Fields may be added; ignore those that you
do not know. Enumerations are closed but for those marked x-extensible-enum, which may grow."""

_KAFKA = {"bindingVersion": "0.5.0"}
_JSON = "application/json"
_STRUCTURED = "application/cloudevents+json"
_TEXT = {"type": "string"}
_BY_EPISODE = "Anything; the episode id saves a detour."
_BY_PATIENT = "Anything."
_NUMBERS = ("retention.ms", "max.message.bytes")


def asyncapi_document(topology: Topology) -> dict[str, Any]:
    """The document for one application's names of topics."""
    inputs = {topic: str(kind) for topic, kind in topology.kinds.items()}
    messages = {
        **{topic: (message, f"{message}-structured") for topic, message in inputs.items()},
        topology.coding_events: ("coding-event",),
        topology.dead_letter: ("dead-letter",),
    }
    return {
        "asyncapi": "3.0.0",
        "id": "urn:g9603",
        "info": {"title": "g9603", "version": CONTRACT_VERSION, "description": _DESCRIPTION},
        "defaultContentType": _JSON,
        "channels": {s.name: _channel(s, messages.get(s.name, ("internal",))) for s in topology.specifications},
        "operations": {
            **{f"take-in-{message}": _operation("receive", topic, topology) for topic, message in inputs.items()},
            "tell-billing": _operation("send", topology.coding_events, topology),
            "set-aside": _operation("send", topology.dead_letter, topology),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _channel(specification: TopicSpecification, messages: tuple[str, ...]) -> dict[str, Any]:
    configuration: dict[str, Any] = dict(specification.config)
    configuration["cleanup.policy"] = [configuration["cleanup.policy"]]
    configuration |= {name: int(configuration[name]) for name in _NUMBERS if name in configuration}
    partitions = {} if specification.partition_count is None else {"partitions": specification.partition_count}
    return {
        "address": specification.name,
        "description": specification.purpose,
        **({"x-internal": True} if messages == ("internal",) else {}),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": {**partitions, "topicConfiguration": configuration, **_KAFKA}},
    }


def _operation(action: str, topic: str, topology: Topology) -> dict[str, Any]:
    group = {"groupId": {"type": "string", "const": topology.app_id}} if action == "receive" else {}
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "bindings": {"kafka": {**group, **_KAFKA}},
    }


# ---------------------------------------------------------------------------------------------
# Messages
# ---------------------------------------------------------------------------------------------
def _messages() -> dict[str, Any]:
    return {
        "survey-completed": _input("SurveyCompleted", "survey-completed"),
        "survey-completed-structured": _enveloped("SurveyCompleted"),
        "treatment-recorded": _input("TreatmentRecorded", "treatment-recorded"),
        "treatment-recorded-structured": _enveloped("TreatmentRecorded"),
        "patient-merged": _input("PatientMerged", "patient-merged", key=_BY_PATIENT),
        "patient-merged-structured": _enveloped("PatientMerged", key=_BY_PATIENT),
        "coding-event": _coding_event(),
        "dead-letter": _dead_letter(),
        "internal": {"title": "Internal", "summary": "No part of the contract.", "contentType": "application/x-g9603"},
    }


def _input(name: str, topic: str, key: str = _BY_EPISODE) -> dict[str, Any]:
    return {
        "title": name,
        "summary": "The bare JSON object, or with the headers that make it a CloudEvent in binary mode.",
        "contentType": _JSON,
        "headers": _cloudevent({"ce_specversion": {"const": "1.0"}}),
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": _keyed(key),
        "examples": _examples(topic),
    }


def _enveloped(name: str, key: str = _BY_EPISODE) -> dict[str, Any]:
    properties = {"specversion": {"const": "1.0"}, "id": _TEXT, "source": _TEXT, "type": _TEXT}
    properties["data"] = {"$ref": f"#/components/schemas/{name}"}
    return {
        "title": f"{name}, as a CloudEvent in structured mode",
        "contentType": _STRUCTURED,
        "headers": {
            "type": "object",
            "required": ["content-type"],
            "properties": {"content-type": {"type": "string", "pattern": "^application/cloudevents\\+json"}},
        },
        "payload": {"type": "object", "required": [*properties], "properties": properties},
        "bindings": _keyed(key),
    }


def _coding_event() -> dict[str, Any]:
    fixed = {"ce_specversion": "1.0", "ce_source": CLOUDEVENTS_SOURCE.decode(), "ce_type": CLOUDEVENTS_TYPE.decode()}
    headers = _cloudevent({name: {"const": said} for name, said in fixed.items()})
    return {
        "title": "CodingEvent",
        "summary": "What billing must do: new, replace (the event that prior_event_id names), or void.",
        "contentType": _JSON,
        "headers": {**headers, "required": [*headers["properties"]]},
        "payload": {"$ref": "#/components/schemas/CodingEvent"},
        "bindings": _keyed("The episode id: events of one episode come in the order of their revisions."),
        "examples": _examples("coding-events"),
    }


def _dead_letter() -> dict[str, Any]:
    reason = {"type": "string", "x-extensible-enum": [str(reason) for reason in RejectionReason]}
    added = {REASON: reason, ERROR: _TEXT, TOPIC: _TEXT, PARTITION: _TEXT, OFFSET: _TEXT}
    return {
        "title": "DeadLetter",
        "summary": "A record that could not be taken in: key, value and headers as received, then the reason.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "required": [*added], "properties": added},
    }


def _cloudevent(known: Mapping[str, Any]) -> dict[str, Any]:
    """Headers of a CloudEvent in binary mode (CloudEvents Kafka protocol binding 1.0, section 3.2)."""
    names = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type")
    return {"type": "object", "properties": {name: {"type": "string", **known.get(name, {})} for name in names}}


def _keyed(description: str) -> dict[str, Any]:
    return {"kafka": {"key": {"type": "string", "description": description}, **_KAFKA}}


def _examples(topic: str) -> list[dict[str, Any]]:
    shown = ("name", "summary", "headers", "payload")
    return [{word: told[word] for word in shown} for told in example_messages() if told["topic"] == topic]


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for name, message in MESSAGES.items():
        schema = schema_of_type(name, ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[message.__name__] = schema
    return schemas
