"""The rules of coding, as values. Reading them from a file is ``streams.policies``' work."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache

from schemas.vocabulary import Channel, QualityDataCode, Respondent, TreatmentCodeSystem
from streams.domain.code_set import CodeSet
from streams.domain.fact import Treatment
from streams.domain.instant import US_PER_DAY, Instant
from streams.domain.instrument import Instrument

REFUSED_MODIFIERS: Mapping[str, str] = {
    **dict.fromkeys(
        ("1P", "2P", "3P", "8P"),
        "it reports a performance-measure exclusion and belongs to CPT category II codes",
    ),
    "22": "it says that a procedure took more work than usual, and a quality-data code is no procedure",
    **dict.fromkeys(
        ("25", "50", "52", "53", "59", "62", "66", "76", "77", "80", "82", "AS"),
        "it describes how a service was performed, and a quality-data code is no service",
    ),
}
"""Modifiers that never reach a quality-data code, each with the reason (domain.md, section 1.3)."""


_ANY_POINTS = Decimal(0)
_CODES_REMEMBERED_MAX = 4_096


class ThresholdKind(StrEnum):
    """How much better counts as improved."""

    ANY = "any"
    PUBLISHED = "published"
    POINTS = "points"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least improvement that counts; ``value`` in points or in percent of the baseline."""

    kind: ThresholdKind = ThresholdKind.ANY
    value: Decimal = Decimal(0)

    def points(self, instrument: Instrument, baseline: Decimal) -> Decimal | None:
        """The threshold in score points, or None where the instrument has no published change.

        A published change in points goes before one in percent; met at equality.
        """
        match self.kind:
            case ThresholdKind.ANY:
                return _ANY_POINTS
            case ThresholdKind.POINTS:
                return self.value
            case ThresholdKind.PERCENT:
                return abs(baseline) * self.value / 100
            case ThresholdKind.PUBLISHED:
                published = instrument.published_change
                if published is None:
                    return None
                if published.points is not None:
                    return published.points
                return abs(baseline) * (published.percent_of_baseline or Decimal(0)) / 100


@dataclass(frozen=True)
class Rules:
    """What makes a baseline, an anchor and an improved follow-up. Days are spans of 24 hours."""

    look_back_days: int
    follow_up_from_days: int
    follow_up_to_days: int
    threshold: Threshold
    respondents: frozenset[Respondent]
    instruments: tuple[str, ...]
    """Instrument ids in order of precedence."""
    qualifying: CodeSet
    excluded: CodeSet

    @cached_property
    def look_back_us(self) -> int:
        """The look-back in microseconds."""
        return self.look_back_days * US_PER_DAY

    def in_window(self, elapsed_us: int) -> bool:
        """Whether a follow-up so long after the last treatment is within the window (ends included)."""
        from_us, to_us = self._window_us
        return from_us <= elapsed_us <= to_us

    @cached_property
    def _window_us(self) -> tuple[int, int]:
        return self.follow_up_from_days * US_PER_DAY, self.follow_up_to_days * US_PER_DAY

    def closes_at(self, last: Treatment) -> Instant:
        """When the last window of an episode ends, *last* being its last qualifying treatment; the end is within."""
        return Instant(last.performed_at.epoch_us + self._window_us[1], last.performed_at.utc_offset_minutes)

    def qualifies(self, treatment: Treatment) -> bool:
        """Whether a survey after *treatment* may be a follow-up."""
        return self._qualifies(treatment.code_system, treatment.code)

    def qualifying_of(self, treatments: Iterable[Treatment]) -> list[Treatment]:
        """Those of *treatments* that qualify, in their order."""
        qualifies = self._qualifies
        return [treatment for treatment in treatments if qualifies(treatment.code_system, treatment.code)]

    @cached_property
    def _qualifies(self) -> Callable[[TreatmentCodeSystem, str], bool]:
        # A health system uses some hundred codes, and asks for each of them a million times.
        @lru_cache(maxsize=_CODES_REMEMBERED_MAX)
        def qualifies(system: TreatmentCodeSystem, code: str) -> bool:
            return self.qualifying.matches(system, code) and not self.excluded.matches(system, code)

        return qualifies


@dataclass(frozen=True, slots=True)
class Program:
    """Rules of their own for some instruments or treatments, for example one quality measure's."""

    id: str
    instruments: frozenset[str]
    """Applies to these instruments; to any where empty."""
    treatments: CodeSet
    """Applies to episodes with one of these treatments; to any where empty."""
    rules: Rules

    def applies_to(self, instrument: str, treatments: Sequence[Treatment]) -> bool:
        """Whether *instrument*, in an episode with *treatments*, falls under this program."""
        if self.instruments and instrument not in self.instruments:
            return False
        if not self.treatments.patterns:
            return True
        return any(self.treatments.matches(t.code_system, t.code) for t in treatments)


@dataclass(frozen=True, slots=True)
class PayerRule:
    """How one payer takes the code."""

    id: str
    name: str
    matches: frozenset[str]
    """The ``payer_id`` values that mean this payer, in lower case."""
    channel: Channel
    charge: str
    """``"0.00"`` or ``"0.01"`` US dollars: a quality-data code is not paid, but its line needs a charge."""
    modifiers: tuple[str, ...]
    filing_limit_days: int | None


@dataclass(frozen=True)
class Policy:
    """Everything a decision depends on besides the facts."""

    id: str
    version: str
    description: str
    published_codes: frozenset[QualityDataCode]
    rules: Rules
    programs: tuple[Program, ...]
    payers: tuple[PayerRule, ...]
    other_payer: PayerRule
    instruments: Mapping[str, Instrument]
    retention_days: int | None = None
    """For how long an episode is kept that nothing is heard of; for ever where None."""

    @cached_property
    def closes_windows(self) -> bool:
        """Whether an episode may be coded for want of a follow-up: then time decides, too."""
        return QualityDataCode.RESULTS_NOT_AVAILABLE in self.published_codes

    @cached_property
    def needs_time(self) -> bool:
        """Whether anything is decided by what time it is."""
        return self.closes_windows or self.retention_days is not None

    @cached_property
    def surveys_needed(self) -> int:
        """How many surveys an episode must have to be coded: a baseline, and a follow-up unless its want is coded."""
        return 1 if self.closes_windows else 2

    def program_of(self, instrument: str, treatments: Sequence[Treatment]) -> Program | None:
        """The first program that *instrument* falls under, in an episode with *treatments*."""
        for program in self.programs:
            if program.applies_to(instrument, treatments):
                return program
        return None

    def precedence(self, instrument: str) -> int:
        """The place of *instrument* in the policy's order; after all others where it has none."""
        order = self.rules.instruments
        return order.index(instrument) if instrument in order else len(order)

    def payer_rule(self, payer_id: str | None) -> PayerRule:
        """The rule for *payer_id*; the rule for any other where it is unknown or absent."""
        if payer_id is None:
            return self.other_payer
        return self._payer_by_match.get(payer_id.strip().lower(), self.other_payer)

    @cached_property
    def _payer_by_match(self) -> Mapping[str, PayerRule]:
        # The first that matches counts.
        return {match: payer for payer in reversed(self.payers) for match in payer.matches}
