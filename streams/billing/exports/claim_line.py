"""Coding events as service lines of an X12 837P claim (005010X222A1): loop 2400, and what its claim must say of itself.

Which claim a line belongs to, billing knows and we do not. `README.md` beside this file has every element.
"""

from typing import Any

from schemas.coding_event import CodingEvent
from streams.billing.chain import Told

_ORIGINAL, _REPLACEMENT, _VOID = "1", "7", "8"
"""CLM05-3, the claim frequency code (NUBC): 7 and 8 need the payer's control number of the claim, in REF*F8."""
_POINTERS_MAX = 4
"""SV107 points to so many of the claim's diagnoses."""


def claim_line(told: Told) -> dict[str, Any] | None:
    """What a change comes to on claims, as JSON values; None where it comes to nothing.

    ``segments`` are those of the line, but for its number: LX is the claim's. ``diagnoses`` are those that its pointers
    mean, in this order; where there is none the line cannot be valid, for SV107 is required.
    """
    line = told.charged or told.taken_back
    if line is None:
        return None
    changed = _VOID if told.charged is None else _REPLACEMENT
    return {
        "event_id": str(told.event.event_id),
        "episode_id": line.episode_id,
        "patient_id": line.patient_id,
        "encounter_id": line.encounter_id,
        "payer_id": line.payer_id,
        "rendering_npi": line.rendering_npi,
        "place_of_service": line.place_of_service,
        "frequency_code": _ORIGINAL if told.taken_back is None else changed,
        "replaces": str(told.taken_back.event_id) if told.taken_back is not None else None,
        "diagnoses": line.diagnoses[:_POINTERS_MAX],
        "segments": "".join(f"{segment}~" for segment in _segments(line)),
    }


def _segments(line: CodingEvent) -> tuple[str, ...]:
    procedure = ":".join(("HC", line.code.value, *line.modifiers))
    charge = f"{line.charge.normalize():f}"  # X12 type R: no trailing zeros
    pointers = ":".join(str(number + 1) for number in range(min(len(line.diagnoses), _POINTERS_MAX)))
    return (
        f"SV1*{procedure}*{charge}*UN*{line.units}***{pointers}".rstrip("*"),
        f"DTP*472*D8*{line.service_date:%Y%m%d}",
        f"REF*6R*{line.event_id}",
    )
