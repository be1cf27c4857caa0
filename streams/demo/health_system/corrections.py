"""What turns out to be wrong, weeks after billing was told.

Every correction is made for an episode whose facts have all been delivered, and follows them by
six weeks or more: between the two, a worker has time to crash and come back.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import TypeVar

from streams.demo.health_system.chance import drawn
from streams.demo.health_system.delivery import RecordKind, Sending
from streams.demo.health_system.facts import Fact, Survey, Treatment
from streams.demo.health_system.patient_journey import Course, Journey

UNNOTICED_DAYS = range(45, 91)
REENTRY_DAYS = range(20, 41)
NEW_ID_SHARE = 0.5
FactT = TypeVar("FactT", Survey, Treatment)
YEAR_ENDS = datetime(2027, 1, 1, tzinfo=UTC)


class Correction(StrEnum):
    """What is corrected, and what that does to the episode's code."""

    NONE = "nothing"
    RESCORED = "another score, improved all the same: replace"
    WITHDRAWN = "amended, and not improved: void"
    PROMOTED = "amended, and improved after all: new"
    FOLLOW_UPS_IN_ERROR = "the follow-ups were another patient's: void"
    TREATMENTS_IN_ERROR = "the treatments were never given: void"
    TREATMENTS_REENTERED = "the treatments were taken back, and entered again: void, then new"
    LATE_BASELINE = "a later and better baseline turns up: replace, or void"


CORRECTION_SHARES = {
    Course.IMPROVED: {
        Correction.NONE: 70,
        Correction.RESCORED: 8,
        Correction.WITHDRAWN: 5,
        Correction.FOLLOW_UPS_IN_ERROR: 3,
        Correction.TREATMENTS_IN_ERROR: 4,
        Correction.TREATMENTS_REENTERED: 4,
        Correction.LATE_BASELINE: 6,
    },
    Course.UNCHANGED: {Correction.NONE: 75, Correction.PROMOTED: 25},
    Course.WORSE: {Correction.NONE: 75, Correction.PROMOTED: 25},
}


def correct(journey: Journey, delivered: list[Sending], rng: Random) -> list[Sending]:
    """Draw what is corrected in the episode, as far as it is noticed within the year."""
    shares = CORRECTION_SHARES.get(journey.course)
    prorated = any(survey.score is None for survey in journey.baselines)
    if shares is None or prorated:
        return []
    correction = drawn(shares, rng)
    noticed_at = max(sending.sent_at for sending in delivered) + timedelta(days=rng.choice(UNNOTICED_DAYS))
    kind, facts = _corrected(correction, journey, rng)
    sendings = [Sending(fact, kind, noticed_at) for fact in facts]
    if correction is Correction.TREATMENTS_REENTERED:
        entered_at = noticed_at + timedelta(days=rng.choice(REENTRY_DAYS))
        sendings += [Sending(_reentered(fact, rng), "correction", entered_at) for fact in journey.treatments]
    return [sending for sending in sendings if sending.sent_at < YEAR_ENDS]


def _corrected(correction: Correction, journey: Journey, rng: Random) -> tuple[RecordKind, Iterable[Fact]]:
    match correction:
        case Correction.NONE:
            return "correction", ()
        case Correction.RESCORED | Correction.WITHDRAWN | Correction.PROMOTED:
            return "correction", _amendments(correction, journey, rng)
        case Correction.FOLLOW_UPS_IN_ERROR:
            return "void", map(_in_error, journey.follow_ups)
        case Correction.TREATMENTS_IN_ERROR | Correction.TREATMENTS_REENTERED:
            return "void", map(_in_error, journey.treatments)
        case Correction.LATE_BASELINE:
            return "late", (_later_baseline(survey, journey, rng) for survey in journey.baselines)


def _amendments(correction: Correction, journey: Journey, rng: Random) -> Iterator[Survey]:
    """Amend every follow-up, so that none of them speaks against the correction."""
    intake = {survey.instrument: survey.level for survey in journey.baselines}
    for survey in journey.follow_ups:
        instrument, before = survey.instrument, intake[survey.instrument]
        level = instrument.moved(before, _other_gain(correction, survey, before, rng))
        yield replace(
            survey,
            level=level,
            answers=instrument.answers(level, rng),
            version=survey.version + 1,
            status="amended",
        )


def _other_gain(correction: Correction, survey: Survey, before: int, rng: Random) -> int:
    """Say how many steps better than at intake the amended follow-up is; negative when worse."""
    instrument = survey.instrument
    if correction is Correction.WITHDRAWN:
        return -rng.choice((0, instrument.gain_steps(rng)))
    told = instrument.gain(before, survey.level)
    gain = instrument.gain(before, instrument.moved(before, instrument.gain_steps(rng)))
    return gain if gain != told else (told - 1 or 2)


def _in_error(fact: FactT) -> FactT:
    return replace(fact, version=fact.version + 1, status="entered-in-error")


def _reentered(treatment: Treatment, rng: Random) -> Treatment:
    """Enter again what was taken back: under a new id, or as a later version of the old one."""
    if rng.random() < NEW_ID_SHARE:
        return replace(treatment, treatment_id=treatment.patient.numbering.next_id("TX"))
    return replace(treatment, version=treatment.version + 2, status="amended")


def _later_baseline(survey: Survey, journey: Journey, rng: Random) -> Survey:
    """Answer once more, just before the first treatment: half as much better as at follow-up, or as much."""
    instrument = survey.instrument
    best = max(
        instrument.gain(survey.level, follow_up.level)
        for follow_up in journey.follow_ups
        if follow_up.instrument is instrument
    )
    level = instrument.moved(survey.level, rng.choice((best // 2, best)))
    return replace(
        survey,
        survey_id=survey.patient.numbering.next_id("SV"),
        level=level,
        answers=instrument.answers(level, rng),
        completed_at=journey.treatments[0].performed_at - timedelta(minutes=20),
        visit=survey.patient.visit(survey.visit.site),
    )
