"""What Synthea's bundles lack: episodes of care.

An episode is one patient's one condition, measured by one instrument, and its id says just that. A survey opens it;
every procedure that is about the condition joins it, so one procedure that treats two conditions is recorded twice,
each time in an episode of its own. What is about none of our conditions is left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from streams.adapters.fhir.datatypes import EPISODE_OF_CARE, LOINC, SNOMED_CT
from streams.demo.synthea.measures import Measure, MeasureTable

Json: TypeAlias = Mapping[str, Any]
"""A FHIR resource or data type, as JSON."""


def with_episodes(bundle: Json, table: MeasureTable) -> dict[str, Any]:
    """*bundle*, in which surveys and treatments say of which episode they are."""
    entries = [told for entry in bundle.get("entry", ()) for told in _entries(entry, table)]
    return {**bundle, "entry": entries}


def _entries(entry: Json, table: MeasureTable) -> Iterator[Json]:
    resource = entry["resource"]
    match resource["resourceType"]:
        case "Observation":
            for measure in _first_known(resource, LOINC, table.by_loinc):
                yield {**entry, "resource": _of_episode(resource, measure)}
        case "Procedure":
            resource_id = resource.get("id") or entry["fullUrl"].rpartition(":")[2]
            for measure in _first_known(resource, SNOMED_CT, table.by_snomed_ct):
                treatment_id = f"{resource_id}:{measure.condition}:{measure.instrument}"
                told = {**_of_episode(resource, measure), "id": treatment_id}
                yield {"fullUrl": f"{entry['fullUrl']}:{measure.condition}:{measure.instrument}", "resource": told}
        case _:
            yield entry


def _first_known(resource: Json, system: str, table: Mapping[str, tuple[Measure, ...]]) -> tuple[Measure, ...]:
    codings = resource.get("code", {}).get("coding", ())
    known = (table[c["code"]] for c in codings if c.get("system") == system and c.get("code") in table)
    return next(known, ())


def _of_episode(resource: Json, measure: Measure) -> dict[str, Any]:
    patient_id = resource.get("subject", {}).get("reference", "").replace("/", ":").rpartition(":")[2]
    identifier = {"value": measure.episode_id(patient_id)}
    episode = {"url": EPISODE_OF_CARE, "valueReference": {"type": "EpisodeOfCare", "identifier": identifier}}
    return {**resource, "extension": [*resource.get("extension", ()), episode]}
