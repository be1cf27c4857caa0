"""Who is meant by a field of identifiers, or of names: HL7 v2's CX and XCN."""

from collections.abc import Sequence

from streams.adapters.adaptation import FaultError, FaultReason
from streams.adapters.hl7v2.message import Segments, place, repetitions, text_at

_AUTHORITY = 4
"""CX.4, the assigning authority; PLAC, its first subcomponent."""
_NPI = ("NPI", "2.16.840.1.113883.4.6")
_XCN_AUTHORITY, _XCN_TYPE = 9, 13


def identifier(segments: Segments, places: Sequence[str], authority: str | None) -> str | None:
    """What is told at the first of *places*: of several, the one that *authority* has given.

    Raises:
        FaultError: Several are told, and no authority is named.
    """
    for text in places:
        at = place(text)
        segment = segments.get(at.segment)
        numbers = repetitions(segment, at.field) if segment is not None else ()
        found = {
            text_at(segment, at.field, at.component, at.subcomponent, repetition=number)
            for number in numbers
            if authority is None or text_at(segment, at.field, _AUTHORITY, repetition=number) == authority
        } - {""}
        if len(found) > 1:
            detail = f"{text} tells {len(found)} identifiers: name the authority whose is meant, in [identifiers]."
            raise FaultError(FaultReason.AMBIGUOUS, detail)
        if found:
            return found.pop()
    return None


def npi(segments: Segments, places: Sequence[str]) -> str | None:
    """The NPI of the one who is told at the first of *places* where there is any; None where there are several."""
    for text in places:
        at = place(text)
        segment = segments.get(at.segment)
        found = {
            text_at(segment, at.field, repetition=number)
            for number in (repetitions(segment, at.field) if segment is not None else ())
            if text_at(segment, at.field, _XCN_TYPE, repetition=number) == "NPI"
            or text_at(segment, at.field, _XCN_AUTHORITY, repetition=number) in _NPI
            or text_at(segment, at.field, _XCN_AUTHORITY, 2, repetition=number) in _NPI
        } - {""}
        if found:
            return found.pop() if len(found) == 1 else None
    return None
