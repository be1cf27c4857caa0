"""Episodes written in a line, and decisions read back in one, so that a table of them can be read aloud.

    odi 48 @-3d | T | odi 22 @+60d                 is decided as       G9603 odi 48→22
    odi 48 @-3d | T 97140 @+2h | odi 22 @+60d      is decided as       G9603 odi 48→22 by 97140

A survey is its instrument (``odi``, ``odi/2.1`` with a version) and its score (``-``: too few items answered);
a treatment is ``T`` and its code, 97110 where it is left out (``SCT:`` before a SNOMED CT code). Then come, in
any order:

    @-90d-1us       when, counted from noon UTC of day zero, in d, h and us; day zero where it is left out
    utc-5           the offset of the place; UTC where it is left out
    #name           the id that corrections share; a number of its own where it is left out
    v2              the version; 1 where it is left out
    amended, void   the status; void is entered-in-error
    proxy           who answered
    ev:name         the transport event; one of its own where it is left out
"""

import re
from decimal import Decimal

from schemas.vocabulary import RecordStatus, Respondent, TreatmentCodeSystem
from streams.domain.coding import decimal_text
from streams.domain.decision import Coded, Finding, NotCoded
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.instant import US_PER_DAY, Instant

NOON_US = 1_736_942_400_000_000
"""12:00 UTC on 15 January 2025, a Wednesday."""
_UNITS_US = {"d": US_PER_DAY, "h": 3_600_000_000, "us": 1}
_TIME_PART = re.compile(r"([+-]?[0-9]+)(d|h|us)")
_CODE = re.compile(r"(SCT:)?([0-9]{4,}[A-Z]?|[A-Za-z][0-9]{4}|[A-Z]{2,})")
_USUAL_CODE = "97110"
_STATUSES = {"amended": RecordStatus.AMENDED, "void": RecordStatus.ENTERED_IN_ERROR}


def facts_of(episode: str) -> list[Fact]:
    """The facts that the line *episode* tells, in its order."""
    written = [part.split() for part in episode.split("|") if part.strip()]
    return [
        _treatment(words, number) if words[0] == "T" else _survey(words, number) for number, words in enumerate(written)
    ]


def _survey(words: list[str], number: int) -> Survey:
    instrument, _, version = words[0].partition("/")
    marks = _Marks(words[2:], number)
    return Survey(
        "tablet",
        marks.event_id,
        marks.record_id,
        marks.version,
        marks.status,
        "patient-1",
        instrument,
        version or None,
        None if words[1] == "-" else Decimal(words[1]),
        marks.at,
        Respondent.PROXY if "proxy" in words else Respondent.PATIENT,
    )


def _treatment(words: list[str], number: int) -> Treatment:
    coded = _CODE.fullmatch(words[1]) if len(words) > 1 else None
    system, _, code = words[1].rpartition(":") if coded else ("", "", _USUAL_CODE)
    marks = _Marks(words[2 if coded else 1 :], number)
    return Treatment(
        "ehr",
        marks.event_id,
        marks.record_id,
        marks.version,
        marks.status,
        "patient-1",
        code,
        TreatmentCodeSystem.SNOMED_CT if system else TreatmentCodeSystem.HCPCS,
        marks.at,
    )


class _Marks:
    """What surveys and treatments are both marked with; a word that is none is a mistake in a table."""

    def __init__(self, words: list[str], number: int) -> None:
        self.event_id = self.record_id = str(number)
        self.version = 1
        self.status = RecordStatus.COMPLETED
        elapsed_us, offset_minutes = 0, 0
        for word in words:
            if word.startswith("@"):
                elapsed_us = sum(int(count) * _UNITS_US[unit] for count, unit in _TIME_PART.findall(word))
            elif word.startswith("utc"):
                offset_minutes = int(word.removeprefix("utc")) * 60
            elif word.startswith("#"):
                self.record_id = word
            elif word.startswith("ev:"):
                self.event_id = word
            elif re.fullmatch(r"v[1-9]", word):
                self.version = int(word[1:])
            elif word != "proxy":
                self.status = _STATUSES[word]
        self.at = Instant(NOON_US + elapsed_us, offset_minutes)


def outcome(decision: Coded | NotCoded) -> str:
    """*decision* in a line: the code and what it rests on, or the stage that failed and the reason."""
    if isinstance(decision, NotCoded):
        return f"{decision.missing.stage}: {decision.missing.reason}"
    scale = _scale(decision.baseline.instrument, decision.baseline.instrument_version)
    before = decimal_text(decision.baseline.score or Decimal(0))
    anchor = f" by {decision.anchor.code}" if decision.anchor.code != _USUAL_CODE else ""
    if decision.comparison is None:
        return f"{decision.code} {scale} {before} closed {decision.served_at.local_date}{anchor}"
    return f"{decision.code} {scale} {before}→{decimal_text(decision.comparison.follow_up.score or Decimal(0))}{anchor}"


def reached(finding: Finding) -> str:
    """How far one instrument came, in a line."""
    scale = _scale(finding.instrument, finding.instrument_version)
    return f"{scale} {finding.missing.stage}: {finding.missing.reason}" if finding.missing else f"{scale} improved"


def _scale(instrument: str, version: str | None) -> str:
    return f"{instrument}/{version}" if version else instrument
