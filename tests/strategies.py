"""What may be sent about one episode: facts, histories of them, and the ways in which they arrive.

The domains are small on purpose. Two random strings never collide, and it is in collisions that joins go
wrong: one event id with two contents, one version said twice, two surveys in one microsecond.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from schemas.vocabulary import PatientMergeAction, RecordStatus, Respondent, TreatmentCodeSystem
from streams.domain.episode import Arrival
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.instant import US_PER_DAY, Instant
from streams.domain.patient_merge import PatientMerge
from streams.domain.policy import Policy, Threshold, ThresholdKind
from tests.policies_for_tests import (
    ALL_CODES,
    DEFAULT,
    DEFAULT_RULES,
    IMPROVED_ONLY,
    NO_RESULT_TOO,
    NOT_IMPROVED_TOO,
)

ItemT = TypeVar("ItemT")

DAY_ZERO_US = 1_736_942_400_000_000
"""Noon of 15 January 2025 in UTC, when most treatments are given."""

INSTRUMENTS = ("odi", "nprs", "lefs")
"""Two where less is better, and one where more is; all three have item rules, so a survey may be incomplete."""

_DAYS_BEFORE = (-91, -90, -30, -1, 0)
_DAYS_AFTER = (1, 14, 60, 365, 366)
PATIENTS = ("p1", "p2", "p3")
_SCORES = tuple(Decimal(text) for text in ("0", "3", "3.4999", "3.5", "7", "10"))
_WORSE_AND_BETTER = tuple((Decimal(a), Decimal(b)) for a, b in (("10", "3"), ("7", "3.5"), ("7", "3.4999"), ("3", "3")))
_CODES = ("97110", "97140", "97161", "0001F", "G9603", "g9605", "99213")

# One draw for what belongs together: Hypothesis' time goes by the number of draws.
_COMPLETED = RecordStatus.COMPLETED
_STATUSES = (_COMPLETED, _COMPLETED, RecordStatus.AMENDED, RecordStatus.ENTERED_IN_ERROR)
_VERSIONS = st.sampled_from([(version, status) for version in (1, 2, 3) for status in _STATUSES])
_EVENTS = st.sampled_from([(source, str(number)) for number in range(1, 151) for source in ("ehr", "portal")])
_SCALES = st.sampled_from([(name, version) for name in INSTRUMENTS for version in (None, None, "2.1")])
_PATIENTS = st.sampled_from([(Respondent.PATIENT, "p1"), (Respondent.PATIENT, "p2"), (Respondent.PROXY, "p1")])
_Place = tuple[str | None, str | None, str | None, str | None, str | None]
"""encounter_id, facility_id, payer_id, rendering_npi, place_of_service"""
_PLACES: SearchStrategy[_Place] = st.sampled_from(
    [
        (None, None, None, None, None),
        ("encounter-1", None, "AETNA", None, "11"),
        (None, "clinic-1", "elsewhere", "1234567893", None),
        ("encounter-2", "clinic-2", "medicare", "1234567893", "02"),
    ]
)
_SYSTEMS = st.sampled_from((*[TreatmentCodeSystem.HCPCS] * 4, TreatmentCodeSystem.SNOMED_CT))
_DETAILS = st.sampled_from([((), ()), (("GP",), ("M54.50",)), (("GP", "KX"), ("M54.50", "M54.16"))])
"""modifiers, diagnoses"""


def _instants(days: Sequence[int]) -> SearchStrategy[Instant]:
    beside_us, offsets_minutes = (0, 0, 0, 1, -1), (0, -300, 330)
    choices = [
        Instant(DAY_ZERO_US + day * US_PER_DAY + beside, offset)
        for day in days
        for beside in beside_us
        for offset in offsets_minutes
    ]
    return st.sampled_from(choices)


def surveys(
    days: Sequence[int] = (*_DAYS_BEFORE, *_DAYS_AFTER), *, scores: Sequence[Decimal | None] = (*_SCORES, None)
) -> SearchStrategy[Survey]:
    """Surveys of a few identities, in a few versions of each."""
    survey_ids = st.sampled_from(("s1", "s2", "s3", "s4", "s5"))
    return st.builds(
        _survey, _EVENTS, survey_ids, _VERSIONS, _SCALES, st.sampled_from(scores), _instants(days), _PATIENTS, _PLACES
    )


def _survey(  # noqa: PLR0913, PLR0917 - one draw each
    event: tuple[str, str],
    survey_id: str,
    version: tuple[int, RecordStatus],
    scale: tuple[str, str | None],
    score: Decimal | None,
    completed_at: Instant,
    patient: tuple[Respondent, str],
    place: _Place,
) -> Survey:
    respondent, patient_id = patient
    return Survey(*event, survey_id, *version, patient_id, *scale, score, completed_at, respondent, *place)


def treatments(days: Sequence[int] = (-1, 0, 0, 14, 60), *, codes: Sequence[str] = _CODES) -> SearchStrategy[Treatment]:
    """Treatments of a few identities, in a few versions of each; some of them never qualify."""
    treatment_ids = st.sampled_from(("t1", "t2", "t3"))
    return st.builds(
        _treatment,
        _EVENTS,
        treatment_ids,
        _VERSIONS,
        st.sampled_from(codes),
        _SYSTEMS,
        _instants(days),
        _DETAILS,
        _PLACES,
    )


def _treatment(  # noqa: PLR0913, PLR0917 - one draw each
    event: tuple[str, str],
    treatment_id: str,
    version: tuple[int, RecordStatus],
    code: str,
    system: TreatmentCodeSystem,
    performed_at: Instant,
    details: tuple[tuple[str, ...], tuple[str, ...]],
    place: _Place,
) -> Treatment:
    modifiers, diagnoses = details
    return Treatment(*event, treatment_id, *version, "p1", code, system, performed_at, modifiers, *place, diagnoses)


def facts() -> SearchStrategy[Fact]:
    """Anything that may be told of an episode."""
    return st.one_of(surveys(), treatments())


@st.composite
def pairs(draw: DrawFn) -> list[Fact]:
    """Two surveys on one scale about a treatment: with nothing else told, they are compared."""
    instrument, version = draw(_SCALES)
    worse, better = draw(st.sampled_from(_WORSE_AND_BETTER))
    before, after = (better, worse) if instrument == "lefs" else (worse, better)
    scale = {"instrument": instrument, "instrument_version": version}
    stands = {"status": _COMPLETED, "respondent": Respondent.PATIENT}
    baseline, follow_up = draw(surveys(_DAYS_BEFORE[1:])), draw(surveys(_DAYS_AFTER[:-1]))
    treatment = draw(treatments((0,), codes=("97110", "97140")))
    return [
        msgspec.structs.replace(baseline, survey_id="s1", score=before, **scale, **stands),
        msgspec.structs.replace(treatment, treatment_id="t1", code_system=TreatmentCodeSystem.HCPCS, status=_COMPLETED),
        msgspec.structs.replace(follow_up, survey_id="s2", score=after, **scale, **stands),
    ]


@st.composite
def histories(draw: DrawFn) -> list[Fact]:
    """What is told of one episode; most hold a pair, so that there is something to code and to take back."""
    told: list[Fact] = [fact for pair in draw(st.lists(pairs(), max_size=2)) for fact in pair]
    return told + draw(st.lists(facts(), max_size=6))


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
    return [list(items[start:end]) for start, end in pairwise(edges)]


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
    codes = st.sampled_from((IMPROVED_ONLY, NOT_IMPROVED_TOO, NO_RESULT_TOO, ALL_CODES))
    return st.builds(replace, st.just(DEFAULT), rules=rules, published_codes=codes)


def patient_merges() -> SearchStrategy[PatientMerge]:
    """Merges of the patients of these facts and of another, which may contradict each other."""
    pairs = [(one, other) for one in PATIENTS for other in PATIENTS if one != other]
    actions = (*[PatientMergeAction.MERGE] * 3, PatientMergeAction.UNMERGE, PatientMergeAction.SEPARATE)
    days = [Instant(day * US_PER_DAY, 0) for day in (1, 2, 3)]
    return st.builds(
        _patient_merge,
        st.sampled_from(("1", "2", "3")),
        st.sampled_from(pairs),
        st.sampled_from(days),
        st.sampled_from(actions),
    )


def _patient_merge(
    event_id: str, pair: tuple[str, str], merged_at: Instant, action: PatientMergeAction
) -> PatientMerge:
    return PatientMerge("registration", event_id, *pair, merged_at, action)
