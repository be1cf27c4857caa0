"""A patient's FHIR bundle becomes the events that it tells of, and nothing that it does not tell."""

import copy
import json
import tomllib
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.demo.synthea.mapping import Event, events_of, map_bundle
from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.policies.policy_loading import load_policy

BUNDLE = Path(__file__).parents[1] / "golden" / "synthea" / "anxiety-depression-and-pain.json"
POLICY = Path(str(resources.files("streams.policies") / "synthea.toml"))
MAPPING = tomllib.loads((resources.files("streams.demo.synthea") / "mapping.toml").read_text("utf-8"))

OF_PATIENT = {"source": "synthea", "patient_id": "patient-1"}
AT_TOLD_VISIT = {"encounter_id": "visit-told", "payer_id": "Aetna", "rendering_npi": "1999900017"}


def bundle() -> dict[str, Any]:
    """The invented bundle, with its numbers as decimals."""
    read: dict[str, Any] = json.loads(BUNDLE.read_text("utf-8"), parse_float=Decimal)
    return read


def resource(of_bundle: dict[str, Any], resource_id: str) -> dict[str, Any]:
    """The resource that the full URL with *resource_id* names."""
    found: dict[str, Any] = next(
        entry["resource"] for entry in of_bundle["entry"] if entry["fullUrl"] == f"urn:uuid:{resource_id}"
    )
    return found


def event_of(events: list[Event], event_id: str) -> Event:
    """The one event with *event_id*."""
    (event,) = [event for event in events if event["event_id"] == event_id]
    return event


SURVEYS: list[Event] = [
    {
        **OF_PATIENT,
        **AT_TOLD_VISIT,
        "event_id": "gad7-final",
        "survey_id": "gad7-final",
        "status": "completed",
        "episode_id": "patient-1:anxiety:gad7",
        "instrument": "gad7",
        "score": "12",
        "completed_at": "2025-03-03T09:30:00-05:00",
        "facility_id": "clinic-1",
    },
    {
        **OF_PATIENT,
        "event_id": "phq9-amended:2",
        "survey_id": "phq9-amended",
        "version": 2,
        "status": "amended",
        "episode_id": "patient-1:depression:phq9",
        "instrument": "phq9",
        "score": "7.50",
        "completed_at": "2025-04-01T10:00:00.250Z",
        "respondent": "patient",
        "encounter_id": "visit-ambiguous",  # two payers, two performers, two places: none is chosen
    },
    {
        **OF_PATIENT,
        "event_id": "nprs-corrected:2",  # no version is told: what was amended comes after what was first said
        "survey_id": "nprs-corrected",
        "version": 2,
        "status": "amended",
        "episode_id": "patient-1:pain:nprs",
        "instrument": "nprs",
        "score": "0",
        "completed_at": "2025-04-02T10:00:00+00:00",
        "respondent": "proxy",
    },
    {
        **OF_PATIENT,
        "event_id": "gad7-wrong-patient:3",
        "survey_id": "gad7-wrong-patient",
        "version": 3,
        "status": "entered-in-error",
        "episode_id": "patient-1:anxiety:gad7",
        "instrument": "gad7",
        "score": "3",
        "completed_at": "2025-05-05T09:30:00-04:00",
        "encounter_id": "visit-uninsured",  # no payer, and a performer who has no NPI
        "facility_id": "clinic-2",
    },
]


def therapy(condition: str, instrument: str) -> Event:
    """The one therapy session, as it stands in the episode of *condition*."""
    return {
        **OF_PATIENT,
        **AT_TOLD_VISIT,
        "event_id": f"therapy:{condition}:{instrument}:4",
        "treatment_id": f"therapy:{condition}:{instrument}",
        "version": 4,
        "status": "completed",
        "episode_id": f"patient-1:{condition}:{instrument}",
        "code": "228557008",
        "code_system": "SNOMED-CT",
        "performed_at": "2025-03-10T14:00:00-04:00",
        "facility_id": "therapy-room",
        "diagnoses": ["M54.50", "F41.1"],
    }


TREATMENTS: list[Event] = [
    therapy("pain", "nprs"),
    therapy("anxiety", "gad7"),
    therapy("depression", "phq9"),
    {
        **OF_PATIENT,
        **AT_TOLD_VISIT,
        "event_id": "assessment:anxiety:gad7",
        "treatment_id": "assessment:anxiety:gad7",
        "status": "completed",
        "episode_id": "patient-1:anxiety:gad7",
        "code": "710841007",
        "code_system": "SNOMED-CT",
        "performed_at": "2025-03-03T09:20:00-05:00",
        "facility_id": "clinic-1",
    },
    {
        **OF_PATIENT,
        "event_id": "exercises-retracted:pain:nprs:3",
        "treatment_id": "exercises-retracted:pain:nprs",
        "version": 3,
        "status": "entered-in-error",
        "episode_id": "patient-1:pain:nprs",
        "code": "91251008",
        "code_system": "SNOMED-CT",
        "performed_at": "2025-03-20T08:00:00-04:00",
    },
    {
        **OF_PATIENT,
        "event_id": "exercises-refused:pain:nprs:3",
        "treatment_id": "exercises-refused:pain:nprs",
        "version": 3,
        "status": "entered-in-error",
        "episode_id": "patient-1:pain:nprs",
        "code": "91251008",
        "code_system": "SNOMED-CT",
        "performed_at": "2025-03-21T08:00:00-04:00",
    },
]


def test_every_field_that_is_told() -> None:
    """All that the bundle tells is in the events, field by field; a field that it does not tell is absent."""
    assert map_bundle(bundle()) == [*SURVEYS, *TREATMENTS]


@pytest.mark.parametrize(
    "resource_id",
    [
        "gad7-preliminary",
        "gad7-unanswered",
        "gad7-of-some-day",
        "gad7-of-nobody",
        "phq2",
        "exercises-of-some-month",
        "dialysis",
    ],
)
def test_what_is_no_event(resource_id: str) -> None:
    """What is not final, not answered, not of a certain time or person, not done, or not ours, is left out."""
    assert resource(bundle(), resource_id)  # it is there to be left out

    mentions = [event for event in map_bundle(bundle()) if event["event_id"].startswith(resource_id)]

    assert mentions == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("final", "completed"),
        ("amended", "amended"),
        ("corrected", "amended"),
        ("entered-in-error", "entered-in-error"),
        ("registered", None),
        ("preliminary", None),
        ("cancelled", None),
        ("unknown", None),
    ],
)
def test_observation_status(status: str, expected: str | None) -> None:
    """Every status that FHIR gives an Observation has a meaning here."""
    changed = bundle()
    resource(changed, "gad7-final")["status"] = status

    statuses = {event.get("survey_id"): event["status"] for event in map_bundle(changed)}

    assert statuses.get("gad7-final") == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", "completed"),
        ("entered-in-error", "entered-in-error"),
        ("preparation", None),
        ("in-progress", None),
        ("not-done", "entered-in-error"),  # it may have been told as done before
        ("on-hold", None),
        ("stopped", None),
        ("unknown", None),
    ],
)
def test_procedure_status(status: str, expected: str | None) -> None:
    """Every status that FHIR gives a Procedure has a meaning here."""
    changed = bundle()
    resource(changed, "assessment")["status"] = status

    statuses = {event.get("treatment_id"): event["status"] for event in map_bundle(changed)}

    assert statuses.get("assessment:anxiety:gad7") == expected


def test_only_a_survey_opens_an_episode() -> None:
    """A treatment joins the episodes of the surveys that the patient was asked, and no others."""
    changed = bundle()
    changed["entry"] = [
        entry for entry in changed["entry"] if not entry["fullUrl"].startswith(("urn:uuid:gad7", "urn:uuid:nprs"))
    ]

    assert map_bundle(changed) == [SURVEYS[1], therapy("depression", "phq9")]


def test_a_bundle_of_nobody() -> None:
    """A bundle without entries, as Synthea writes none, has no events."""
    assert map_bundle({"resourceType": "Bundle", "type": "transaction"}) == []


def test_mapping_changes_nothing() -> None:
    """The bundle is only read."""
    before = bundle()
    after = copy.deepcopy(before)

    map_bundle(after)

    assert before == after


@given(score=st.decimals(0, 21, places=6).map(lambda score: f"{score:f}"))
def test_a_score_keeps_its_digits(tmp_path_factory: pytest.TempPathFactory, score: str) -> None:
    """Whatever number stands in the file, the event has the same digits: no binary float comes between."""
    path = tmp_path_factory.mktemp("bundle") / "patient.json"
    path.write_text(BUNDLE.read_text("utf-8").replace('"value": 12', f'"value": {score}'), "utf-8")

    assert event_of(events_of([path], print), "gad7-final")["score"] == score


def test_events_come_in_the_order_of_time(tmp_path: Path) -> None:
    """Events of all patients are in one order, that of their instants: offsets count, file order does not."""
    later = tmp_path / "0-later.json"
    later.write_text(BUNDLE.read_text("utf-8").replace("patient-1", "patient-2"), "utf-8")
    earlier = tmp_path / "1-earlier.json"
    # 09:30 in UTC is five hours before 09:30-05:00, and before 09:20-05:00 too.
    earlier.write_text(BUNDLE.read_text("utf-8").replace("09:30:00-05:00", "09:30:00Z"), "utf-8")

    events = events_of([later, earlier], print)

    in_order = [(event["patient_id"], event["event_id"]) for event in events]
    assert in_order[:4] == [
        ("patient-1", "gad7-final"),
        ("patient-2", "assessment:anxiety:gad7"),
        ("patient-1", "assessment:anxiety:gad7"),
        ("patient-2", "gad7-final"),
    ]
    assert len(events) == 2 * len([*SURVEYS, *TREATMENTS])


def test_events_keep_the_contract() -> None:
    """The intake reads every event into the episode that it names."""
    decoder = Decoder(load_registry())

    for event in map_bundle(bundle()):
        decode = decoder.decode_survey if "survey_id" in event else decoder.decode_treatment
        assert decode(json.dumps(event).encode()).episode_id == event["episode_id"]


def test_mapping_names_the_registry_s_instruments() -> None:
    """Each LOINC code of the mapping is the one that the registry has for its instrument, and is mapped once."""
    instruments = load_registry()
    mapped = [pair for about in MAPPING["conditions"].values() for pair in about["surveys"].items()]

    assert mapped == [(instruments[name].loinc, name) for _, name in mapped]
    assert len(dict(mapped)) == len(mapped)


def test_policy_and_mapping_agree() -> None:
    """The policy qualifies the mapping's treatments, each by its code, and none of its assessments."""
    rules = load_policy(POLICY, load_registry()).rules
    conditions = MAPPING["conditions"].values()

    assert set(rules.qualifying.patterns) == {f"SNOMED-CT:{c}" for about in conditions for c in about["treatments"]}
    assert set(rules.excluded.patterns) == {f"SNOMED-CT:{c}" for about in conditions for c in about["assessments"]}
    assert set(rules.instruments) == {name for about in conditions for name in about["surveys"].values()}


@pytest.mark.parametrize(
    ("payer_id", "rule"),
    [
        ("Aetna", "aetna"),
        ("Blue Cross Blue Shield", "blue-cross-blue-shield"),
        ("Cigna Health", "cigna"),
        ("UnitedHealthcare", "unitedhealthcare"),
        ("Medicare", "medicare"),
        ("Humana", "other"),
        ("Anthem", "other"),
        ("Medicaid", "other"),
        ("Dual Eligible", "other"),
        (None, "other"),
    ],
)
def test_synthea_s_payers(payer_id: str | None, rule: str) -> None:
    """The names that Synthea gives its payers find their rule; who has none is held."""
    assert load_policy(POLICY, load_registry()).payer_rule(payer_id).id == rule
