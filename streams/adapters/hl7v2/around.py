"""What an HL7 v2 message tells of patient, episode, place, performer and payer, by a mapping's places."""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.adapters.hl7v2.message import Segments, told
from streams.adapters.hl7v2.people import identifier, npi
from streams.adapters.mapping import Mapping as SiteMapping


def around(segments: Segments, places: Mapping[str, Sequence[str]], mapping: SiteMapping) -> dict[str, Any]:
    """The contract's fields that a survey and a treatment both have, each None where it is not told.

    Args:
        segments: Of each kind the one that is meant.
        places: Where they are told.
        mapping: Which authority's identifiers are meant.

    Raises:
        FaultError: Several identifiers are told, and no authority is named.
    """
    names = mapping.identifiers
    facility_id = identifier(segments, places["facility_id"], None)
    payer_id = told(segments, places["payer_id"])
    return {
        "episode_id": identifier(segments, places["episode_id"], names.episode),
        "patient_id": identifier(segments, places["patient_id"], names.patient),
        "encounter_id": identifier(segments, places["encounter_id"], names.encounter),
        "facility_id": facility_id,
        "payer_id": None if payer_id in mapping.payers.none else payer_id,
        "rendering_npi": npi(segments, places["rendering_npi"]),
        "place_of_service": mapping.places_of_service.get(facility_id or ""),
    }
