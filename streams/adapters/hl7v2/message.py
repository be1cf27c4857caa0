"""An HL7 v2 message, by python-hl7: its segments, patient by patient, and what stands at a place in one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import hl7
from hl7.util import unescape

from streams.adapters.adaptation import FaultError, FaultReason

Segment: TypeAlias = Any
"""A segment as python-hl7 has it, which comes without types."""
Segments: TypeAlias = Mapping[str, Segment]
"""Of each kind the one that is meant."""

_START_OF_BLOCK, _END_OF_BLOCK = b"\x0b", b"\x1c"
"""Of the minimal lower layer protocol, which some engines leave on."""
_CHARACTER_SET_INDEX = 17
_ENCODINGS = {
    "": "utf-8",
    "ASCII": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "8859/1": "iso-8859-1",
    "8859/15": "iso-8859-15",
}
"""Table 0211, as far as Python's encodings are the same."""
_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})-([1-9][0-9]?)(?:\.([1-9][0-9]?))?(?:\.([1-9][0-9]?))?")
_DELETED = '""'


class Place(NamedTuple):
    """Where something stands: segment, field, component, subcomponent."""

    segment: str
    field: int
    component: int
    subcomponent: int


@cache
def place(text: str) -> Place:
    """The place that *text*, as ``PID-3.4.1``, names; of a part that is not named, the first."""
    found = _PLACE.fullmatch(text)
    if found is None:
        message = f"{text} is no place in a segment: write it as PID-3.1."
        raise ValueError(message)
    segment, *numbers = found.groups()
    return Place(segment, *(int(number or 1) for number in numbers))


class Hl7Message:
    """The segments of one record.

    Args:
        value: One message.

    Raises:
        FaultError: It is none.
    """

    def __init__(self, value: bytes) -> None:
        text = _decoded(value.strip(_START_OF_BLOCK + _END_OF_BLOCK + b"\r\n"))
        lines = [line for line in re.split(r"[\r\n]+", text) if line]
        if not lines or not lines[0].startswith("MSH") or len(lines[0]) < len("MSH|^~\\&|"):
            raise FaultError(FaultReason.NOT_HL7, "The value does not begin with an MSH segment.")
        try:
            self.segments: Sequence[Segment] = hl7.parse("\r".join(lines))
        except Exception:  # noqa: BLE001 - python-hl7 fails as it happens to; its words show what it read
            raise FaultError(FaultReason.NOT_HL7, "The value cannot be read as HL7 v2.") from None
        self.head = self.segments[0]
        self.kind = f"{text_at(self.head, 9, 1)}^{text_at(self.head, 9, 2)}"

    def patients(self) -> Iterator[Sequence[Segment]]:
        """The segments of each patient, from PID on."""
        block: list[Segment] = []
        for segment in self.segments:
            if name_of(segment) == "PID" and block:
                yield block
                block = []
            if block or name_of(segment) == "PID":
                block.append(segment)
        if block:
            yield block

    def around(self, block: Sequence[Segment]) -> dict[str, Segment]:
        """Of each kind the first segment of a patient's *block*, or of the message before it."""
        first: dict[str, Segment] = {}
        for segment in (*block, *self.segments):
            first.setdefault(name_of(segment), segment)
        return first


def name_of(segment: Segment) -> str:
    """What kind of segment it is."""
    return str(segment[0])


def text_at(segment: Segment, field: int, component: int = 1, subcomponent: int = 1, *, repetition: int = 1) -> str:
    """What stands there, without escapes; empty where nothing does, or where it is told to be deleted.

    Raises:
        FaultError: An escape cannot be read.
    """
    part: Any = segment
    # As python-hl7's own `extract_field`, at a fifth of its cost: a part that has no parts is its own first.
    for index in (field, repetition - 1, component - 1, subcomponent - 1):
        if isinstance(part, str):
            if index:
                return ""
        elif index < len(part):
            part = part[index]
        else:
            return ""
    if segment.esc in part:
        try:
            part = unescape(segment, part)
        except Exception:  # noqa: BLE001 - it fails as it happens to
            detail = f"{name_of(segment)}-{field} has an escape that cannot be read."
            raise FaultError(FaultReason.INVALID, detail) from None
    return "" if part == _DELETED else part.strip()


def repetitions(segment: Segment, field: int) -> range:
    """The numbers of a field's repetitions."""
    return range(1, len(segment(field)) + 1) if field < len(segment) else range(0)


def told(segments: Segments, places: Sequence[str]) -> str | None:
    """What the first of *places* that tells anything tells."""
    for text in places:
        at = place(text)
        segment = segments.get(at.segment)
        found = text_at(segment, at.field, at.component, at.subcomponent) if segment is not None else ""
        if found:
            return found
    return None


def _decoded(value: bytes) -> str:
    fields = re.split(rb"[\r\n]", value, maxsplit=1)[0].split(value[3:4] or b"|")
    named = fields[_CHARACTER_SET_INDEX] if len(fields) > _CHARACTER_SET_INDEX else b""
    encoding = _ENCODINGS.get(named.split(b"~")[0].decode("ascii", "replace").strip().upper())
    if encoding is None:
        raise FaultError(FaultReason.NOT_HL7, f"MSH-18 is none of {', '.join(filter(None, _ENCODINGS))}.")
    try:
        return value.decode(encoding)
    except UnicodeDecodeError:
        detail = "The value is not in the character set that MSH-18 names; where it names none, that is UTF-8."
        raise FaultError(FaultReason.NOT_HL7, detail) from None
