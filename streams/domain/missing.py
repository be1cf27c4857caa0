"""Why an episode is not coded: the first thing that is missing, and what stood in its way.

Every episode without a code has a reason, so that "nothing was sent" is never the answer to "why?".
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from schemas.vocabulary import RecordStatus
from streams.domain.episode import CurrentFacts
from streams.domain.fact import Survey, Treatment
from streams.domain.policy import Rules


class Stage(StrEnum):
    """How far an episode came, in order."""

    SURVEY = "survey"
    TREATMENT = "treatment"
    BASELINE = "baseline"
    FOLLOW_UP = "follow-up"
    IMPROVEMENT = "improvement"


STAGES = tuple(Stage)


class Reason(StrEnum):
    """What is missing at a stage, or what stood in its way."""

    NO_TREATMENT = "no_treatment"
    TREATMENT_NOT_QUALIFYING = "treatment_not_qualifying"
    INSTRUMENT_NOT_IN_POLICY = "instrument_not_in_policy"
    NO_BASELINE = "no_baseline"
    BASELINE_OUTSIDE_LOOK_BACK = "baseline_outside_look_back"
    NO_FOLLOW_UP = "no_follow_up"
    FOLLOW_UP_OUTSIDE_WINDOW = "follow_up_outside_window"
    NOT_IMPROVED = "not_improved"
    CODE_NOT_PUBLISHED = "code_not_published"
    VERSION_MISMATCH = "version_mismatch"
    PROXY_EXCLUDED = "proxy_excluded"
    INCOMPLETE = "incomplete"
    ENTERED_IN_ERROR = "entered_in_error"


class Missing(NamedTuple):
    """The stage that failed, and why."""

    stage: Stage
    reason: Reason


_ENTERED_IN_ERROR = RecordStatus.ENTERED_IN_ERROR


def exclusion(survey: Survey, rules: Rules) -> Reason | None:
    """Why *survey* can be neither a baseline nor a follow-up under *rules*; None where it can."""
    if survey.status is _ENTERED_IN_ERROR:
        return Reason.ENTERED_IN_ERROR
    if survey.score is None:
        return Reason.INCOMPLETE
    if survey.respondent not in rules.respondents:
        return Reason.PROXY_EXCLUDED
    return None


def missing_treatment(current: CurrentFacts) -> Missing:
    """Why there is no qualifying treatment."""
    if current.standing_treatments:
        return Missing(Stage.TREATMENT, Reason.TREATMENT_NOT_QUALIFYING)
    if current.treatments:
        return Missing(Stage.TREATMENT, Reason.ENTERED_IN_ERROR)
    return Missing(Stage.TREATMENT, Reason.NO_TREATMENT)


def missing_baseline(
    group: tuple[str, str | None], current: CurrentFacts, qualifying: Sequence[Treatment], rules: Rules
) -> Missing:
    """Why no treatment of *qualifying* has a baseline among the surveys of *group*."""

    def elapsed_us(survey: Survey) -> list[int]:
        return [t.performed_at.epoch_us - survey.completed_at.epoch_us for t in qualifying]

    def in_place(survey: Survey) -> bool:
        return any(0 <= elapsed <= rules.look_back_us for elapsed in elapsed_us(survey))

    def too_early(survey: Survey) -> bool:
        return any(elapsed > rules.look_back_us for elapsed in elapsed_us(survey))

    stood_in_the_way = _stood_in_the_way(group, current, rules, in_place)
    if stood_in_the_way is not None:
        return Missing(Stage.BASELINE, stood_in_the_way)
    if any(too_early(s) for s in _valid(group, current, rules)):
        return Missing(Stage.BASELINE, Reason.BASELINE_OUTSIDE_LOOK_BACK)
    return Missing(Stage.BASELINE, Reason.NO_BASELINE)


def missing_follow_up(
    group: tuple[str, str | None],
    current: CurrentFacts,
    anchor: Treatment,
    performed_us: Sequence[int],
    rules: Rules,
) -> Missing:
    """Why no survey of *group* is a follow-up of *anchor*; *performed_us* as in `last_before_us`."""

    def after_anchor(survey: Survey) -> bool:
        return survey.completed_at.epoch_us > anchor.performed_at.epoch_us

    def in_place(survey: Survey) -> bool:
        if not after_anchor(survey):
            return False
        completed_us = survey.completed_at.epoch_us
        return rules.in_window(completed_us - last_before_us(completed_us, performed_us))

    stood_in_the_way = _stood_in_the_way(group, current, rules, in_place)
    if stood_in_the_way is not None:
        return Missing(Stage.FOLLOW_UP, stood_in_the_way)
    if any(after_anchor(s) for s in _valid(group, current, rules)):
        return Missing(Stage.FOLLOW_UP, Reason.FOLLOW_UP_OUTSIDE_WINDOW)
    return Missing(Stage.FOLLOW_UP, Reason.NO_FOLLOW_UP)


def last_before_us(completed_us: int, performed_us: Sequence[int]) -> int:
    """The time of the last qualifying treatment before *completed_us*, which has one.

    Args:
        completed_us: When a survey was answered.
        performed_us: When the qualifying treatments were given, in order.
    """
    return performed_us[bisect_left(performed_us, completed_us) - 1]


def _valid(group: tuple[str, str | None], current: CurrentFacts, rules: Rules) -> list[Survey]:
    return [s for s in current.surveys if (s.instrument, s.instrument_version) == group and exclusion(s, rules) is None]


def _stood_in_the_way(
    group: tuple[str, str | None],
    current: CurrentFacts,
    rules: Rules,
    in_place: Callable[[Survey], bool],
) -> Reason | None:
    """What kept a survey that was answered at the right time from counting, if there is one."""
    instrument, version = group
    for survey in current.surveys:
        if survey.instrument != instrument or not in_place(survey):
            continue
        excluded = exclusion(survey, rules)
        if survey.instrument_version == version and excluded is not None:
            return excluded
        if survey.instrument_version != version and excluded is None:
            return Reason.VERSION_MISMATCH
    return None
