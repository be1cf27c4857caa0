"""Coding events as HL7 v2.5.1 detail financial transactions (DFT^P03): charges (CG), and credits (CD) that undo them.

HL7 v2.5.1, chapter 6 (financial management). `README.md` beside this file has every field.
"""

from collections.abc import Iterator, Mapping, Sequence

from schemas.coding_event import CodingEvent
from streams.billing.chain import Told

_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": "\\X0D\\", "\n": "\\X0A\\"}
_ESCAPE = str.maketrans(_ESCAPES)
_NAME_NOT_TOLD = "^^^^^^U"
"""PID-5 is required, and no name is on our topics (HL7 table 0200: U, unspecified)."""
_NPI = "NPI&2.16.840.1.113883.4.6&ISO"

Field = str | Sequence[str]
"""Its text, escaped; or its repetitions."""


def dft_messages(told: Told) -> Iterator[str]:
    """What a change comes to: at most one message, with the credit before the charge. Segments end with CR.

    What is no charge any more, or another one, is taken back under the id that it was charged with.
    """
    charges = [(kind, event) for kind, event in (("CD", told.taken_back), ("CG", told.charged)) if event is not None]
    if charges:
        transactions = [_ft1(number, kind, event, told.event) for number, (kind, event) in enumerate(charges, start=1)]
        yield "".join([*_head(told.event), *transactions])


def _head(event: CodingEvent) -> Iterator[str]:
    decided_at = _timestamp(event)
    yield f"MSH|^~\\&|G9603||||{decided_at}||DFT^P03^DFT_P03|{event.event_id}|P|2.5.1\r"
    yield _segment("EVN", {1: "P03", 2: decided_at})
    yield _segment("PID", {3: _text(event.patient_id), 5: _NAME_NOT_TOLD})
    visit = {2: "U", 19: _text(event.encounter_id), 50: _text(event.episode_id)}
    yield _segment("PV1", visit)


def _ft1(number: int, kind: str, event: CodingEvent, cause: CodingEvent) -> str:
    sign = "-" if kind == "CD" and event.charge else ""
    code = f"{event.code}^^HCPCS"
    npi = f"{_text(event.rendering_npi)}^^^^^^^^{_NPI}" if event.rendering_npi else ""
    fields: dict[int, Field] = {
        1: str(number),
        2: str(event.event_id),
        4: f"{event.service_date:%Y%m%d}",
        5: _timestamp(cause),
        6: kind,
        7: code,
        10: str(event.units),
        11: f"{sign}{event.charge}&USD",
        12: f"{event.charge}&USD",
        14: _text(event.payer_id),
        16: f"^^^{_text(event.facility_id)}" if event.facility_id else "",
        19: [f"{_text(diagnosis)}^^I10C" for diagnosis in event.diagnoses],
        20: npi,
        25: code,
        26: list(event.modifiers),
    }
    return _segment("FT1", fields)


def _segment(name: str, fields: Mapping[int, Field]) -> str:
    values = ("" if number not in fields else _field(fields[number]) for number in range(1, max(fields) + 1))
    return f"{'|'.join((name, *values))}\r"


def _field(value: Field) -> str:
    return value if isinstance(value, str) else "~".join(value)


def _text(value: str | None) -> str:
    """*value*, escaped (chapter 2, section 2.7)."""
    return (value or "").translate(_ESCAPE)


def _timestamp(event: CodingEvent) -> str:
    return f"{event.decided_at:%Y%m%d%H%M%S%z}"
