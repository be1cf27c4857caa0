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
    moved_from_episode_id: _Identifier | None = None


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
    moved_from_episode_id: _Identifier | None = None


_decode_survey = msgspec.json.Decoder(UsualSurvey).decode
_decode_treatment = msgspec.json.Decoder(UsualTreatment).decode
_UNUSUAL = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def usual_survey(value: bytes) -> tuple[UsualSurvey, Decimal | None, Instant] | None:
    """The survey in *value* with its score and its time, or None where the contract's types must decide."""
    try:
        survey = _decode_survey(value)
    except _UNUSUAL:
        return None
    completed_at = instant(survey.completed_at)
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
    performed_at = instant(treatment.performed_at)
    if performed_at is None or not _are_well_formed(treatment.modifiers, treatment.diagnoses):
        return None
    return treatment, performed_at


@lru_cache(maxsize=4_096)  # instruments have few scores, and surveys come by the thousand in a second
def _score(written: bytes) -> Decimal | None:
    score = _SCORE.fullmatch(written)
    return Decimal((score[1] or score[2]).decode()) if score is not None else None


@lru_cache(maxsize=4_096)  # the same few codes stand together again and again
def _are_well_formed(modifiers: tuple[str, ...], diagnoses: tuple[str, ...]) -> bool:
    return all(map(_MODIFIER.fullmatch, modifiers)) and all(map(_DIAGNOSIS.fullmatch, diagnoses))


def instant(text: str) -> Instant | None:
    """The instant that *text* is in RFC 3339, or None where the contract's types must decide."""
    try:
        # A date, an hour and an offset recur from record to record: three look-ups instead of a calendar.
        local_us = _day_us(text[:10]) + _MINUTES_US[text[10:17]] + _SECONDS_US[text[17:19]]
        offset_minutes = _offset_minutes(text[19:])
    except (KeyError, ValueError):
        return _parsed(text)
    return Instant(local_us - offset_minutes * _US_PER_MINUTE, offset_minutes)


def _parsed(text: str) -> Instant | None:
    if _TIME.fullmatch(text) is None:
        return None
    try:
        return Instant.of(datetime.fromisoformat(text))
    except ValueError:
        return None


_US_PER_SECOND = 1_000_000
_US_PER_MINUTE = 60 * _US_PER_SECOND
_MINUTES_US = {
    f"T{hour:02}:{minute:02}:": (hour * 60 + minute) * _US_PER_MINUTE for hour in range(24) for minute in range(60)
}
_SECONDS_US = {f"{second:02}": second * _US_PER_SECOND for second in range(60)}


@lru_cache(maxsize=4_096)  # eleven years
def _day_us(date: str) -> int:
    """Midnight of *date* on the wall clock, in microseconds since 1970.

    Raises:
        ValueError: It is no date as RFC 3339 writes one.
    """
    if (midnight := _parsed(f"{date}T00:00:00Z")) is None:
        raise ValueError
    return midnight.epoch_us


@lru_cache(maxsize=256)
def _offset_minutes(offset: str) -> int:
    """What the clock of a place is ahead of UTC.

    Raises:
        ValueError: It is no offset as RFC 3339 writes one, or a fraction of a second stands before it.
    """
    if offset.startswith(".") or (noon := _parsed(f"1970-01-01T12:00:00{offset}")) is None:
        raise ValueError
    return noon.utc_offset_minutes
