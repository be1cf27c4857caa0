"""The decision counted over again, from the contract's words alone ("What is decided"), by trying everything.

It shares no rule with ``streams.domain.decision``: sets and exhaustive search in place of sorted lists,
calendar arithmetic in place of microseconds, fractions in place of decimals. Where the contract leaves a tie
open (two contents of one version, two surveys in one microsecond), the documented choice of
``streams.domain`` is taken: the greater by ``precedence``, the baseline with the greater id, else the lesser id.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from streams.domain.fact import Fact, Survey, Treatment, precedence
from streams.domain.policy import Policy, Rules

_MORE_IS_BETTER = {"lefs"}
_EVALUATIONS = {str(code) for code in range(97161, 97169)}
_QUALITY_DATA_CODES = {"G9603", "G9604", "G9605"}


_THE_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class Answer(NamedTuple):
    """What the episode is coded with, and what the code rests on."""

    code: str
    instrument: str
    instrument_version: str | None
    baseline_id: str
    anchor_id: str
    follow_up_id: str | None
    change: Fraction


def recount(told: Iterable[Fact], policy: Policy, as_of: datetime = _THE_BEGIN) -> Answer | None:
    """The code of an episode of which *told* was told up to *as_of*, or None."""
    rules = policy.rules
    known = _standing(frozenset(told))
    treatments = {fact for fact in known if isinstance(fact, Treatment) and _qualifies(fact)}
    surveys = {fact for fact in known if isinstance(fact, Survey) and _is_valid(fact, rules)}
    scales = {(survey.instrument, survey.instrument_version) for survey in surveys}
    rows = [
        row
        for scale in scales
        for row in _rows({s for s in surveys if (s.instrument, s.instrument_version) == scale}, treatments, rules)
    ]
    by_order = {row: (rules.instruments.index(row.answer.instrument), *_scale_and_id(row)) for row in rows}
    improved = {row for row in rows if row.answer.code == "G9603"}
    if improved:
        earliest = min(row.at for row in improved)
        return min((row for row in improved if row.at == earliest), key=by_order.__getitem__).answer
    if rows and "G9605" in policy.published_codes:
        latest = max(row.at for row in rows)
        return min((row for row in rows if row.at == latest), key=by_order.__getitem__).answer
    if rows or "G9604" not in policy.published_codes:
        return None
    waiting = [
        waits
        for scale in sorted(scales, key=lambda scale: (rules.instruments.index(scale[0]), scale[1] or ""))
        for waits in _waiting({s for s in surveys if (s.instrument, s.instrument_version) == scale}, treatments, rules)
    ]
    if not waiting or any(row.at >= as_of for row in waiting):
        return None
    closed = max(row.at for row in waiting)
    return next(row.answer for row in waiting if row.at == closed)


class _Row(NamedTuple):
    at: datetime
    answer: Answer


def _scale_and_id(row: _Row) -> tuple[str, str]:
    return row.answer.instrument_version or "", row.answer.follow_up_id or ""


def _standing(told: frozenset[Fact]) -> set[Fact]:
    """The highest version of each record, one content for each transport event, less what was in error."""

    def rank(fact: Fact) -> tuple[bool, tuple[int, int, bytes]]:
        return isinstance(fact, Treatment), precedence(fact)

    counted = {
        fact
        for fact in told
        if not any(
            (other.source, other.event_id) == (fact.source, fact.event_id) and rank(other) > rank(fact)
            for other in told
        )
    }
    return {
        fact
        for fact in counted
        if fact.status.value != "entered-in-error"
        and not any(other.identity == fact.identity and rank(other) > rank(fact) for other in counted)
    }


def _qualifies(treatment: Treatment) -> bool:
    code = treatment.code.upper()
    is_category_two = code[:4].isdigit() and code[4:] == "F"
    is_excluded = code in _EVALUATIONS or code in _QUALITY_DATA_CODES or is_category_two
    return treatment.code_system.value == "HCPCS" and not is_excluded


def _is_valid(survey: Survey, rules: Rules) -> bool:
    is_admitted = survey.respondent in rules.respondents and survey.instrument in rules.instruments
    return is_admitted and survey.score is not None


def _at(fact: Fact) -> datetime:
    return fact.occurred_at.local


def _pair(surveys: set[Survey], treatments: set[Treatment], rules: Rules) -> tuple[Treatment, Survey] | None:
    """The anchor and the baseline on one scale."""
    look_back = timedelta(days=rules.look_back_days)
    pairs = {(t, s) for t in treatments for s in surveys if timedelta() <= _at(t) - _at(s) <= look_back}
    if not pairs:
        return None
    anchor = min((t for t, _ in pairs), key=lambda t: (_at(t), t.treatment_id))
    return anchor, max((s for t, s in pairs if t == anchor), key=lambda s: (_at(s), s.survey_id))


def _waiting(surveys: set[Survey], treatments: set[Treatment], rules: Rules) -> Iterator[_Row]:
    """That no follow-up came on one scale, by the end of its last window."""
    pair = _pair(surveys, treatments, rules)
    if pair is not None:
        anchor, baseline = pair
        scale = (baseline.instrument, baseline.instrument_version)
        answer = Answer("G9604", *scale, baseline.survey_id, anchor.treatment_id, None, Fraction(0))
        yield _Row(max(map(_at, treatments)) + timedelta(days=rules.follow_up_to_days), answer)


def _rows(surveys: set[Survey], treatments: set[Treatment], rules: Rules) -> Iterator[_Row]:
    """Every follow-up on one scale, held against the baseline."""
    pair = _pair(surveys, treatments, rules)
    if pair is None:
        return
    anchor, baseline = pair
    for follow_up in surveys:
        if _at(follow_up) > _at(anchor) and _is_in_window(follow_up, treatments, rules):
            change = _score(follow_up) - _score(baseline)
            is_better = _is_better(change, baseline, rules)
            answer = Answer(
                "G9603" if is_better else "G9605",
                follow_up.instrument,
                follow_up.instrument_version,
                baseline.survey_id,
                anchor.treatment_id,
                follow_up.survey_id,
                change,
            )
            yield _Row(_at(follow_up), answer)


def _is_in_window(follow_up: Survey, treatments: set[Treatment], rules: Rules) -> bool:
    since_last = min(_at(follow_up) - _at(t) for t in treatments if _at(t) < _at(follow_up))
    return timedelta(days=rules.follow_up_from_days) <= since_last <= timedelta(days=rules.follow_up_to_days)


def _score(survey: Survey) -> Fraction:
    return Fraction(str(survey.score))


def _is_better(change: Fraction, baseline: Survey, rules: Rules) -> bool:
    improvement = change if baseline.instrument in _MORE_IS_BETTER else -change
    least = {
        "any": Fraction(0),
        "points": Fraction(rules.threshold.value),
        "percent": _score(baseline) * Fraction(rules.threshold.value) / 100,
    }[rules.threshold.kind.value]
    return improvement > 0 and improvement >= least
