"""How one episode of care goes, from intake to the last follow-up.

The course is drawn first, and the facts are then made to tell it. A journey holds only what happened
within the year: a patient of November may not have come back yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from streams.demo.health_system.chance import drawn
from streams.demo.health_system.encounters import answer_surveys, give_treatments
from streams.demo.health_system.facts import Fact, Patient, Survey, Treatment
from streams.demo.health_system.survey_instruments import Instrument

SECOND_FOLLOW_UP_SHARE = 0.25
SKIPPED_PAGE_SHARE = 0.1
VERSION_UNKNOWN_SHARE = 0.3


class Course(StrEnum):
    """How an episode goes, as its facts first tell it, before any is corrected."""

    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    WORSE = "worse"
    NO_FOLLOW_UP = "no follow-up yet"
    NO_BASELINE = "no baseline"
    BASELINE_TOO_OLD = "baseline too old"
    PROXY = "proxy respondent"
    OTHER_VERSION = "other instrument version"
    INCOMPLETE = "too few answers"


COURSE_SHARES = {
    Course.IMPROVED: 58,
    Course.UNCHANGED: 6,
    Course.WORSE: 9,
    Course.NO_FOLLOW_UP: 5,
    Course.NO_BASELINE: 4,
    Course.BASELINE_TOO_OLD: 4,
    Course.PROXY: 3,
    Course.OTHER_VERSION: 8,  # most lines of care have no second version to ask in
    Course.INCOMPLETE: 3,
}


@dataclass(frozen=True, slots=True)
class Journey:
    """One episode's facts in three acts, each in the order in which it happened."""

    episode_id: str
    course: Course
    baselines: tuple[Survey, ...]
    treatments: tuple[Treatment, ...]
    follow_ups: tuple[Survey, ...]

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Everything that happened."""
        return (*self.baselines, *self.treatments, *self.follow_ups)


def tell_journey(patient: Patient, rng: Random) -> Journey:
    """Tell what happens to a patient in the year."""
    course = drawn(COURSE_SHARES, rng)
    levels = _intake_levels(course, patient, rng)
    if not levels:  # no instrument of this line of care can go that way
        course, levels = Course.IMPROVED, _intake_levels(Course.IMPROVED, patient, rng)

    baselines = answer_surveys(patient, levels, patient.intake_day, rng)
    wait_days = rng.randint(100, 150) if course is Course.BASELINE_TOO_OLD else rng.randint(1, 21)
    treatments, last_day = give_treatments(patient, patient.intake_day + wait_days, rng)
    follow_ups = _follow_up(patient, course, levels, last_day, rng)

    if course is not Course.OTHER_VERSION and rng.random() < VERSION_UNKNOWN_SHARE:
        baselines, follow_ups = _with_version_untold(baselines), _with_version_untold(follow_ups)
    if course is Course.NO_BASELINE:
        baselines = ()
    elif not follow_ups:
        course = Course.NO_FOLLOW_UP
    elif course is Course.IMPROVED and rng.random() < SKIPPED_PAGE_SHARE:
        baselines = tuple(_with_a_page_skipped(survey) for survey in baselines)
    return Journey(patient.episode_id, course, baselines, treatments, follow_ups)


def _intake_levels(course: Course, patient: Patient, rng: Random) -> dict[Instrument, int]:
    able = [
        instrument
        for instrument in patient.line_of_care.instruments
        if (course is not Course.INCOMPLETE or instrument.sheet)
        and (course is not Course.OTHER_VERSION or len(instrument.versions) > 1)
    ]
    asked = rng.sample(able, rng.randint(1, len(able))) if able else []
    return {instrument: instrument.intake_level(rng) for instrument in asked}


def _follow_up(
    patient: Patient, course: Course, intake: Mapping[Instrument, int], last_day: int, rng: Random
) -> tuple[Survey, ...]:
    if course is Course.NO_FOLLOW_UP:
        return ()
    days = [last_day + rng.randint(*patient.line_of_care.follow_up_days)]
    if rng.random() < SECOND_FOLLOW_UP_SHARE:
        days.append(days[0] + rng.randint(25, 60))
    surveys: list[Survey] = []
    for day in days:
        levels = {instrument: _level_after(instrument, level, course, rng) for instrument, level in intake.items()}
        surveys += answer_surveys(patient, levels, day, rng)
    return tuple(_as_the_course_has_it(survey, course) for survey in surveys)


def _level_after(instrument: Instrument, before: int, course: Course, rng: Random) -> int:
    """Draw a later result; a flawed course improves as well, so that only its flaw forbids a code."""
    match course:
        case Course.UNCHANGED:
            return before
        case Course.WORSE:
            return instrument.moved(before, -instrument.gain_steps(rng))
        case _:
            return instrument.moved(before, instrument.gain_steps(rng))


def _as_the_course_has_it(survey: Survey, course: Course) -> Survey:
    match course:
        case Course.PROXY:
            return replace(survey, respondent="proxy")
        case Course.OTHER_VERSION:
            return replace(survey, instrument_version=survey.instrument.versions[1])
        case Course.INCOMPLETE if survey.instrument.sheet:
            return survey.with_unanswered(survey.instrument.sheet.unanswered_max + 1)
        case _:
            return survey


def _with_version_untold(surveys: tuple[Survey, ...]) -> tuple[Survey, ...]:
    return tuple(replace(survey, instrument_version=None) for survey in surveys)


def _with_a_page_skipped(survey: Survey) -> Survey:
    """Leave out as many items as the instrument allows; the prorated score is no better than the whole."""
    sheet = survey.instrument.sheet
    return survey.with_unanswered(sheet.unanswered_max) if sheet and sheet.unanswered_max else survey
