"""Which records are taken in, as what, and for which reason the others are not."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from schemas.vocabulary import RecordStatus, Respondent, TreatmentCodeSystem
from streams.domain.fact import Survey, Treatment
from streams.domain.instant import Instant
from streams.intake.cloudevents import Headers
from streams.intake.rejection import RejectedError, RejectionReason
from tests.example_messages import (
    BINARY,
    COMPLETED_AT,
    DECODER,
    ODI_HALF,
    SCORED,
    STRUCTURED,
    SURVEY,
    TREATMENT,
    WHERE,
    enveloped,
    rejection,
    scored,
    survey_of,
)


# ---------------------------------------------------------------------------------------------
# What is taken in
# ---------------------------------------------------------------------------------------------
def test_a_survey_with_what_is_required() -> None:
    """The contract's defaults stand for what was left out."""
    decoded = DECODER.decode_survey(orjson.dumps(SCORED))
    assert decoded.episode_id == "episode-1"
    assert decoded.fact == Survey(
        source="tablet",
        event_id="event-1",
        survey_id="survey-1",
        version=1,
        status=RecordStatus.COMPLETED,
        patient_id="patient-1",
        instrument="odi",
        instrument_version=None,
        score=Decimal("42.5"),
        completed_at=COMPLETED_AT,
        respondent=Respondent.PATIENT,
    )


def test_a_treatment_with_what_is_required() -> None:
    """The contract's defaults stand for what was left out."""
    decoded = DECODER.decode_treatment(orjson.dumps(TREATMENT))
    assert decoded.episode_id == "episode-1"
    assert decoded.fact == Treatment(
        source="ehr",
        event_id="event-2",
        treatment_id="treatment-1",
        version=1,
        status=RecordStatus.COMPLETED,
        patient_id="patient-1",
        code="97110",
        code_system=TreatmentCodeSystem.HCPCS,
        performed_at=Instant(1_736_942_400_000_000, 0),
    )


def test_everything_that_may_be_told_is_kept() -> None:
    survey = {**SCORED, **WHERE, "version": 3, "status": "amended", "respondent": "proxy", "instrument_version": "2.1"}
    told = survey_of(orjson.dumps(survey))
    assert (told.version, told.status, told.respondent) == (3, RecordStatus.AMENDED, Respondent.PROXY)
    assert told.instrument_version == "2.1"
    more = {"code_system": "SNOMED-CT", "modifiers": ["GP", "59"], "diagnoses": ["M54.50", "M5416"]}
    treatment = DECODER.decode_treatment(orjson.dumps({**TREATMENT, **WHERE, **more})).fact
    assert isinstance(treatment, Treatment)
    assert treatment.code_system is TreatmentCodeSystem.SNOMED_CT
    assert treatment.modifiers == ("GP", "59")
    assert treatment.diagnoses == ("M54.50", "M5416")
    for fact in (told, treatment):
        assert {name: getattr(fact, name) for name in WHERE} == WHERE


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        pytest.param(orjson.dumps(SCORED), BINARY, id="binary"),
        pytest.param(orjson.dumps(SCORED), [*BINARY, ("traceparent", b"00-\xff")], id="binary, with other headers"),
        pytest.param(orjson.dumps(SCORED), [("content-type", b"application/json")], id="bare, with a content type"),
        pytest.param(enveloped(SCORED), STRUCTURED, id="structured"),
        pytest.param(
            enveloped(SCORED), [("Content-Type", b"Application/CloudEvents+JSON")], id="structured, in capitals"
        ),
        pytest.param(enveloped(SCORED, time="now", subject="any", extension=1), STRUCTURED, id="structured, with more"),
        pytest.param(orjson.dumps({**SCORED, "mood": {"a": [1]}, "Score": 1}), (), id="with fields of the future"),
        pytest.param(orjson.dumps({**SCORED, **dict.fromkeys(WHERE)}), (), id="with nulls where they may be"),
        pytest.param(b"\n " + orjson.dumps(SCORED, option=orjson.OPT_INDENT_2) + b"\r\n", (), id="with white space"),
    ],
)
def test_every_way_of_carrying_gives_the_same_fact(value: bytes, headers: Headers) -> None:
    assert DECODER.decode_survey(value, headers) == DECODER.decode_survey(orjson.dumps(SCORED))


def test_a_structured_treatment() -> None:
    assert DECODER.decode_treatment(enveloped(TREATMENT), STRUCTURED) == DECODER.decode_treatment(
        orjson.dumps(TREATMENT)
    )


# ---------------------------------------------------------------------------------------------
# What is rejected
# ---------------------------------------------------------------------------------------------
def test_an_identifier_may_have_256_characters() -> None:
    """Characters, not bytes; and a name of two megabytes is none."""
    assert survey_of(orjson.dumps(SCORED | {"survey_id": "é" * 256})).survey_id == "é" * 256
    assert rejection(orjson.dumps(SCORED | {"survey_id": "x" * 257})) is RejectionReason.INVALID
    assert rejection(orjson.dumps(SCORED | {"episode_id": "x" * 200_000})) is RejectionReason.INVALID
    assert rejection(orjson.dumps(SCORED | {"episode_id": "x" * 2_000_000})) is RejectionReason.TOO_LARGE


@pytest.mark.parametrize("name", [*SURVEY, "score"])
def test_every_required_field_is_required(name: str) -> None:
    without = {key: value for key, value in SCORED.items() if key != name}
    assert rejection(orjson.dumps(without)) is RejectionReason.INVALID
    assert rejection(orjson.dumps(SCORED | {name: None})) in {RejectionReason.INVALID, RejectionReason.INVALID_TIME}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, RejectionReason.EMPTY),
        (b"", RejectionReason.EMPTY),
        (b" ", RejectionReason.NOT_JSON),
        (b"odi;48", RejectionReason.NOT_JSON),
        (b"\x00\x00\x00\x00\x01\x0etablet", RejectionReason.NOT_JSON),  # a schema registry's Avro
        (orjson.dumps(SCORED)[:-1], RejectionReason.NOT_JSON),
        (orjson.dumps(SCORED) + b"{}", RejectionReason.NOT_JSON),
        (b"\xef\xbb\xbf" + orjson.dumps(SCORED), RejectionReason.NOT_JSON),
        (orjson.dumps(SCORED).replace(b"tablet", b"tabl\xff"), RejectionReason.NOT_JSON),
        (scored('50, "future": "\\ud800"'), RejectionReason.NOT_JSON),
        (scored("1" * 5_000), RejectionReason.NOT_JSON),
        (scored('50.00000000000000000, "future": ' + "[" * 5_000 + "]" * 5_000), RejectionReason.NOT_JSON),
        (b"null", RejectionReason.INVALID),
        (b"[]", RejectionReason.INVALID),
        (orjson.dumps(orjson.dumps(SCORED).decode()), RejectionReason.INVALID),
        (orjson.dumps(TREATMENT), RejectionReason.INVALID),
    ],
)
def test_a_value_that_is_no_survey(value: bytes | None, reason: RejectionReason) -> None:
    assert rejection(value) is reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"event_id": ""}, RejectionReason.INVALID),
        ({"event_id": 7}, RejectionReason.INVALID),
        ({"version": 0}, RejectionReason.INVALID),
        ({"version": "2"}, RejectionReason.INVALID),
        ({"version": 2.0}, RejectionReason.INVALID),
        ({"version": True}, RejectionReason.INVALID),
        ({"version": 2**31}, RejectionReason.INVALID),
        ({"status": "final"}, RejectionReason.INVALID),
        ({"status": "Completed"}, RejectionReason.INVALID),
        ({"respondent": "mother"}, RejectionReason.INVALID),
        ({"score": None}, RejectionReason.INVALID),
        ({"completed_at": "2025-03-05T09:00:05"}, RejectionReason.INVALID_TIME),
        ({"completed_at": "2025-03-05"}, RejectionReason.INVALID_TIME),
        ({"completed_at": "2025-03-05 09:00:05Z"}, RejectionReason.INVALID_TIME),
        ({"completed_at": "2025-02-29T09:00:05Z"}, RejectionReason.INVALID_TIME),
        ({"completed_at": "2025-03-05T24:00:00Z"}, RejectionReason.INVALID_TIME),
        ({"completed_at": "2025-03-05T09:00:05+24:00"}, RejectionReason.INVALID_TIME),
        ({"completed_at": "0000-03-05T09:00:05Z"}, RejectionReason.INVALID_TIME),
        ({"completed_at": 1_741_183_205}, RejectionReason.INVALID_TIME),
        ({"completed_at": "yesterday", "version": 0}, RejectionReason.INVALID),
        ({"instrument": "ODI"}, RejectionReason.UNKNOWN_INSTRUMENT),
        ({"instrument": "odi2"}, RejectionReason.UNKNOWN_INSTRUMENT),
        ({"score": 100.0001}, RejectionReason.SCORE_OUT_OF_RANGE),
        ({"score": "-0.0001"}, RejectionReason.SCORE_OUT_OF_RANGE),
        ({"score": 101, "answers": ODI_HALF}, RejectionReason.SCORE_OUT_OF_RANGE),
        ({"score": 49, "answers": ODI_HALF}, RejectionReason.SCORE_MISMATCH),
        ({"score": "50.0001", "answers": ODI_HALF}, RejectionReason.SCORE_MISMATCH),
        ({"score": None, "answers": []}, RejectionReason.ANSWERS_INVALID),
        ({"score": None, "answers": ODI_HALF[:9]}, RejectionReason.ANSWERS_INVALID),
        ({"score": None, "answers": [*ODI_HALF[:9], 6]}, RejectionReason.ANSWERS_INVALID),
        ({"score": None, "answers": [*ODI_HALF[:9], -1]}, RejectionReason.INVALID),
        ({"score": None, "answers": [*ODI_HALF[:9], 2.0]}, RejectionReason.INVALID),
        ({"score": None, "answers": [*ODI_HALF[:9], True]}, RejectionReason.INVALID),
        ({"score": None, "answers": [2] * 100_000}, RejectionReason.INVALID),
        ({"score": None, "answers": [1, 2], "instrument": "promis_pi"}, RejectionReason.NO_ITEM_RULE),
    ],
    ids=lambda part: repr(part)[:60] if isinstance(part, dict) else str(part),
)
def test_a_survey_with_a_fault(changes: dict[str, Any], reason: RejectionReason) -> None:
    assert rejection(orjson.dumps(SCORED | changes)) is reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": ""}, RejectionReason.INVALID),
        ({"code": 97110}, RejectionReason.INVALID),
        ({"code_system": "CPT"}, RejectionReason.INVALID),
        ({"modifiers": "GP"}, RejectionReason.INVALID),
        ({"modifiers": ["GPX"]}, RejectionReason.INVALID),
        ({"modifiers": ["GP"] * 11}, RejectionReason.INVALID),
        ({"diagnoses": ["back pain"]}, RejectionReason.INVALID),
        ({"diagnoses": ["M54.50"] * 51}, RejectionReason.INVALID),
        ({"diagnoses": None}, RejectionReason.INVALID),
        ({"performed_at": "2025-01-15T12:00:00"}, RejectionReason.INVALID_TIME),
    ],
    ids=lambda part: repr(part)[:60] if isinstance(part, dict) else str(part),
)
def test_a_treatment_with_a_fault(changes: dict[str, Any], reason: RejectionReason) -> None:
    with pytest.raises(RejectedError) as rejected:
        DECODER.decode_treatment(orjson.dumps(TREATMENT | changes))
    assert rejected.value.reason is reason


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (enveloped(SCORED), (), RejectionReason.INVALID),
        (orjson.dumps(SCORED), STRUCTURED, RejectionReason.INVALID),
        (enveloped(SCORED, specversion="0.3"), STRUCTURED, RejectionReason.INVALID),
        (enveloped(SCORED, id=None), STRUCTURED, RejectionReason.INVALID),
        (enveloped({**SCORED, "completed_at": "2025-03-05"}), STRUCTURED, RejectionReason.INVALID_TIME),
        (orjson.dumps(SCORED), [("ce_specversion", b"0.3")], RejectionReason.UNSUPPORTED_CLOUDEVENT),
        (orjson.dumps(SCORED), [("ce_specversion", None)], RejectionReason.UNSUPPORTED_CLOUDEVENT),
        (
            orjson.dumps([SCORED]),
            [("content-type", b"application/cloudevents-batch+json")],
            RejectionReason.UNSUPPORTED_CLOUDEVENT,
        ),
        (
            enveloped(SCORED),
            [("content-type", b"application/cloudevents+avro")],
            RejectionReason.UNSUPPORTED_CLOUDEVENT,
        ),
    ],
)
def test_a_cloudevent_with_a_fault(value: bytes, headers: Headers, reason: RejectionReason) -> None:
    assert rejection(value, headers) is reason


def test_a_rejection_says_what_to_do() -> None:
    """The sender's engineer reads which fields are at fault, the first three of them, and that there are more."""
    with pytest.raises(RejectedError) as rejected:
        DECODER.decode_survey(orjson.dumps({"score": "much", "completed_at": "2025-03-05"}))
    told = str(rejected.value)
    assert told.startswith("invalid: event_id: Field required; source: Field required; survey_id: Field required")
    assert told.endswith("; and 5 more")
