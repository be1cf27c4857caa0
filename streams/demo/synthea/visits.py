"""Where, by whom and at whose cost something was done: what a bundle's encounters and claims tell.

No place of service: Synthea's Claims have none, and its ExplanationOfBenefits name it in FHIR's example code
system (``ex-serviceplace``) and put office visits into the inpatient hospital.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from streams.demo.synthea.fhir_bundle import (
    US_NPI,
    Bundle,
    Resource,
    codes,
    referenced_id,
    referenced_identifier,
)

_PRIMARY_PERFORMER = "PPRF"
_PARTICIPATION_TYPE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_NO_PAYER = "NO_INSURANCE"
"""What Synthea writes as the name of the coverage of a patient who has none."""


class Visits:
    """The encounters of one bundle, with the payers of their claims."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._payers = _payers_by_encounter(bundle.of_type("Claim"))

    def of(self, resource: Resource) -> dict[str, str | None]:
        """The contract's fields on the encounter of *resource*, each None where it is not told."""
        encounter = self._bundle.referenced(resource.get("encounter")) or {}
        encounter_id = encounter.get("id")
        return {
            "encounter_id": encounter_id,
            "facility_id": _agreed(_facilities(resource, encounter)),
            "payer_id": _agreed(self._payers.get(encounter_id, ())),
            "rendering_npi": _agreed(_performers(encounter)),
        }


def _agreed(values: Iterable[str | None]) -> str | None:
    """The one value that all who give any agree on; None where they differ, for choosing would be guessing."""
    given = {value for value in values if value is not None}
    return given.pop() if len(given) == 1 else None


def _facilities(resource: Resource, encounter: Resource) -> Iterator[str | None]:
    """The place of the resource itself, where it has one (a Procedure may), else those of its encounter."""
    if "location" in resource:
        yield referenced_id(resource["location"])
        return
    for place in encounter.get("location", ()):
        yield referenced_id(place.get("location"))


def _performers(encounter: Resource) -> Iterator[str | None]:
    """The NPIs of the encounter's primary performers."""
    for participant in encounter.get("participant", ()):
        types = (code for kind in participant.get("type", ()) for code in codes(kind, _PARTICIPATION_TYPE))
        if _PRIMARY_PERFORMER in types:
            yield referenced_identifier(participant.get("individual"), US_NPI)


def _payers_by_encounter(claims: Iterable[Resource]) -> dict[str | None, set[str]]:
    """By encounter id, who is asked to pay for it."""
    payers: defaultdict[str | None, set[str]] = defaultdict(set)
    for claim in claims:
        named = {
            insurance.get("coverage", {}).get("display")
            for insurance in claim.get("insurance", ())
            if insurance.get("focal")
        }
        for item in claim.get("item", ()):
            for encounter in item.get("encounter", ()):
                payers[referenced_id(encounter)] |= named - {None, _NO_PAYER}
    return payers
