"""FHIR becomes the events that it tells of; what is missing is named, and what is wrong shows no values."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.survey_completed import SurveyCompleted
from schemas.treatment_recorded import TreatmentRecorded
from streams.adapters.adaptation import Adaptation
from streams.adapters.fhir.datatypes import CPT, ICD_10_CM, PLACE_OF_SERVICE, SNOMED_CT
from streams.adapters.fhir.reading import FhirAdapter
from streams.adapters.mapping import Mapping, load_mapping
from streams.instruments.registry import load_registry

GOLDEN = Path(__file__).parents[1] / "golden" / "adapters"
README = (Path(__file__).parents[2] / "streams" / "adapters" / "README.md").read_text()
MAPPING = load_mapping(GOLDEN / "mapping.toml", load_registry())
BUILT_IN = load_mapping(None, load_registry())
STORY: list[dict[str, Any]] = [
    json.loads(line) for line in (GOLDEN / "low-back-pain.fhir.ndjson").read_text().splitlines()
]
ALONE, TREATED, FOLLOWED = STORY[0], STORY[1], STORY[3]
EPISODE = {
    "url": "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare",
    "valueReference": {"reference": "EpisodeOfCare/episode-7"},
}
OTHER_EPISODE = {**EPISODE, "valueReference": {"reference": "EpisodeOfCare/episode-8"}}
SCORE: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "score-1",
    "extension": [EPISODE],
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]},
    "subject": {"reference": "Patient/patient-1"},
    "effectiveDateTime": "2026-01-12T09:00:00-05:00",
    "valueQuantity": {"value": 6},
}


def adapted(message: Any, mapping: Mapping = BUILT_IN) -> Adaptation:  # noqa: ANN401 - any JSON value
    return FhirAdapter(mapping, load_registry()).adapt(orjson.dumps(message))


def event_of(message: Any, mapping: Mapping = BUILT_IN) -> dict[str, Any]:  # noqa: ANN401
    adaptation = adapted(message, mapping)
    assert not adaptation.faults
    (event,) = adaptation.events
    told: dict[str, Any] = orjson.loads(event.value)
    return told


def fault_of(message: Any, mapping: Mapping = BUILT_IN) -> tuple[str, str]:  # noqa: ANN401
    adaptation = adapted(message, mapping)
    assert not adaptation.events
    (fault,) = adaptation.faults
    return fault.reason, fault.detail


def but(message: dict[str, Any], **changes: object) -> dict[str, Any]:
    """*message* with other elements; without those that are None."""
    return {name: value for name, value in {**message, **changes}.items() if value is not None}


def without(bundle: dict[str, Any], *types: str) -> dict[str, Any]:
    """*bundle* without the resources of *types*."""
    return {**bundle, "entry": [e for e in bundle["entry"] if e["resource"]["resourceType"] not in types]}


def changed(bundle: dict[str, Any], resource_type: str, change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """*bundle* with *change* made to its resources of a type."""
    other = deepcopy(bundle)
    for entry in other["entry"]:
        if entry["resource"]["resourceType"] == resource_type:
            change(entry["resource"])
    return other


def treated(**changes: object) -> dict[str, Any]:
    """The story's first treatment, told otherwise."""
    return changed(TREATED, "Procedure", lambda procedure: procedure.update(changes))


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


# ---------------------------------------------------------------------------------------------
# The story
# ---------------------------------------------------------------------------------------------
def test_the_story() -> None:
    """As the file has it: baseline, two treatments, a follow-up that is amended and then entered in error."""
    events = [event.value for message in STORY for event in adapted(message, MAPPING).events]

    assert events == (GOLDEN / "low-back-pain.fhir.events.ndjson").read_bytes().splitlines()


@pytest.mark.parametrize("message", STORY, ids=range(len(STORY)))
def test_the_story_is_fhir(message: dict[str, Any]) -> None:
    """A parser that we did not write takes it."""
    get_fhir_model_class(message["resourceType"]).model_validate(message)


@pytest.mark.parametrize(("message", "heading"), [(SurveyCompleted, "survey_id"), (TreatmentRecorded, "treatment_id")])
def test_the_table_has_every_field(message: type[SurveyCompleted] | type[TreatmentRecorded], heading: str) -> None:
    """Whoever maps a feed finds each field of the contract."""
    table = README.split("## FHIR R4, field by field")[1].split("\n## ")[0]
    cells = " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))

    assert {name for name in message.model_fields if f"`{name}`" not in cells} == set()
    assert heading in cells


# ---------------------------------------------------------------------------------------------
# What is told
# ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({}, "score", "6"),
        ({"valueQuantity": {"value": 6.50}}, "score", "6.5"),
        ({"valueQuantity": None, "valueInteger": 7}, "score", "7"),
        ({"meta": {"versionId": "12"}}, "version", 12),
        ({"meta": {"versionId": "W/x", "lastUpdated": "2026-01-12T14:00:00Z"}}, "version", 1_768_226_400),
        ({"meta": {"versionId": "9" * 40}}, "version", None),
        ({"status": "amended"}, "event_id", "score-1:2"),
        ({"status": "entered-in-error", "valueQuantity": None}, "score", "0"),
        ({"subject": {"identifier": {"value": "mrn-1"}}}, "patient_id", "mrn-1"),
        ({"subject": {"reference": "http://ehr/fhir/Patient/9/_history/2"}}, "patient_id", "9"),
        ({"performer": [{"reference": "RelatedPerson/1"}]}, "respondent", "proxy"),
        ({"performer": [{"type": "Patient"}]}, "respondent", "patient"),
        ({"performer": [{"reference": "Practitioner/1"}]}, "respondent", None),
        (
            {"effectiveDateTime": None, "effectivePeriod": {"end": "2026-01-12T09:30:00Z"}},
            "completed_at",
            "2026-01-12T09:30:00Z",
        ),
    ],
)
def test_a_score(changes: dict[str, Any], field: str, told: object) -> None:
    assert event_of(but(SCORE, **changes)).get(field) == told


@pytest.mark.parametrize(
    ("bundle", "field", "told"),
    [
        (TREATED, "payer_id", "60054"),
        (without(TREATED, "Coverage"), "payer_id", None),
        (without(TREATED, "Organization"), "payer_id", None),
        (changed(TREATED, "Coverage", lambda coverage: coverage.update(status="cancelled")), "payer_id", None),
        (changed(TREATED, "Encounter", lambda visit: visit.update(participant=[])), "rendering_npi", None),
        (
            changed(
                TREATED, "Encounter", lambda visit: visit["location"].append({"location": {"reference": "Location/2"}})
            ),
            "facility_id",
            None,
        ),
        (
            treated(location={"reference": "Location/room"}),
            "facility_id",
            "room",
        ),
        (
            treated(code={"coding": concept(SNOMED_CT, "91251008")["coding"] + concept(CPT, "97110")["coding"]}),
            "code",
            "97110",
        ),
        (treated(status="not-done"), "status", "entered-in-error"),
    ],
)
def test_around_a_treatment(bundle: dict[str, Any], field: str, told: object) -> None:
    """Of several, none is taken; of payers, the one of the day."""
    assert event_of(bundle, MAPPING).get(field) == told


def test_what_a_claim_says_of_an_encounter() -> None:
    """The payer that was asked, and the place of service in CMS's own system, before the patient's coverage."""
    place = concept(PLACE_OF_SERVICE, "19")
    claim = {
        "resourceType": "Claim",
        "insurance": [
            {"sequence": 1, "focal": True, "coverage": {"display": "UnitedHealthcare"}},
            {"sequence": 2, "focal": False, "coverage": {"display": "Aetna"}},
        ],
        "item": [{"encounter": [{"reference": "Encounter/encounter-12"}], "locationCodeableConcept": place}],
    }
    event = event_of({**TREATED, "entry": [*TREATED["entry"], {"resource": claim}]})
    other = {**claim, "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "Aetna"}}]}
    disputed = event_of({**TREATED, "entry": [*TREATED["entry"], {"resource": claim}, {"resource": other}]})

    assert (event["payer_id"], event["place_of_service"]) == ("UnitedHealthcare", "19")
    assert "payer_id" not in disputed, "two payers were asked: nobody chooses, not even the coverage"


def test_a_contained_encounter() -> None:
    """A resource alone can carry what it lacks."""
    encounter = {"resourceType": "Encounter", "id": "visit", "episodeOfCare": [{"reference": "EpisodeOfCare/e-1"}]}
    alone = but(SCORE, extension=None, encounter={"reference": "#visit"}, contained=[encounter])

    event = event_of(alone)

    assert (event["episode_id"], event["encounter_id"]) == ("e-1", "visit")


def test_a_form_of_coded_answers() -> None:
    """PHQ-9 as LOINC has it: what an answer counts for is in its code, or in its coding; an item is left blank."""
    links = BUILT_IN.questionnaires["http://loinc.org/q/44249-1"].items
    weighed = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 3}]}
    coded = {"system": "http://loinc.org", "code": "LA6570-1"}
    items = [{"linkId": f"/{link}", "answer": [{"valueCoding": coded}]} for link in links[:7]]
    items.append({"linkId": "/group", "item": [{"linkId": links[7], "answer": [{"valueCoding": weighed}]}]})
    form = but(ALONE, questionnaire="http://loinc.org/q/44249-1|2.77", extension=[EPISODE], item=items)

    assert event_of(form)["answers"] == [2, 2, 2, 2, 2, 2, 2, 3, None]


def test_days_where_the_mapping_takes_them() -> None:
    """On one day the survey comes first, whatever its order in the message."""
    mapping = MAPPING.model_copy(update={"times": MAPPING.times.model_copy(update={"days": "survey-first"})})
    day = treated(performedDateTime="2026-01-12")

    assert event_of(but(ALONE, authored="2026-01-12"), mapping)["completed_at"] == "2026-01-12T00:00:00-05:00"
    assert event_of(day, mapping)["performed_at"] == "2026-01-12T23:59:59-05:00"
    assert event_of(but(ALONE, authored="2026-07-12T09:00:00"), mapping)["completed_at"] == "2026-07-12T09:00:00-04:00"
    assert "completed_at" in fault_of(but(SCORE, effectiveDateTime="2026-07-12T09:00:00"))[1], (
        "nobody says in which zone"
    )


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (but(SCORE, status="preliminary"), "not final"),
        (but(SCORE, code={"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}), "other code"),
        (but(ALONE, status="in-progress"), "not final"),
        (but(ALONE, questionnaire="http://clinic.example/Questionnaire/menu"), "other code"),
        ({"resourceType": "Medication"}, "other type"),
        (treated(status="preparation"), "not final"),
    ],
)
def test_what_is_none_of_ours(message: dict[str, Any], why: str) -> None:
    """It is counted, and nothing is wrong with it."""
    adaptation = adapted(message, MAPPING)

    assert (adaptation.events, adaptation.faults, dict(adaptation.passed_over)) == ([], [], {why: 1})


# ---------------------------------------------------------------------------------------------
# What is wrong
# ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("message", "reason", "told"),
    [
        ({}, "not_fhir", "no resourceType"),
        ([], "not_fhir", "no resourceType"),
        (but(SCORE, extension=None), "not_told", "episode_id (the extension workflow-episodeOfCare, or"),
        (but(SCORE, subject=None, valueQuantity=None), "not_told", "patient_id (subject), score (valueQuantity.value"),
        (but(SCORE, effectiveDateTime="2026-01-12"), "not_told", "completed_at (effectiveDateTime with a time"),
        (but(SCORE, effectiveDateTime="2026-01-99T09:00:00Z"), "invalid_time", "completed_at"),
        (but(SCORE, id=None), "not_told", "survey_id (id)"),
        (but(SCORE, valueQuantity={"value": 11}), "score_out_of_range", "Observation: score: outside 0 to 10"),
        (but(SCORE, valueQuantity={"value": 1e300}), "invalid", "no number of at most 12 digits"),
        (but(SCORE, valueQuantity={"value": "NaN"}), "invalid", "no number of at most 12 digits"),
        (but(SCORE, status=5), "invalid", "Expected `str`, got `int` - at `$.status`"),
        (but(SCORE, extension=[EPISODE, OTHER_EPISODE]), "ambiguous", "2 episodes"),
        (but(ALONE, item=[]), "invalid", "One of score and answers"),
        (
            but(ALONE, item=[{"linkId": "odi-1", "answer": [{"valueString": "often"}]}]),
            "not_told",
            "item 1: nothing tells",
        ),
        (but(ALONE, item=[{"linkId": "odi-1", "answer": [{"valueDecimal": 0.5}]}]), "invalid", "a fraction of a point"),
        (without(TREATED, "Encounter"), "not_told", "entry[0] (Procedure) does not tell episode_id"),
        (treated(code={"text": "therapy"}), "not_told", "code (code in CPT"),
        (treated(reasonCode=[concept(ICD_10_CM, "back")]), "invalid", "diagnoses"),
    ],
)
def test_what_cannot_be_an_event(message: Any, reason: str, told: str) -> None:  # noqa: ANN401
    """The reason to count by, and a sentence that says where."""
    found, detail = fault_of(message, MAPPING)

    assert found == reason
    assert told in detail


@pytest.mark.parametrize("value", [None, b""])
def test_no_value(value: bytes | None) -> None:
    (fault,) = FhirAdapter(BUILT_IN, load_registry()).adapt(value).faults

    assert fault.reason == "empty"


@pytest.mark.parametrize(
    "value", [b"{", b"\xff", b'{"a":' * 100_000, b'{"resourceType": "Bundle", "entry": [{"resource": {']
)
def test_no_json(value: bytes) -> None:
    (fault,) = FhirAdapter(BUILT_IN, load_registry()).adapt(value).faults

    assert fault.reason in {"not_json", "invalid"}


def test_the_rest_of_a_message_is_taken_in() -> None:
    """One faulty entry costs itself."""
    entries = [{"resource": but(SCORE, subject=None)}, {"resource": SCORE}, {"resource": but(SCORE, id=7)}, {}]
    adaptation = adapted({"resourceType": "Bundle", "entry": entries})

    assert len(adaptation.events) == 1
    assert sorted(fault.detail[:8] for fault in adaptation.faults) == ["entry[0]", "entry[2]"]


CANARY = "Jane-Roe-1974"


def paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where in *value* something stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, part in items for found in paths(part, (*path, name)))]


@settings(max_examples=80)
@given(data=st.data())
def test_any_damage(data: st.DataObject) -> None:
    """Whatever stands in the place of an element: an answer comes, and no fault shows what stood there."""
    message = deepcopy(data.draw(st.sampled_from([SCORE, TREATED, FOLLOWED])))
    *way, last = data.draw(st.sampled_from(paths(message)[1:]))
    place: Any = message
    for step in way:
        place = place[step]
    place[last] = data.draw(st.sampled_from([CANARY, [CANARY], {CANARY: CANARY}, -1, 1e99, True, None, [], {}]))

    adaptation = adapted(message, MAPPING)

    assert CANARY not in "".join(map(str, adaptation.faults))
