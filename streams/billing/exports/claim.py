"""Coding events as FHIR R4 Claims (https://hl7.org/fhir/R4/claim.html): one for each charge, cancelled where void.

`README.md` beside this file has every element.
"""

from typing import Any

from schemas.coding_event import CodingEvent
from streams.billing.chain import Told
from streams.billing.exports.charge_item import HCPCS, ICD_10_CM, NPI, reference

PLACE_OF_SERVICE = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
EVENT = "urn:g9603:coding-event"

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_NOT_TOLD = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
}
"""Where FHIR requires a reference, and nobody has told one."""


def claim(told: Told) -> dict[str, Any] | None:
    """What a change comes to as a Claim, as JSON values; None where it comes to nothing.

    A charge is a Claim of its own, related to the one that it takes the place of; what is no charge any more is the
    Claim that charged it, cancelled.
    """
    line = told.charged or told.taken_back
    if line is None:
        return None
    replaced = told.taken_back if told.charged is not None else None
    numbers = list(range(1, len(line.diagnoses) + 1))
    npi, payer, event_id = line.rendering_npi, line.payer_id, str(line.event_id)
    made = {
        "resourceType": "Claim",
        "id": event_id,
        # A receiver puts it in the place of the one with this identifier (conditional update).
        "identifier": [{"system": EVENT, "value": event_id}],
        "status": "active" if told.charged is not None else "cancelled",
        "type": _concept("claim-type", "professional"),
        "use": "claim",
        "patient": reference("Patient", line.patient_id),
        "created": told.event.decided_at.isoformat(),
        "provider": _provider(line),
        "priority": _concept("processpriority", "normal"),
        "related": [_replaces(replaced)] if replaced is not None else [],
        "careTeam": [{"sequence": 1, "provider": reference("Practitioner", npi, system=NPI)}] if npi else [],
        "diagnosis": [
            {"sequence": number, "diagnosisCodeableConcept": {"coding": [{"system": ICD_10_CM, "code": code}]}}
            for number, code in zip(numbers, line.diagnoses, strict=True)
        ],
        "insurance": [
            {"sequence": 1, "focal": True, "coverage": {"display": payer} if payer is not None else _NOT_TOLD}
        ],
        "item": [_item(line, numbers)],
        "total": _money(line),
    }
    return _without_empty(made)


def _item(line: CodingEvent, diagnoses: list[int]) -> dict[str, Any]:
    place = line.place_of_service
    item = {
        "sequence": 1,
        "careTeamSequence": [1] if line.rendering_npi else [],
        "diagnosisSequence": diagnoses,
        "productOrService": {"coding": [{"system": HCPCS, "code": line.code.value}]},
        "modifier": [{"coding": [{"system": HCPCS, "code": modifier}]} for modifier in line.modifiers],
        "servicedDate": line.service_date.isoformat(),
        "locationCodeableConcept": {"coding": [{"system": PLACE_OF_SERVICE, "code": place}]} if place else None,
        "quantity": {"value": line.units},
        "unitPrice": _money(line),
        "net": _money(line),
        "encounter": [reference("Encounter", line.encounter_id)] if line.encounter_id else [],
    }
    return _without_empty(item)


def _provider(line: CodingEvent) -> dict[str, Any]:
    if line.facility_id is not None:
        return reference("Organization", line.facility_id)
    if line.rendering_npi is not None:
        return reference("Practitioner", line.rendering_npi, system=NPI)
    return _NOT_TOLD


def _replaces(replaced: CodingEvent) -> dict[str, Any]:
    return {
        "claim": reference("Claim", str(replaced.event_id), system=EVENT),
        "relationship": _concept("ex-relatedclaimrelationship", "prior"),
    }


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{_TERMINOLOGY}/{system}", "code": code}]}


def _money(line: CodingEvent) -> dict[str, Any]:
    return {"value": float(line.charge), "currency": "USD"}  # FHIR has decimals as JSON numbers


def _without_empty(made: dict[str, Any]) -> dict[str, Any]:
    return {name: said for name, said in made.items() if said not in ([], None)}
