"""What the health system of the demo sends: sound records, all kinds of trouble, and the same bytes again."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.survey_completed import SurveyCompleted
from schemas.treatment_recorded import TreatmentRecorded
from streams.demo.health_system.delivery import RecordKind
from streams.demo.health_system.generation import generate
from streams.demo.health_system.identifiers import synthetic_npi
from streams.demo.health_system.patient_journey import Course
from streams.demo.health_system.wire import InputRecord
from streams.domain.decision import Coded, NotCoded, decide
from streams.domain.missing import Reason, Stage
from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoded, Decoder
from streams.intake.rejection import RejectedError, RejectionReason
from tests.policies_for_tests import DEFAULT

if TYPE_CHECKING:
    from streams.domain.fact import Fact

YEAR = generate(seed=9603, episodes=700)
SOUND = [record for record in YEAR.records if record.kind != "garbage"]
GARBAGE = [record for record in YEAR.records if record.kind == "garbage"]
CORRECTIONS = ("correction", "void")

REQUIRED = {
    "survey-completed": (
        "event_id", "source", "survey_id", "episode_id", "patient_id", "instrument", "completed_at"
    ),
    "treatment-recorded": (
        "event_id", "source", "treatment_id", "episode_id", "patient_id", "code", "performed_at"
    ),
}  # fmt: skip


def said_by(record: InputRecord) -> dict[str, Any]:
    """The contract's object in a sound record, out of its envelope where it has one."""
    value: dict[str, Any] = json.loads(record.value)
    data: dict[str, Any] = value["data"] if "specversion" in value else value
    return data


def fact_id(body: dict[str, Any]) -> str:
    return str(body.get("survey_id") or body["treatment_id"])


def when(body: dict[str, Any]) -> datetime:
    """When the thing happened."""
    return datetime.fromisoformat(body.get("completed_at") or body["performed_at"])


BODIES = [said_by(record) for record in SOUND]


def values_of(field: str) -> set[Any]:
    return {body[field] for body in BODIES if field in body}


@cache
def decoder() -> Decoder:
    return Decoder(load_registry())


def decoded(record: InputRecord) -> Decoded:
    decode = decoder().decode_survey if record.topic == "survey-completed" else decoder().decode_treatment
    return decode(record.value, record.headers)


@cache
def decisions(*kinds: RecordKind) -> Mapping[str, Coded | NotCoded]:
    """The decision on every episode, from its records of these kinds."""
    facts: dict[str, list[Fact]] = {episode_id: [] for episode_id in YEAR.courses}
    for record in SOUND:
        if record.kind in kinds:
            told = decoded(record)
            facts[told.episode_id].append(told.fact)
    return {episode_id: decide(known, DEFAULT) for episode_id, known in facts.items()}


def has_two_baselines(episode_id: str) -> bool:
    """Whether some instrument was answered twice before the first treatment."""
    known = {fact_id(body): body for body in BODIES if body["episode_id"] == episode_id}.values()
    treated = [when(body) for body in known if "treatment_id" in body]
    instruments = [
        body["instrument"] for body in known if "survey_id" in body and treated and when(body) < min(treated)
    ]
    return len(instruments) > len(set(instruments))


def ids(records: Iterable[InputRecord]) -> set[bytes]:
    """Every id of an event, a survey, a treatment or an episode in *records*."""
    return {found for record in records for found in re.findall(rb"\b(?:EV|SV|TX|EP)-[0-9]+", record.value)}


class TestRepeatable:
    """A year is a value."""

    @given(seed=st.integers(0, 2**64), episodes=st.integers(1, 12))
    def test_a_year_is_named_by_its_seed_and_size(self, seed: int, episodes: int) -> None:
        """The same seed and size give the same records, byte for byte."""
        assert generate(seed, episodes) == generate(seed, episodes)

    def test_another_seed_is_another_year(self) -> None:
        """The seed decides about every patient but the first."""
        assert generate(1, 20).records != generate(2, 20).records

    def test_parts_of_a_year_have_no_id_in_common(self) -> None:
        """Whoever generates a year in parts gets episodes and events of their own in each."""
        parts = [generate(1, 20), generate(2, 20, numbers_taken=100_000)]

        assert not parts[0].courses.keys() & parts[1].courses.keys()
        assert not ids(parts[0].records) & ids(parts[1].records)

    @pytest.mark.parametrize("episodes", [0, -1])
    def test_a_year_without_episodes_is_refused(self, episodes: int) -> None:
        """There is at least the first patient."""
        with pytest.raises(ValueError, match="ask for 1 or more"):
            generate(1, episodes)


class TestVariety:
    """A year of modest size has one of everything."""

    def test_kinds(self) -> None:
        """Every kind of record occurs."""
        assert {record.kind for record in YEAR.records} == set(get_args(RecordKind))

    def test_courses(self) -> None:
        """Every course occurs, and most patients improve."""
        courses = list(YEAR.courses.values())
        assert set(courses) == set(Course)
        assert courses.count(Course.IMPROVED) > len(courses) / 2

    def test_payers(self) -> None:
        """The five payers of the default policy come, unknown ones, and none at all."""
        five = {"aetna", "blue-cross-blue-shield", "cigna", "unitedhealthcare", "medicare"}
        assert values_of("payer_id") == five | {"MEDICARE", "tricare", "workers-compensation", None}
        assert any("payer_id" not in body for body in BODIES)

    def test_sites(self) -> None:
        """Every kind of site is visited, and some patients are seen at home."""
        kinds = {facility.split("-", 1)[1] for facility in values_of("facility_id")}
        assert kinds == {
            "outpatient-clinic",
            "specialty-clinic",
            "physical-therapy",
            "ambulatory-surgery-center",
            "hospital-outpatient",
            "behavioral-health",
        }
        assert values_of("place_of_service") == {"10", "11", "22", "24", "53"}

    def test_lines_of_care(self) -> None:
        """Every instrument is answered, and every line of care has its treatments."""
        instruments = "odi promis_pi nprs ndi koos_jr hoos_jr phq9 gad7 avvq vvsymq"
        treatments = "97110 97140 97161 99214 62323 62321 64483 27447 27130 90834 90837 36475 36478 91251008"
        assert values_of("instrument") == set(instruments.split())
        assert values_of("code") == set(treatments.split())
        assert values_of("code_system") == {"HCPCS", "SNOMED-CT"}

    def test_forms_of_a_result(self) -> None:
        """A result comes as a number, as text, as answers, as both, and with items left out."""
        surveys = [body for body in BODIES if "survey_id" in body]
        forms = {(type(body.get("score")), "answers" in body) for body in surveys}
        assert {(int, True), (int, False), (float, False), (str, False), (type(None), True)} <= forms
        assert any(None in body.get("answers", ()) for body in surveys)

    def test_keys(self) -> None:
        """Most records are keyed by episode, some by patient, some by nothing."""
        by_episode = [record.key == body["episode_id"].encode() for record, body in zip(SOUND, BODIES, strict=True)]
        by_patient = [record.key == body["patient_id"].encode() for record, body in zip(SOUND, BODIES, strict=True)]
        unkeyed = [record.key is None for record in SOUND]
        assert sum(by_episode) > len(SOUND) / 2
        assert any(by_patient)
        assert any(unkeyed)
        assert sum(by_episode) + sum(by_patient) + sum(unkeyed) == len(SOUND)

    def test_envelopes(self) -> None:
        """Events come bare and in both modes of CloudEvents, with parameters on the content type."""
        assert {dict(record.headers).get("content-type") for record in SOUND} == {
            None,
            b"application/json; charset=utf-8",
            b"application/cloudevents+json; charset=UTF-8",
        }
        binary = next(record for record in SOUND if "ce_id" in dict(record.headers))
        assert dict(binary.headers)["ce_id"].decode() == said_by(binary)["event_id"]

    def test_times(self) -> None:
        """All happens in 2026, on clocks that change in March and November or not at all."""
        times = [when(body) for body in BODIES]
        assert {time.year for time in times} == {2026}
        offsets = {time.utcoffset() for time in times}
        assert offsets == {timedelta(hours=hours) for hours in (-4, -5, -6, -7)}
        assert {time.utcoffset() for time in times if time.month == 7} == {
            timedelta(hours=hours) for hours in (-4, -5, -7)
        }


class TestSoundRecords:
    """What is not garbage keeps the contract."""

    @pytest.mark.parametrize("topic", REQUIRED)
    def test_they_keep_the_contract(self, topic: str) -> None:
        """Each sound record is JSON with every required field, and its message type accepts it."""
        message = SurveyCompleted if topic == "survey-completed" else TreatmentRecorded
        bodies = [body for record, body in zip(SOUND, BODIES, strict=True) if record.topic == topic]
        assert bodies
        for body in bodies:
            assert set(REQUIRED[topic]) <= body.keys()
            message.model_validate_json(json.dumps(body))

    def test_they_are_taken_in(self) -> None:
        """The intake makes a fact of every sound record, for the episode that its producer meant."""
        for record, body in zip(SOUND, BODIES, strict=True):
            assert decoded(record).episode_id == body["episode_id"]

    def test_an_event_id_names_one_event(self) -> None:
        """Only duplicates repeat an event id."""
        ids = [body["event_id"] for record, body in zip(SOUND, BODIES, strict=True) if record.kind != "duplicate"]
        assert len(ids) == len(set(ids))

    @given(clinician=st.integers(0, 9999))
    def test_an_npi_is_well_formed(self, clinician: int) -> None:
        """An NPI has ten digits, and with the prefix 80840 it passes the Luhn check."""
        npi = synthetic_npi(clinician)
        assert len(npi) == 10
        doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed("80840" + npi)))
        assert sum(sum(map(int, str(value))) for value in doubled) % 10 == 0


class TestGarbage:
    """What is garbage is of no use to anyone."""

    def test_it_is_refused(self) -> None:
        """The intake refuses every piece of garbage, and meets every reason to but those of an attack."""
        reasons = set()
        for record in GARBAGE:
            with pytest.raises(RejectedError) as refused:
                decoded(record)
            reasons.add(refused.value.reason)
        assert reasons == set(RejectionReason) - {
            RejectionReason.UNSUPPORTED_CLOUDEVENT,
            RejectionReason.TOO_LARGE,
            RejectionReason.EPISODE_FULL,
            RejectionReason.EPISODE_FORGOTTEN,
            RejectionReason.NOT_TAKEN_BACK,
        }

    def test_it_comes_throughout(self) -> None:
        """No tenth of the year is without garbage."""
        tenth = len(YEAR.records) // 10
        for start in range(0, tenth * 10, tenth):
            assert any(record.kind == "garbage" for record in YEAR.records[start : start + tenth])

    def test_it_fits_a_broker(self) -> None:
        """A huge id is huge, and still under 20 kB."""
        assert 15_000 < max(len(record.value) for record in GARBAGE) < 20_000


class TestTrouble:
    """What makes a year hard: corrections, duplicates, and the order of arrival."""

    def test_a_correction_comes_well_after_what_it_corrects(self) -> None:
        """Between a fact and its correction lies 3 % of the year's records or more."""
        told_at: dict[str, int] = {}
        corrected = 0
        for position, record in enumerate(YEAR.records):
            if record.kind in ("garbage", "duplicate"):
                continue
            body = said_by(record)
            if body["version"] > 1:
                corrected += 1
                assert record.kind in CORRECTIONS
                assert position - told_at[fact_id(body)] > 0.03 * len(YEAR.records)
            told_at[fact_id(body)] = position
        assert corrected > 100

    def test_a_void_is_entered_in_error(self) -> None:
        """The kind "void" and the status "entered-in-error" are the same."""
        for record, body in zip(SOUND, BODIES, strict=True):
            if record.kind != "duplicate":
                assert (record.kind == "void") == (body["status"] == "entered-in-error")

    def test_a_duplicate_repeats_an_earlier_record(self) -> None:
        """A duplicate has the key, value and headers of a record before it, up to four times over."""
        seen: dict[tuple[object, ...], int] = {}
        for record in SOUND:
            identity = (record.topic, record.key, record.value, record.headers)
            assert (record.kind == "duplicate") == (identity in seen)
            seen[identity] = seen.get(identity, 0) + 1
        assert max(seen.values()) == 5

    def test_order_is_upset(self) -> None:
        """Some follow-ups come before the baseline, and some treatments after all surveys."""
        arrivals = defaultdict(list)
        for record, body in zip(SOUND, BODIES, strict=True):
            if record.kind in ("survey", "treatment", "late"):
                arrivals[body["episode_id"]].append(body)
        surveys = [[body["completed_at"] for body in episode if "survey_id" in body] for episode in arrivals.values()]
        assert any(times != sorted(times) for times in surveys)
        assert any("treatment_id" in episode[-1] and "survey_id" in episode[0] for episode in arrivals.values())


class TestDecisions:
    """The stories are what a worker by the default rules makes of them."""

    REASONS: Mapping[Course, set[Reason]] = {
        Course.UNCHANGED: {Reason.NOT_IMPROVED},
        Course.WORSE: {Reason.NOT_IMPROVED},
        Course.NO_FOLLOW_UP: {Reason.NO_FOLLOW_UP, Reason.NO_TREATMENT, Reason.BASELINE_OUTSIDE_LOOK_BACK},
        Course.NO_BASELINE: {Reason.NO_BASELINE},
        Course.BASELINE_TOO_OLD: {Reason.BASELINE_OUTSIDE_LOOK_BACK},
        Course.PROXY: {Reason.PROXY_EXCLUDED},
        Course.OTHER_VERSION: {Reason.VERSION_MISMATCH},
        Course.INCOMPLETE: {Reason.INCOMPLETE},
    }

    def test_a_course_is_what_is_found(self) -> None:
        """Uncorrected, an improved episode is coded, and any other is not for the reason of its course."""
        for episode_id, decision in decisions("survey", "treatment", "late").items():
            course = YEAR.courses[episode_id]
            if course is Course.IMPROVED:
                assert isinstance(decision, Coded) or has_two_baselines(episode_id)
            else:
                assert isinstance(decision, NotCoded)
                assert decision.missing.reason in self.REASONS[course]

    def test_a_late_baseline_can_undo_a_code(self) -> None:
        """Of the episodes with a late and better baseline, some are still coded and some are not."""
        coded = {
            isinstance(decision, Coded)
            for episode_id, decision in decisions("survey", "treatment", "late").items()
            if has_two_baselines(episode_id)
        }
        assert coded == {True, False}

    def test_corrections_change_codes_in_every_way(self) -> None:
        """Through corrections codes are taken away, replaced, left alone, and given at last."""
        before, after = decisions("survey", "treatment", "late"), decisions(*get_args(RecordKind))
        seen = {
            (
                isinstance(before[episode_id], Coded),
                isinstance(decision, Coded),
                before[episode_id] == decision,
            )
            for episode_id, decision in after.items()
        }
        assert seen >= {
            (True, False, False),
            (True, True, False),
            (True, True, True),
            (False, True, False),
            (False, False, True),
        }

    def test_what_was_taken_back_may_return(self) -> None:
        """Some episodes lose all their treatments to errors, and are coded again after re-entry."""
        without_reentry = decisions("survey", "treatment", "late", "void")
        in_the_end = decisions(*get_args(RecordKind))
        assert any(
            isinstance(in_the_end[episode_id], Coded)
            for episode_id, decision in without_reentry.items()
            if isinstance(decision, NotCoded) and decision.missing.stage is Stage.TREATMENT
        )


class TestFirstPatient:
    """The mission's patient: chronic low back pain, treated conservatively, better at follow-up."""

    STORY = [body for body in BODIES if body["episode_id"] == YEAR.first_episode_id]  # noqa: RUF012

    def test_the_story_comes_in_order(self) -> None:
        """Survey, physical therapy, medication, injection, survey: each once, in the order of time."""
        assert [body.get("instrument") or body["code"] for body in self.STORY] == [
            "odi",
            "97161",
            "97110",
            "97110",
            "99214",
            "97110",
            "62323",
            "odi",
        ]
        times = [when(body) for body in self.STORY]
        assert times == sorted(times)

    def test_the_story_comes_first(self) -> None:
        """The year begins with the first patient, to whose records the bus does nothing odd."""
        first = YEAR.first_episode_id.encode()
        assert YEAR.records[0].key == first
        assert {record.kind for record in YEAR.records if record.key == first} == {"survey", "treatment"}

    def test_the_story_is_complete(self) -> None:
        """Nothing that a coding event carries is missing."""
        for body in self.STORY:
            for field in ("encounter_id", "facility_id", "payer_id", "rendering_npi", "place_of_service"):
                assert body[field]
        assert {body["payer_id"] for body in self.STORY} == {"medicare"}
        assert all(body["diagnoses"] for body in self.STORY if "code" in body)
        assert [body["modifiers"] for body in self.STORY if body.get("code") == "97110"] == [["GP"]] * 3

    def test_the_story_is_coded(self) -> None:
        """The Oswestry score goes from 48 to 22, which earns the code."""
        decision = decisions(*get_args(RecordKind))[YEAR.first_episode_id]
        assert isinstance(decision, Coded)
        assert decision.comparison is not None
        assert decision.code == "G9603"
        assert decision.anchor.code == "97110"
        assert (decision.baseline.score, decision.comparison.follow_up.score) == (Decimal(48), Decimal(22))
