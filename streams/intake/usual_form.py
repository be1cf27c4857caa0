"""Reads the form that most records have, at a third of the cost; whatever is unusual is left to the contract's types.

The pydantic models of `schemas` say what is accepted, and why not. This module only answers for values on which they
would give the same answer (``tests/unit/test_usual_form.py`` is that law); on all others it says None. That a score
is read from its own bytes also makes it exact at once.

A field that is not the contract's makes a record unusual: msgspec skips over what it does not know without looking for
broken UTF-8, depth or numbers of thousands of digits, and what is no JSON to the contract's types is not taken here.
"""

import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

import msgspec

from schemas.fields import (
    ANSWER_MAX,
    ANSWERS_MAX,
    DIAGNOSES_MAX,
    DIAGNOSIS_PATTERN,
    IDENTIFIER_LENGTH_MAX,
    MODIFIER_PATTERN,
    MODIFIERS_MAX,
    VERSION_MAX,
)
from schemas.vocabulary import RecordStatus, Respondent, TreatmentCodeSystem
from streams.domain.instant import Instant

_Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=IDENTIFIER_LENGTH_MAX)]
_Version = Annotated[int, msgspec.Meta(ge=1, le=VERSION_MAX)]
_Answer = Annotated[int, msgspec.Meta(ge=0, le=ANSWER_MAX)]
_NONE = msgspec.Raw(b"null")

_SCORE = re.compile(rb'(-?[0-9]{1,12}(?:\.[0-9]{1,12})?)|"(-?[0-9]{1,12}(?:\.[0-9]{1,12})?)"')
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-5][0-9])")
_MODIFIER = re.compile(MODIFIER_PATTERN)
_DIAGNOSIS = re.compile(DIAGNOSIS_PATTERN)


class UsualSurvey(msgspec.Struct, forbid_unknown_fields=True):
    """A survey whose every field but the score and the time has been checked."""

    event_id: _Identifier
    source: _Identifier
    survey_id: _Identifier
    episode_id: _Identifier
    patient_id: _Identifier
    instrument: _Identifier
    completed_at: str
    version: _Version = 1
    status: RecordStatus = RecordStatus.COMPLETED
    instrument_version: _Identifier | None = None
    score: msgspec.Raw = _NONE
    answers: Annotated[tuple[_Answer | None, ...], msgspec.Meta(max_length=ANSWERS_MAX)] | None = None
    respondent: Respondent = Respondent.PATIENT
    encounter_id: _Identifier | None = None
    facility_id: _Identifier | None = None
    payer_id: _Identifier | None = None
    rendering_npi: _Identifier | None = None
    place_of_service: _Identifier | None = None


class UsualTreatment(msgspec.Struct, forbid_unknown_fields=True):
    """A treatment whose every field but the time has been checked."""

    event_id: _Identifier
    source: _Identifier
    treatment_id: _Identifier
    episode_id: _Identifier
    patient_id: _Identifier
    code: _Identifier
    performed_at: str
    version: _Version = 1
    status: RecordStatus = RecordStatus.COMPLETED
    code_system: TreatmentCodeSystem = TreatmentCodeSystem.HCPCS
    modifiers: Annotated[tuple[str, ...], msgspec.Meta(max_length=MODIFIERS_MAX)] = ()
    encounter_id: _Identifier | None = None
    facility_id: _Identifier | None = None
    payer_id: _Identifier | None = None
    rendering_npi: _Identifier | None = None
    place_of_service: _Identifier | None = None
    diagnoses: Annotated[tuple[str, ...], msgspec.Meta(max_length=DIAGNOSES_MAX)] = ()


_decode_survey = msgspec.json.Decoder(UsualSurvey).decode
_decode_treatment = msgspec.json.Decoder(UsualTreatment).decode
_UNUSUAL = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def usual_survey(value: bytes) -> tuple[UsualSurvey, Decimal | None, Instant] | None:
    """The survey in *value* with its score and its time, or None where the contract's types must decide."""
    try:
        survey = _decode_survey(value)
    except _UNUSUAL:
        return None
    completed_at = _instant(survey.completed_at)
    if completed_at is None:
        return None
    score = _score(bytes(survey.score))
    if score is not None or (survey.score == _NONE and survey.answers is not None):
        return survey, score, completed_at
    return None


def usual_treatment(value: bytes) -> tuple[UsualTreatment, Instant] | None:
    """The treatment in *value* with its time, or None where the contract's types must decide."""
    try:
        treatment = _decode_treatment(value)
    except _UNUSUAL:
        return None
    performed_at = _instant(treatment.performed_at)
    if performed_at is None:
        return None
    if not _are_well_formed(treatment.modifiers, treatment.diagnoses):
        return None
    return treatment, performed_at


@lru_cache(maxsize=4_096)  # instruments have few scores, and surveys come by the thousand in a second
def _score(written: bytes) -> Decimal | None:
    score = _SCORE.fullmatch(written)
    return Decimal((score[1] or score[2]).decode()) if score is not None else None


@lru_cache(maxsize=4_096)  # the same few codes stand together again and again
def _are_well_formed(modifiers: tuple[str, ...], diagnoses: tuple[str, ...]) -> bool:
    return all(map(_MODIFIER.fullmatch, modifiers)) and all(map(_DIAGNOSIS.fullmatch, diagnoses))


def _instant(text: str) -> Instant | None:
    if _TIME.fullmatch(text) is None:
        return None
    try:
        return Instant.of(datetime.fromisoformat(text))
    except ValueError:
        return None
