"""What is coded of an episode as a FHIR R4 ChargeItem (https://hl7.org/fhir/R4/chargeitem.html).

`README.md` beside this file has every element.
"""

from typing import Any

from schemas.coding_event import CodingEvent
from schemas.vocabulary import Channel, CodingAction

HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
NPI = "http://hl7.org/fhir/sid/us-npi"
EPISODE = "urn:g9603:episode"
MODIFIER = "urn:g9603:modifier"

_STATUS = {
    Channel.CLAIM: "billable",
    Channel.BOTH: "billable",
    Channel.REGISTRY: "not-billable",
    Channel.HOLD: "planned",
}


def charge_item(event: CodingEvent) -> dict[str, Any]:
    """The ChargeItem of an episode after *event*, as JSON values; nothing that was not told is in it."""
    told = {
        "resourceType": "ChargeItem",
        "id": str(event.event_id),
        "extension": [{"url": MODIFIER, "valueCode": modifier} for modifier in event.modifiers],
        # One per episode: a receiver puts it in the place of the one with this identifier (conditional update).
        "identifier": [{"system": EPISODE, "value": event.episode_id}],
        "status": "entered-in-error" if event.action is CodingAction.VOID else _STATUS[event.channel],
        "code": {"coding": [{"system": HCPCS, "code": event.code.value}]},
        "subject": reference("Patient", event.patient_id),
        "context": reference("EpisodeOfCare", event.episode_id),
        "occurrenceDateTime": event.service_date.isoformat(),
        "performer": [{"actor": reference("Practitioner", npi, system=NPI)} for npi in _told(event.rendering_npi)],
        "quantity": {"value": event.units},
        "priceOverride": {"value": float(event.charge), "currency": "USD"},  # FHIR has decimals as JSON numbers
        "enteredDate": event.decided_at.isoformat(),
        "reason": [{"coding": [{"system": ICD_10_CM, "code": diagnosis}]} for diagnosis in event.diagnoses],
        "service": [reference("Procedure", event.treatment.treatment_id)],
        "supportingInformation": [
            reference("Observation", event.baseline.survey_id),
            *([reference("Observation", event.followup.survey_id)] if event.has_followup else []),
            *(reference("Encounter", encounter_id) for encounter_id in _told(event.encounter_id)),
        ],
    }
    if event.facility_id is not None:
        told["performingOrganization"] = reference("Organization", event.facility_id)
    return {name: said for name, said in told.items() if said not in ([], None)}


def reference(kind: str, value: str, *, system: str | None = None) -> dict[str, Any]:
    """A logical reference (https://hl7.org/fhir/R4/references.html#logical): by identifier, for we know no URLs."""
    identifier = {"value": value} if system is None else {"system": system, "value": value}
    return {"type": kind, "identifier": identifier}


def _told(value: str | None) -> list[str]:
    return [] if value is None else [value]
