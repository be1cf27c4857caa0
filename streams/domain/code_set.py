"""Which treatment codes a rule means: single codes, ranges and patterns, per code system."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.vocabulary import TreatmentCodeSystem

HCPCS_FORM = re.compile(r"[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}")
"""A CPT (Level I) or HCPCS Level II code; Category II and III codes end in a letter."""
_SNOMED_CT_FORM = re.compile(r"[0-9]{6,18}")
_FORMS = {TreatmentCodeSystem.HCPCS: HCPCS_FORM, TreatmentCodeSystem.SNOMED_CT: _SNOMED_CT_FORM}


@dataclass(frozen=True, slots=True)
class _CodeRange:
    first: str
    last: str

    def __contains__(self, code: str) -> bool:
        return len(code) == len(self.first) and self.first <= code <= self.last


@dataclass(frozen=True, slots=True)
class CodeSet:
    """A set of treatment codes, written as ``SYSTEM:pattern``.

    A pattern is a code (``97110``), a range (``97161-97168``), a code with ``n`` for any digit
    (``nnnnF``), or ``*`` for every code that has the form of its system.
    """

    patterns: tuple[str, ...]
    _singles: frozenset[tuple[TreatmentCodeSystem, str]]
    _ranges: tuple[tuple[TreatmentCodeSystem, _CodeRange], ...]
    _shapes: tuple[tuple[TreatmentCodeSystem, re.Pattern[str]], ...]

    @classmethod
    def of(cls, patterns: Iterable[str]) -> "CodeSet":
        """The set that *patterns* describe.

        Raises:
            ValueError: A pattern is none; the message says what one looks like.
        """
        kept = tuple(patterns)
        singles: set[tuple[TreatmentCodeSystem, str]] = set()
        ranges: list[tuple[TreatmentCodeSystem, _CodeRange]] = []
        shapes: list[tuple[TreatmentCodeSystem, re.Pattern[str]]] = []
        for pattern in kept:
            system, body = _system_and_body(pattern)
            form = _FORMS[system]
            first, dash, last = body.partition("-")
            if body == "*":
                shapes.append((system, form))
            elif dash and form.fullmatch(first) and form.fullmatch(last) and first <= last:
                ranges.append((system, _CodeRange(first, last)))
            elif form.fullmatch(body):
                singles.add((system, body))
            elif "n" in body and form.fullmatch(body.replace("n", "0")):
                shapes.append((system, re.compile(body.replace("n", "[0-9]"))))
            else:
                raise ValueError(_not_a_pattern(pattern))
        return cls(kept, frozenset(singles), tuple(ranges), tuple(shapes))

    def matches(self, system: TreatmentCodeSystem, code: str) -> bool:
        """Whether *code* of *system* is in the set; letters count without case."""
        code = code.upper()
        if (system, code) in self._singles:
            return True
        if any(system is s and code in codes for s, codes in self._ranges):
            return True
        return any(system is s and shape.fullmatch(code) is not None for s, shape in self._shapes)


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
