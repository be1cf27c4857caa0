"""What a patient's FHIR bundle means in our two events, and what it leaves open.

An episode is one patient's one condition, measured by one instrument. Synthea has no EpisodeOfCare, so its id
says just that. A survey opens the episode; every procedure that is about the condition joins it, so one
procedure that treats two conditions is recorded twice, each time in an episode of its own.

A field that a bundle does not tell is left out, never filled in. Everything but `events_of` is pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from schemas.vocabulary import RecordStatus, Respondent, TreatmentCodeSystem
from streams.demo.synthea.fhir_bundle import (
    ICD_10_CM,
    LOINC,
    SNOMED_CT,
    Bundle,
    Resource,
    codes,
    decimal_text,
    instant,
    referenced_id,
    version_number,
)
from streams.demo.synthea.measures import measure_table
from streams.demo.synthea.visits import Visits

Event: TypeAlias = dict[str, Any]
"""One `SurveyCompleted` or `TreatmentRecorded`, as JSON values."""

_SURVEY_STATUS = {
    "final": RecordStatus.COMPLETED,
    "amended": RecordStatus.AMENDED,
    "corrected": RecordStatus.AMENDED,
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
}
"""By Observation.status (hl7.org/fhir/R4/valueset-observation-status.html); the others are no results."""

_TREATMENT_STATUS = {
    "completed": RecordStatus.COMPLETED,
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
}
"""By Procedure.status (hl7.org/fhir/R4/valueset-event-status.html); the others were not, or not yet, done."""

_BUNDLES_PER_REPORT = 20


def map_bundle(bundle: Mapping[str, Any]) -> list[Event]:
    """The events in one patient's *bundle*: surveys, then the treatments of the episodes that they open.

    Args:
        bundle: FHIR R4 as JSON, its numbers as int or Decimal.
    """
    record = _PatientRecord(bundle)
    surveys = list(record.surveys())
    opened = {survey["episode_id"] for survey in surveys}
    return [*surveys, *(treatment for treatment in record.treatments() if treatment["episode_id"] in opened)]


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


class _PatientRecord:
    """One bundle, with what is looked up for each of its resources."""

    def __init__(self, bundle: Resource) -> None:
        self._bundle = Bundle(bundle)
        self._visits = Visits(self._bundle)

    def surveys(self) -> Iterator[Event]:
        """The results of our instruments; one without a number, or without its time, is none."""
        measures = measure_table().by_loinc
        for observation in self._bundle.of_type("Observation"):
            loinc = _first_known(codes(observation.get("code"), LOINC), measures)
            patient_id = referenced_id(observation.get("subject"))
            status = _SURVEY_STATUS.get(observation.get("status", ""))
            score = decimal_text(observation)
            completed_at = instant(observation.get("effectiveDateTime"))
            if loinc and patient_id and status and score and completed_at:
                yield self._event(
                    observation,
                    observation["id"],
                    survey_id=observation["id"],
                    status=status,
                    episode_id=measures[loinc].episode_id(patient_id),
                    patient_id=patient_id,
                    instrument=measures[loinc].instrument,
                    score=score,
                    completed_at=completed_at,
                    respondent=self._respondent(observation),
                )

    def treatments(self) -> Iterator[Event]:
        """The procedures that are about our conditions, once per episode that they may belong to."""
        measures = measure_table().by_snomed_ct
        for procedure in self._bundle.of_type("Procedure"):
            code = _first_known(codes(procedure.get("code"), SNOMED_CT), measures)
            patient_id = referenced_id(procedure.get("subject"))
            status = _TREATMENT_STATUS.get(procedure.get("status", ""))
            # What takes an hour treats from its beginning: a survey in its midst is no baseline.
            begun = procedure.get("performedDateTime") or procedure.get("performedPeriod", {}).get("start")
            performed_at = instant(begun)
            if not (code and patient_id and status and performed_at):
                continue
            for measure in measures[code]:
                treatment_id = f"{procedure['id']}:{measure.condition}:{measure.instrument}"
                yield self._event(
                    procedure,
                    treatment_id,
                    treatment_id=treatment_id,
                    status=status,
                    episode_id=measure.episode_id(patient_id),
                    patient_id=patient_id,
                    code=code,
                    code_system=TreatmentCodeSystem.SNOMED_CT,
                    performed_at=performed_at,
                    diagnoses=self._diagnoses(procedure) or None,
                )

    def _event(self, resource: Resource, record_id: str, **fields: object) -> Event:
        """The event on *resource* with *fields* and what both kinds have, as far as they are told."""
        version = version_number(resource)
        told = {
            # Another version is another transport event, or it would count as one already seen.
            "event_id": record_id if version is None else f"{record_id}:{version}",
            "source": measure_table().source,
            "version": version,
            **fields,
            **self._visits.of(resource),
        }
        return {name: value for name, value in told.items() if value is not None}

    def _respondent(self, observation: Resource) -> Respondent | None:
        types = {self._bundle.referenced_type(performer) for performer in observation.get("performer", ())}
        if "RelatedPerson" in types:
            return Respondent.PROXY
        return Respondent.PATIENT if "Patient" in types else None

    def _diagnoses(self, procedure: Resource) -> list[str]:
        """The ICD-10-CM codes among the reasons, each once."""
        conditions = map(self._bundle.referenced, procedure.get("reasonReference", ()))
        reasons = [*procedure.get("reasonCode", ()), *(c.get("code") for c in conditions if c is not None)]
        return list(dict.fromkeys(code for reason in reasons for code in codes(reason, ICD_10_CM)))


def _first_known(candidates: Iterable[str], table: Mapping[str, object]) -> str | None:
    return next((code for code in candidates if code in table), None)
