"""What billing is told of an episode: a decision put into the words of the billing topic."""

import hashlib
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import orjson

from schemas.vocabulary import Channel, CodingAction, QualityDataCode
from streams.domain.decision import Coded
from streams.domain.fact import Survey
from streams.domain.instant import Instant, rfc3339_of_ms
from streams.domain.patient_merge import NOBODY_MERGED
from streams.domain.policy import Policy

EVENT_ID_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:g9603:coding-event:v1")
"""A coding event's id is a name in this namespace (RFC 9562, version 5)."""


class CodedSurvey(msgspec.Struct, frozen=True, array_like=True):
    """A survey that the decision rests on."""

    survey_id: str
    version: int
    score: Decimal
    completed_at: Instant


class CodedTreatment(msgspec.Struct, frozen=True, array_like=True):
    """The anchor."""

    treatment_id: str
    code: str
    modifiers: tuple[str, ...]
    performed_at: Instant


class Coding(msgspec.Struct, frozen=True, array_like=True):
    """The content of a coding event: everything but its id, its action and its place in the ledger.

    It stands in the ledger in full, so that what billing was told can be shown, and taken back, long
    after the facts and the policy behind it have changed. Fields may be added at the end, with a default.
    """

    code: QualityDataCode
    modifiers: tuple[str, ...]
    charge: str
    channel: Channel
    patient_id: str
    encounter_id: str | None
    payer_id: str | None
    rendering_npi: str | None
    facility_id: str | None
    place_of_service: str | None
    diagnoses: tuple[str, ...]
    service_date: str
    instrument: str
    instrument_version: str | None
    direction: str
    loinc: str | None
    baseline: CodedSurvey
    follow_up: CodedSurvey
    treatment: CodedTreatment
    change: Decimal
    threshold: Decimal
    policy: tuple[str, str]
    program: str | None
    not_available: tuple[str, ...]


_TOLD = ("encounter_id", "payer_id", "rendering_npi", "facility_id", "place_of_service", "diagnoses")


_COMPARED = ("followup", "change", "threshold")
"""What of a coding event says nothing where no follow-up came."""


def coding_of(decision: Coded, policy: Policy, survivors: Mapping[str, str] = NOBODY_MERGED) -> Coding:
    """The words for *decision*: the follow-up's own fields, and what it lacks from the anchor treatment.

    Where no follow-up came, they are the anchor's, and the service date is when the window closed. Version 1 of a
    coding event always has a follow-up: the baseline, as the last result that there is, stands in its place.

    A patient who was merged into another goes by that one's id, the only one that a payer still knows.
    """
    anchor, comparison = decision.anchor, decision.comparison
    follow_up = comparison.follow_up if comparison is not None else decision.baseline
    teller = follow_up if comparison is not None else anchor
    encounter_id = teller.encounter_id or anchor.encounter_id
    payer_id = teller.payer_id or anchor.payer_id
    rendering_npi = teller.rendering_npi or anchor.rendering_npi
    facility_id = teller.facility_id or anchor.facility_id
    place_of_service = teller.place_of_service or anchor.place_of_service
    told = (encounter_id, payer_id, rendering_npi, facility_id, place_of_service, anchor.diagnoses)
    payer = policy.payer_rule(payer_id)
    return Coding(
        code=decision.code,
        modifiers=payer.modifiers,
        charge=payer.charge,
        channel=payer.channel,
        patient_id=survivors.get(teller.patient_id, teller.patient_id),
        encounter_id=encounter_id,
        payer_id=payer_id,
        rendering_npi=rendering_npi,
        facility_id=facility_id,
        place_of_service=place_of_service,
        diagnoses=anchor.diagnoses,
        service_date=decision.served_at.local_date_text,
        instrument=follow_up.instrument,
        instrument_version=follow_up.instrument_version,
        direction=decision.instrument.improvement_notation.value,
        loinc=decision.instrument.loinc_for(follow_up.instrument_version),
        baseline=_coded_survey(decision.baseline),
        follow_up=_coded_survey(follow_up),
        treatment=CodedTreatment(anchor.treatment_id, anchor.code, anchor.modifiers, anchor.performed_at),
        change=comparison.change if comparison is not None else _NOTHING,
        threshold=(comparison.threshold if comparison is not None else None) or _NOTHING,
        policy=(policy.id, policy.version),
        program=decision.program.id if decision.program is not None else None,
        not_available=(
            *[name for name, value in zip(_TOLD, told, strict=True) if not value],
            *(_COMPARED if comparison is None else ()),
        ),
    )


def _coded_survey(survey: Survey) -> CodedSurvey:
    return CodedSurvey(survey.survey_id, survey.version, survey.score or _NOTHING, survey.completed_at)


_NOTHING = Decimal(0)


_DECIMALS_MAX = 12  # as in schemas.fields.DECIMAL_TEXT


def decimal_text(value: Decimal) -> str:
    """The plain text of *value*: no exponent, no trailing zeros, no minus zero, at most 12 decimals.

    Only a percentage of a long score has more. They are cut, so that what is told is never more than was met.

    >>> decimal_text(Decimal("42.50"))
    '42.5'
    """
    text = str(value)
    if "E" in text:
        text = f"{value:f}"
    if "." in text:
        text = text[: text.index(".") + 1 + _DECIMALS_MAX].rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def content(
    coding: Coding, episode_id: str, action: CodingAction, *, past_filing_limit: bool = False
) -> dict[str, Any]:
    """The fields of a coding event that its id names, as JSON values."""
    told = {
        "action": action.value,
        "code": coding.code.value,
        "code_system": "HCPCS",
        "modifiers": coding.modifiers,
        "units": 1,
        "charge": coding.charge,
        "channel": coding.channel.value,
        "episode_id": episode_id,
        "patient_id": coding.patient_id,
        "encounter_id": coding.encounter_id,
        "payer_id": coding.payer_id,
        "rendering_npi": coding.rendering_npi,
        "facility_id": coding.facility_id,
        "place_of_service": coding.place_of_service,
        "diagnoses": coding.diagnoses,
        "service_date": coding.service_date,
        "instrument": {
            "id": coding.instrument,
            "version": coding.instrument_version,
            "direction": coding.direction,
            "loinc": coding.loinc,
        },
        "baseline": _survey_content(coding.baseline),
        "followup": _survey_content(coding.follow_up),
        "treatment": {
            "treatment_id": coding.treatment.treatment_id,
            "code": coding.treatment.code,
            "modifiers": coding.treatment.modifiers,
            "performed_at": str(coding.treatment.performed_at),
        },
        "change": decimal_text(coding.change),
        "threshold": decimal_text(coding.threshold),
        "policy": {"id": coding.policy[0], "version": coding.policy[1]},
        "program": coding.program,
        "not_available": coding.not_available,
    }
    # Only where it is so: what is decided as before the field was added keeps its id.
    return {**told, "past_filing_limit": True} if past_filing_limit else told


def _survey_content(survey: CodedSurvey) -> dict[str, Any]:
    return {
        "survey_id": survey.survey_id,
        "version": survey.version,
        "score": decimal_text(survey.score),
        "completed_at": str(survey.completed_at),
    }


def event_id_of(told: dict[str, Any], repetition: int) -> str:
    """The id of a coding event with the content *told*, said for the *repetition*-th time (from 0).

    The name is the content as JSON with sorted keys and no white space, in UTF-8; from the second time on,
    ``#`` and the repetition follow. Anybody can compute it anew.
    """
    name = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
    return _uuid5_text(name + b"#%d" % repetition if repetition else name)


def _uuid5_text(name: bytes) -> str:
    """The text of ``uuid.uuid5(EVENT_ID_NAMESPACE, name)``, at a third of the cost (RFC 9562, section 5.5)."""
    named = _NAMESPACE_HASH.copy()
    named.update(name)
    text = named.hexdigest()
    variant = "89ab"[int(text[16], 16) & 0b11]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


_NAMESPACE_HASH = hashlib.sha1(EVENT_ID_NAMESPACE.bytes, usedforsecurity=False)


def coding_event(
    told: dict[str, Any],
    *,
    event_id: str,
    revision: int,
    prior_event_id: str | None,
    decided_at_ms: int,
) -> dict[str, Any]:
    """A whole coding event, as JSON values in the order of the contract."""
    return {
        "event_id": event_id,
        "action": told["action"],
        "revision": revision,
        "prior_event_id": prior_event_id,
        **told,
        "decided_at": rfc3339_of_ms(decided_at_ms),
    }
