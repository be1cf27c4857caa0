"""What is missing for a code, and what would change that: a plain sentence for each reason.

The rules' own numbers are filled in, so that a reader need not know the policy.
"""

from collections.abc import Collection, Mapping
from typing import Any

from schemas.vocabulary import QualityDataCode
from streams.domain.coding import decimal_text
from streams.domain.decision import Comparison, Finding
from streams.domain.fact import Survey
from streams.domain.instrument import ImprovementNotation, Instrument
from streams.domain.missing import Missing, Reason, Stage
from streams.domain.policy import Policy, Rules, ThresholdKind

_LISTED_MAX = 6

_IN_PLACE = {
    Stage.BASELINE: "At the right time for a baseline (at most {look_back} before a qualifying treatment)",
    Stage.FOLLOW_UP: "At the right time for a follow-up ({window})",
}
_STOOD_IN_THE_WAY = {
    Reason.VERSION_MISMATCH: "{instrument} was answered in another version, and only equal versions are compared: "
    "a survey of {scale} is needed.",
    Reason.PROXY_EXCLUDED: "{scale} was answered by somebody whose answers the policy does not take: "
    "it takes those of the {respondents}.",
    Reason.INCOMPLETE: "{scale} was answered with too many items left blank for a score: "
    "a corrected version with more answers would count.",
    Reason.ENTERED_IN_ERROR: "{scale} was answered, but taken back (entered in error, or moved to another episode): "
    "a corrected version of it, or another survey, would count.",
}

SENTENCES: Mapping[Missing, str] = {
    Missing(Stage.SURVEY, Reason.INSTRUMENT_NOT_IN_POLICY): "The policy does not take {instrument}: "
    "its surveys count once it is among the policy's instruments.",
    Missing(Stage.TREATMENT, Reason.NO_TREATMENT): "No treatment is known: a qualifying one is needed, and it counts "
    "however late it is sent.",
    Missing(Stage.TREATMENT, Reason.TREATMENT_NOT_QUALIFYING): "No treatment has a code that qualifies: it must be "
    "among {qualifying}, and not among {excluded}.",
    Missing(Stage.TREATMENT, Reason.ENTERED_IN_ERROR): "Every treatment was taken back (entered in error, or moved "
    "to another episode): a corrected version of one, or another treatment, is needed.",
    Missing(Stage.BASELINE, Reason.NO_BASELINE): "No {survey} was answered at or before a qualifying treatment, within "
    "{look_back}: one that is sent late still counts.",
    Missing(Stage.BASELINE, Reason.BASELINE_OUTSIDE_LOOK_BACK): "The {survey} before a qualifying treatment was "
    "answered more than {look_back} before it: a baseline must be nearer.",
    Missing(Stage.FOLLOW_UP, Reason.NO_FOLLOW_UP): "No {survey} was answered after the anchor treatment: one that is "
    "answered {window} would be a follow-up.",
    Missing(Stage.FOLLOW_UP, Reason.FOLLOW_UP_OUTSIDE_WINDOW): "No {survey} after the anchor treatment lies in the "
    "window: a follow-up is answered {window}.",
    Missing(Stage.IMPROVEMENT, Reason.NOT_IMPROVED): "No follow-up on {scale} is improved: {improvement}.",
    Missing(Stage.IMPROVEMENT, Reason.CODE_NOT_PUBLISHED): f"The episode earns {QualityDataCode.SCORE_IMPROVED}, but "
    "the policy publishes only {published}.",
    **{
        Missing(stage, reason): f"{in_place}, {sentence}"
        for stage, in_place in _IN_PLACE.items()
        for reason, sentence in _STOOD_IN_THE_WAY.items()
    },
}
"""By what is missing: every combination that a decision can come to."""


def missing_sentence(missing: Missing, policy: Policy, finding: Finding | None) -> str:
    """What is missing, and what would change that.

    Args:
        missing: What the decision, or one of its findings, lacks.
        policy: The policy that it was made by.
        finding: Where it is missing; None where no survey is known.
    """
    rules = policy.rules if finding is None else finding.rules
    instrument = None if finding is None else policy.instruments.get(finding.instrument)
    scale = "the instrument" if finding is None else scale_name(finding.instrument, finding.instrument_version)
    return SENTENCES[missing].format(
        instrument="the instrument" if finding is None else finding.instrument,
        scale=scale,
        survey="survey" if finding is None else f"survey of {scale}",
        look_back=days(rules.look_back_days),
        window=window(rules),
        respondents=" and the ".join(sorted(rules.respondents)),
        qualifying=_listed(rules.qualifying.patterns),
        excluded=_listed(rules.excluded.patterns),
        improvement=improvement_clause(rules, instrument),
        published=_listed(sorted(policy.published_codes)),
    )


def scale_name(instrument: str, version: str | None) -> str:
    """An instrument in one version: what scores are compared on."""
    return instrument if version is None else f"{instrument} {version}"


def days(count: int) -> str:
    """A number of days in words."""
    return f"{count} day{'' if count == 1 else 's'}"


def window(rules: Rules) -> str:
    """When a follow-up is answered."""
    reference = "the last qualifying treatment before it"
    if rules.follow_up_from_days == 0:
        return f"within {days(rules.follow_up_to_days)} after {reference}"
    return f"from {rules.follow_up_from_days} to {days(rules.follow_up_to_days)} after {reference}"


def better(instrument: Instrument) -> str:
    """Which way better lies."""
    return "higher" if instrument.improvement_notation is ImprovementNotation.INCREASE else "lower"


def improvement_clause(rules: Rules, instrument: Instrument | None) -> str:
    """What an improved score is."""
    way = "better" if instrument is None else better(instrument)
    match rules.threshold.kind:
        case ThresholdKind.ANY:
            return f"an improved score is {way} than the baseline's, by any amount"
        case ThresholdKind.POINTS:
            return f"an improved score is {way} than the baseline's by {decimal_text(rules.threshold.value)} or more"
        case ThresholdKind.PERCENT:
            least = f"{decimal_text(rules.threshold.value)} % of it"
            return f"an improved score is {way} than the baseline's by {least} or more"
        case ThresholdKind.PUBLISHED:
            return _published_improvement(way, instrument)


def _published_improvement(way: str, instrument: Instrument | None) -> str:
    published = None if instrument is None else instrument.published_change
    if published is None:
        return "the policy asks for the published change, and the registry has none for this instrument"
    if published.points is not None:
        least = decimal_text(published.points)
    else:
        least = f"{published.percent_of_baseline} % of it"
    return f"an improved score is {way} than the baseline's by the published {least} or more"


def comparison_clause(comparison: Comparison, baseline: Survey, instrument: Instrument) -> str:
    """How a follow-up compares with the baseline, and where it is not improved, why."""
    before, change, way = score_text(baseline), comparison.change, better(instrument)
    if not change:
        return f"the same as the baseline's {before}, and so not improved"
    size = f"{decimal_text(abs(change))} {'higher' if change > 0 else 'lower'} than the baseline's {before}"
    if comparison.improved:
        return f"{size}; {way} is better"
    if comparison.threshold is None:
        return f"{size}, but no change is published for {instrument.id} that it could reach"
    is_better = (change > 0) == (instrument.improvement_notation is ImprovementNotation.INCREASE)
    return (
        f"{size}, but {decimal_text(comparison.threshold)} is needed" if is_better else f"{size}, but {way} is better"
    )


def is_compared(event: dict[str, Any]) -> bool:
    """Whether a coding event tells of a follow-up; where none came, the baseline stands in its place."""
    return "followup" not in event["not_available"]


def scores_text(event: dict[str, Any]) -> str:
    """The scores that a coding event rests on."""
    before = f"{event['instrument']['id']} {event['baseline']['score']}"
    if not is_compared(event):
        return f"{before}, no follow-up"
    return f"{before} \N{RIGHTWARDS ARROW} {event['followup']['score']}"


def exclusion_clause(reason: Reason, survey: Survey) -> str:
    """Why *survey* can be neither a baseline nor a follow-up; *reason* is what `exclusion` says of it."""
    match reason:
        case Reason.INCOMPLETE:
            return "too many items are blank for a score"
        case Reason.PROXY_EXCLUDED:
            return f"answered by the {survey.respondent}, and the policy takes no such answers"
        case _:
            return "entered in error"


def score_text(survey: Survey) -> str:
    """The score of a survey; ``none`` where it has none."""
    return "none" if survey.score is None else decimal_text(survey.score)


def _listed(items: Collection[str]) -> str:
    shown = ", ".join(list(items)[:_LISTED_MAX])
    more = len(items) - _LISTED_MAX
    return (f"{shown} and {more} more" if more > 0 else shown) or "none"
