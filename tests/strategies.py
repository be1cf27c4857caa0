"""What may be sent about one episode: facts, histories of them, and the ways in which they arrive.

The domains are small on purpose. Two random strings never collide, and it is in collisions that joins go
wrong: one event id with two contents, one version said twice, two surveys in one microsecond.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from schemas.vocabulary import RecordStatus, Respondent, TreatmentCodeSystem
from streams.domain.episode import Arrival
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.instant import US_PER_DAY, Instant
from streams.domain.policy import Policy, Threshold, ThresholdKind
from tests.policies_for_tests import DEFAULT, DEFAULT_RULES, IMPROVED_ONLY, NOT_IMPROVED_TOO

ItemT = TypeVar("ItemT")

DAY_ZERO_US = 1_736_942_400_000_000
"""Noon of 15 January 2025 in UTC, when most treatments are given."""

INSTRUMENTS = ("odi", "nprs", "lefs")
"""Two where less is better, and one where more is; all three have item rules, so a survey may be incomplete."""

_DAYS_BEFORE = (-91, -90, -30, -1, 0)
_DAYS_AFTER = (1, 14, 60, 365, 366)
_BESIDE_US = (0, 0, 0, 1, -1)
_OFFSETS_MINUTES = (0, -300, 330)
_SCORES = tuple(Decimal(text) for text in ("0", "3", "3.4999", "3.5", "7", "10"))
_CODES = ("97110", "97140", "97161", "0001F", "G9603", "g9605", "99213")
_OPTIONAL = st.sampled_from((None, "a", "b"))


def _instants(days: Sequence[int]) -> SearchStrategy[Instant]:
    return st.builds(
        lambda day, beside_us, offset: Instant(DAY_ZERO_US + day * US_PER_DAY + beside_us, offset),
        st.sampled_from(days),
        st.sampled_from(_BESIDE_US),
        st.sampled_from(_OFFSETS_MINUTES),
    )


def surveys(
    days: Sequence[int] = (*_DAYS_BEFORE, *_DAYS_AFTER), *, scores: Sequence[Decimal | None] = (*_SCORES, None)
) -> SearchStrategy[Survey]:
    """Surveys of a few identities, in a few versions of each."""
    return st.builds(
        Survey,
        source=st.sampled_from(("tablet", "portal")),
        event_id=st.integers(1, 20).map(str),
        survey_id=st.sampled_from(("s1", "s2", "s3", "s4", "s5")),
        version=st.integers(1, 3),
        status=st.sampled_from((RecordStatus.COMPLETED, RecordStatus.COMPLETED, *RecordStatus)),
        patient_id=st.sampled_from(("p1", "p2")),
        instrument=st.sampled_from(INSTRUMENTS),
        instrument_version=st.sampled_from((None, None, "2.1")),
        score=st.sampled_from(scores),
        completed_at=_instants(days),
        respondent=st.sampled_from((Respondent.PATIENT, Respondent.PATIENT, Respondent.PROXY)),
        encounter_id=_OPTIONAL,
        facility_id=_OPTIONAL,
        payer_id=st.sampled_from((None, "AETNA", "medicare", "elsewhere")),
        rendering_npi=_OPTIONAL,
        place_of_service=_OPTIONAL,
    )


def treatments(days: Sequence[int] = (-1, 0, 0, 14, 60), *, codes: Sequence[str] = _CODES) -> SearchStrategy[Treatment]:
    """Treatments of a few identities, in a few versions of each; some of them never qualify."""
    return st.builds(
        Treatment,
        source=st.sampled_from(("ehr", "portal")),
        event_id=st.integers(1, 20).map(str),
        treatment_id=st.sampled_from(("t1", "t2", "t3")),
        version=st.integers(1, 3),
        status=st.sampled_from((RecordStatus.COMPLETED, RecordStatus.COMPLETED, *RecordStatus)),
        patient_id=st.sampled_from(("p1", "p2")),
        code=st.sampled_from(codes),
        code_system=st.sampled_from((*[TreatmentCodeSystem.HCPCS] * 4, TreatmentCodeSystem.SNOMED_CT)),
        performed_at=_instants(days),
        modifiers=st.sampled_from(((), ("GP",), ("GP", "KX"))),
        encounter_id=_OPTIONAL,
        facility_id=_OPTIONAL,
        payer_id=st.sampled_from((None, "AETNA", "elsewhere")),
        rendering_npi=_OPTIONAL,
        place_of_service=_OPTIONAL,
        diagnoses=st.sampled_from(((), ("M54.50",), ("M54.50", "M54.16"))),
    )


def facts() -> SearchStrategy[Fact]:
    """Anything that may be told of an episode."""
    return st.one_of(surveys(), treatments())


@st.composite
def histories(draw: DrawFn) -> list[Fact]:
    """What is told of one episode; half of them hold surveys about a treatment, so that there is something to code."""
    told = draw(st.lists(facts(), max_size=8))
    if draw(st.booleans()):
        given = [score for score in _SCORES if score > 0]
        told.append(draw(surveys(_DAYS_BEFORE, scores=given)))
        told.append(draw(treatments((0,), codes=("97110", "97140"))))
        told.append(draw(surveys(_DAYS_AFTER, scores=_SCORES)))
    return told


@st.composite
def arrivals(draw: DrawFn) -> list[Arrival]:
    """A history as it arrives: some of it more than once, at times that need not rise."""
    told = draw(histories())
    again = draw(st.lists(st.sampled_from(told), max_size=4)) if told else []
    times_ms = st.sampled_from((1_750_000_000_000, 1_750_000_000_001, 1_750_000_060_000, 0))
    return [Arrival(fact, draw(times_ms)) for fact in (*told, *again)]


@st.composite
def batches(draw: DrawFn, items: Sequence[ItemT]) -> list[list[ItemT]]:
    """*items* in their order, cut into batches anywhere."""
    cuts = sorted(draw(st.sets(st.integers(1, len(items) - 1)))) if len(items) > 1 else []
    edges = [0, *cuts, len(items)]
    return [list(items[start:end]) for start, end in zip(edges, edges[1:], strict=False)]


def deliveries(arrived: Sequence[Arrival]) -> SearchStrategy[list[list[Arrival]]]:
    """*arrived* in any order, with anything repeated, in any batches."""
    repeated = st.lists(st.sampled_from(arrived), max_size=3) if arrived else st.just([])
    shuffled = repeated.flatmap(lambda again: st.permutations([*arrived, *again]))
    return shuffled.flatmap(batches)


def policies() -> SearchStrategy[Policy]:
    """Rules like the default's, with other numbers."""
    percent = st.builds(Threshold, st.just(ThresholdKind.PERCENT), st.sampled_from((Decimal(30), Decimal(50))))
    points = st.builds(
        Threshold, st.just(ThresholdKind.POINTS), st.sampled_from((Decimal("3.5"), Decimal("3.4999"), Decimal(7)))
    )
    rules = st.builds(
        replace,
        st.just(DEFAULT_RULES),
        look_back_days=st.sampled_from((90, 30, 0)),
        follow_up_from_days=st.sampled_from((0, 14)),
        follow_up_to_days=st.sampled_from((365, 60)),
        threshold=st.one_of(st.just(Threshold()), points, percent),
        respondents=st.sampled_from((DEFAULT_RULES.respondents, frozenset(Respondent))),
        instruments=st.one_of(st.permutations(INSTRUMENTS).map(tuple), st.just(("nprs",))),
    )
    codes = st.sampled_from((IMPROVED_ONLY, NOT_IMPROVED_TOO))
    return st.builds(replace, st.just(DEFAULT), rules=rules, published_codes=codes)
