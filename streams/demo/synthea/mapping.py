"""What a patient's FHIR bundle means in our two events, and what it leaves open.

An episode is one patient's one condition, measured by one instrument. Synthea has no EpisodeOfCare, so its id
says just that. A survey opens the episode; every procedure that is about the condition joins it, so one
procedure that treats two conditions is recorded twice, each time in an episode of its own.

A field that a bundle does not tell is left out, never filled in. Everything but `events_of` is pure.
"""

import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from schemas.vocabulary import RecordStatus
from streams.demo.synthea.fhir_bundle import (
    LOINC,
    Bundle,
    Resource,
    codes,
    decimal_text,
    instant,
    referenced_id,
)
from streams.demo.synthea.visits import Visits

Event: TypeAlias = dict[str, Any]
"""One `SurveyCompleted` or `TreatmentRecorded`, as JSON values."""

_SURVEY_STATUS: Mapping[str | None, RecordStatus] = {
    "final": RecordStatus.COMPLETED,
    "amended": RecordStatus.AMENDED,
    "corrected": RecordStatus.AMENDED,
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
}
"""By Observation.status (hl7.org/fhir/R4/valueset-observation-status.html); the others are no results."""

_TREATMENT_STATUS: Mapping[str | None, RecordStatus] = {
    "completed": RecordStatus.COMPLETED,
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
}
"""By Procedure.status (hl7.org/fhir/R4/valueset-event-status.html); the others were not, or not yet, done."""

_BUNDLES_PER_REPORT = 20


@dataclass(frozen=True, slots=True)
class _Measure:
    """An instrument, and the condition that it is asked for."""

    condition: str
    instrument: str

    def episode_id(self, patient_id: str) -> str:
        return f"{patient_id}:{self.condition}:{self.instrument}"


@dataclass(frozen=True, slots=True)
class _Table:
    """``mapping.toml``, turned round: from the code that a bundle holds to what it measures or is about."""

    source: str
    by_loinc: Mapping[str, _Measure]
    by_snomed: Mapping[str, tuple[_Measure, ...]]


@cache
def _table() -> _Table:
    toml = tomllib.loads(resources.files(__package__).joinpath("mapping.toml").read_text("utf-8"))
    by_loinc: dict[str, _Measure] = {}
    by_snomed: defaultdict[str, tuple[_Measure, ...]] = defaultdict(tuple)
    for condition, about in toml["conditions"].items():
        measures = {code: _Measure(condition, instrument) for code, instrument in about["surveys"].items()}
        by_loinc |= measures
        for code in (*about["treatments"], *about["assessments"]):
            by_snomed[code] += tuple(measures.values())
    return _Table(toml["source"], by_loinc, by_snomed)


def map_bundle(bundle: Mapping[str, Any]) -> list[Event]:
    """The events in one patient's *bundle*: surveys, then the treatments of the episodes that they open.

    Args:
        bundle: FHIR R4 as JSON, its numbers as int or Decimal.
    """
    chart = Bundle(bundle)
    visits = Visits(chart)
    surveys = [
        survey for observation in chart.of_type("Observation") for survey in _surveys(observation, chart, visits)
    ]
    opened = {survey["episode_id"] for survey in surveys}
    treatments = (
        treatment for procedure in chart.of_type("Procedure") for treatment in _treatments(procedure, chart, visits)
    )
    return [*surveys, *(treatment for treatment in treatments if treatment["episode_id"] in opened)]


def events_of(bundles: Iterable[Path], on_progress: Callable[[str], None]) -> list[Event]:
    """The events in all *bundles*, in the order in which they happened: as an interface engine would send them.

    Args:
        bundles: Files of one FHIR bundle each.
        on_progress: Told, in a sentence, how far it is.
    """
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    events: list[Event] = []
    for count, path in enumerate(bundles, start=1):
        events += map_bundle(decoder.decode(path.read_bytes()))
        if count % _BUNDLES_PER_REPORT == 0:
            on_progress(f"Read {count} of Synthea's patients: {len(events)} events.")
    return sorted(events, key=_when)


def _when(event: Event) -> tuple[datetime, str]:
    return datetime.fromisoformat(event.get("completed_at") or event["performed_at"]), event["event_id"]


def _surveys(observation: Resource, chart: Bundle, visits: Visits) -> Iterator[Event]:
    """The survey that *observation* is, or nothing."""
    table = _table()
    measure = next((table.by_loinc[c] for c in codes(observation.get("code"), LOINC) if c in table.by_loinc), None)
    patient_id = referenced_id(observation.get("subject"))
    status = _SURVEY_STATUS.get(observation.get("status"))
    score = decimal_text(observation)
    answered = observation.get("effectiveDateTime") or observation.get("effectivePeriod", {}).get("end")
    completed_at = instant(answered)
    if None in (measure, patient_id, status, score, completed_at):
        return
    yield ...
