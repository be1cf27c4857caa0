"""Which treatment codes a rule means: single codes, ranges and patterns, per code system."""

import re
from collections.abc import Callable, Iterable

from schemas.vocabulary import TreatmentCodeSystem

HCPCS_FORM = re.compile(r"[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}")
"""A CPT (Level I) or HCPCS Level II code; Category II and III codes end in a letter."""
_SNOMED_CT_FORM = re.compile(r"[0-9]{6,18}")
_FORMS = {TreatmentCodeSystem.HCPCS: HCPCS_FORM, TreatmentCodeSystem.SNOMED_CT: _SNOMED_CT_FORM}


class CodeSet:
    """A set of treatment codes, written as ``SYSTEM:pattern``.

    A pattern is a code (``97110``), a range (``97161-97168``), a code with ``n`` for any digit
    (``nnnnF``), or ``*`` for every code that has the form of its system. Letters count without case.

    Args:
        patterns: What is in the set.

    Raises:
        ValueError: A pattern is none; the message says what one looks like.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        self._members = tuple(_member(pattern) for pattern in self.patterns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CodeSet) and self.patterns == other.patterns

    def __hash__(self) -> int:
        return hash(self.patterns)

    def __repr__(self) -> str:
        return f"CodeSet({list(self.patterns)!r})"

    def matches(self, system: TreatmentCodeSystem, code: str) -> bool:
        """Whether *code* of *system* is in the set."""
        code = code.upper()
        return any(system is member_system and is_member(code) for member_system, is_member in self._members)


def _member(pattern: str) -> tuple[TreatmentCodeSystem, Callable[[str], bool]]:
    system, body = _system_and_body(pattern)
    form = _FORMS[system]
    first, dash, last = body.partition("-")
    if body == "*":
        return system, lambda code: form.fullmatch(code) is not None
    if dash and form.fullmatch(first) and form.fullmatch(last) and first <= last and _shape(first) == _shape(last):
        shape = _shape(first)
        return system, lambda code: first <= code <= last and _shape(code) == shape
    if form.fullmatch(body):
        return system, lambda code: code == body
    if "n" in body and form.fullmatch(body.replace("n", "0")):
        digits = re.compile(body.replace("n", "[0-9]"))
        return system, lambda code: digits.fullmatch(code) is not None
    raise ValueError(_not_a_pattern(pattern))


def _shape(code: str) -> str:
    """Which places of *code* are digits: 0042T is no code between 00100 and 01999, though text sorts it there."""
    return re.sub("[0-9]", "n", code)


def _system_and_body(pattern: str) -> tuple[TreatmentCodeSystem, str]:
    system, colon, body = pattern.partition(":")
    if not colon or system not in TreatmentCodeSystem._value2member_map_:
        raise ValueError(_not_a_pattern(pattern))
    return TreatmentCodeSystem(system), body


def _not_a_pattern(pattern: str) -> str:
    return (
        f"{pattern!r} names no treatment codes: write HCPCS: or SNOMED-CT: and then a code (97110), "
        "a range (97161-97168), digits as n (nnnnF), or * for all."
    )
