"""Records that hold a canary in every place that a producer can fill, and the search for canaries where none may be."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from schemas.patient_merged import PatientMerged
from schemas.survey_completed import SurveyCompleted
from schemas.treatment_recorded import TreatmentRecorded
from streams.intake.rejection import RejectionReason

CANARY = "CANARY"
SCORE = 41.3759
"""A canary among the numbers: nothing else is 41.3759."""
MARKS = (CANARY.encode(), CANARY.lower().encode(), str(SCORE).encode())

_OF_SURVEYS = {
    "version": 1,
    "status": "completed",
    "instrument": "odi",
    "score": SCORE,
    "answers": None,
    "respondent": "patient",
    "completed_at": "2026-01-05T09:00:00Z",
}
_OF_TREATMENTS = {
    "version": 1,
    "status": "completed",
    "code": "97110",
    "code_system": "HCPCS",
    "modifiers": [],
    "diagnoses": [],
    "performed_at": "2026-02-05T09:00:00Z",
}
_OF_MERGES = {"action": "merge", "merged_at": "2026-02-05T09:00:00Z"}
HEADERS = (
    ("ce_specversion", b"1.0"),
    *((f"ce_{name}", f"{CANARY}-ce-{name}".encode()) for name in ("id", "source", "type", "subject", "extension")),
    (f"x-{CANARY}", f"{CANARY}-header".encode()),
)
KEY = f"{CANARY}-key".encode()


class Sent(NamedTuple):
    """A record as a producer sends it."""

    topic: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = HEADERS
    key: bytes = KEY


def survey(episode: int = 1, **changes: object) -> Sent:
    """A survey whose every field that takes any text is a canary."""
    return Sent("survey-completed", _json(_filled(SurveyCompleted.model_fields, _OF_SURVEYS, episode) | changes))


def treatment(episode: int = 1, **changes: object) -> Sent:
    """A treatment, the same."""
    told = _filled(TreatmentRecorded.model_fields, _OF_TREATMENTS, episode)
    told["event_id"] = f"{CANARY}-treated-{episode}"  # one source does not use an id twice
    return Sent("treatment-recorded", _json(told | changes))


def merge(number: int = 1, **changes: object) -> Sent:
    """A merge of patients, the same."""
    return Sent("patient-merged", _json(_filled(PatientMerged.model_fields, _OF_MERGES, number) | changes))


def care(episodes: Iterable[int]) -> list[Sent]:
    """Of each episode a baseline, a treatment and a follow-up that is better: a code each."""
    return [
        sent
        for episode in episodes
        for sent in (
            survey(episode),
            treatment(episode),
            survey(
                episode,
                event_id=f"{CANARY}-later-{episode}",
                survey_id=f"{CANARY}-follow-up-{episode}",
                score=12.5,
                completed_at="2026-03-05T09:00:00Z",
            ),
        )
    ]


def poison() -> dict[RejectionReason, Sent]:
    """One record for each reason to reject one by itself, with canaries where the fault is, too."""
    anything = {name: {CANARY: [CANARY]} for name in (*SurveyCompleted.model_fields, f"{CANARY}-name")}
    versioned = tuple(
        (name, f"{CANARY}-version".encode() if name == "ce_specversion" else value) for name, value in HEADERS
    )
    return {
        RejectionReason.EMPTY: Sent("survey-completed", None),
        RejectionReason.TOO_LARGE: Sent("survey-completed", CANARY.encode() * 50_000),
        RejectionReason.NOT_JSON: Sent("treatment-recorded", f'{{"patient_id": "{CANARY}", {CANARY}'.encode()),
        RejectionReason.INVALID: Sent("survey-completed", _json(anything)),
        RejectionReason.INVALID_TIME: survey(completed_at=f"{CANARY}-time"),
        RejectionReason.UNSUPPORTED_CLOUDEVENT: survey()._replace(headers=versioned),
        RejectionReason.UNKNOWN_INSTRUMENT: survey(instrument=f"{CANARY}-instrument"),
        RejectionReason.SCORE_OUT_OF_RANGE: survey(score=f"1{SCORE}"),
        RejectionReason.ANSWERS_INVALID: survey(answers=[1, 2]),
        RejectionReason.NO_ITEM_RULE: survey(instrument="promis_pi", score=None, answers=[1, 2]),
        RejectionReason.SCORE_MISMATCH: survey(answers=[1] * 10),
    }


def each_field_broken() -> list[Sent]:
    """For each field of the messages a record whose only fault is a canary in that field, as text, list and object."""
    kinds = (
        (survey, SurveyCompleted.model_fields),
        (treatment, TreatmentRecorded.model_fields),
        (merge, PatientMerged.model_fields),
    )
    wrong: tuple[object, ...] = (f"{CANARY}-{'x' * 300}", [CANARY], {CANARY: CANARY})
    return [make(1, **{name: value}) for make, fields in kinds for name in fields for value in wrong]


def found_in(text: bytes) -> list[bytes]:
    """The canaries in *text*, each with what stands around it."""
    places = [text.find(mark) for mark in MARKS]
    return [text[max(place - 60, 0) : place + 60] for place in places if place >= 0]


def found_under(folder: Path) -> dict[str, list[bytes]]:
    """The files under *folder* with canaries in their names or in what they hold."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    found = {str(path): found_in(str(path.relative_to(folder)).encode() + b"\n" + path.read_bytes()) for path in files}
    return {name: places for name, places in found.items() if places}


def _filled(fields: Iterable[str], fixed: Mapping[str, object], episode: int) -> dict[str, Any]:
    return {name: fixed.get(name, f"{CANARY}-{name}-{episode}") for name in fields} | {
        f"{CANARY}_unknown": f"{CANARY}-unknown"
    }


def _json(told: Mapping[str, object]) -> bytes:
    return json.dumps(told).encode()
