"""Which score a patient's answers make, by the instrument's own rule.

Contract: to 4 decimal places, half to even. A quotient of two small integers is either a tie at the
fifth place or clearly none, so 28 digits lose nothing that the rounding could see.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from streams.domain.instrument import ItemRule, ScoringMethod

_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN)  # our own: the thread's may have been changed
_FOUR_PLACES = Decimal("0.0001")


class AnswersRejectedError(ValueError):
    """The answers are not answers to this instrument.

    Attributes:
        reason: ``answer_count`` or ``answer_value``.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def score_answers(rule: ItemRule, answers: Sequence[int | None]) -> Decimal | None:
    """The score of *answers*: one per item, in the instrument's order, None for a blank.

    Returns:
        A plain decimal of at most 4 places, without trailing zeros; None where more items are blank
        than *rule* allows.

    Raises:
        AnswersRejectedError: There are more or fewer answers than items, or an item does not have
            its answer. The message names the item, never the answer: it may end up in a header.
    """
    if len(answers) != rule.item_count:
        message = (
            f"There are {len(answers)} answers to {rule.item_count} items: "
            "send one for each item, in order, and null for an item left blank."
        )
        raise AnswersRejectedError(message, reason="answer_count")
    _require_known_values(rule, answers)
    if rule.skips:
        answers = _with_skipped_as_lowest(rule, answers)
    given = [answer for answer in answers if answer is not None]
    answered = len(given)
    if rule.item_count - answered > rule.unanswered_max:
        return None
    points = sum(given)
    match rule.method:
        case ScoringMethod.SUM:
            return Decimal(points)
        case ScoringMethod.PRORATED:
            return _quotient(points * rule.item_count, answered)
        case ScoringMethod.PERCENT:
            above_lowest = points - answered * rule.answer_min
            return _quotient(100 * above_lowest, answered * (rule.answer_max - rule.answer_min))


def _require_known_values(rule: ItemRule, answers: Sequence[int | None]) -> None:
    lowest, highest = rule.answer_min, rule.answer_max
    for item, answer in enumerate(answers, start=1):
        if answer is not None and not lowest <= answer <= highest:
            message = f"Item {item} has an answer that is not between {lowest} and {highest}."
            raise AnswersRejectedError(message, reason="answer_value")
    for item, known in rule.item_answers.items():
        answer = answers[item - 1]
        if answer is not None and answer not in known:
            message = f"Item {item} has an answer that is none of {', '.join(map(str, sorted(known)))}."
            raise AnswersRejectedError(message, reason="answer_value")


def _with_skipped_as_lowest(rule: ItemRule, answers: Sequence[int | None]) -> list[int | None]:
    filled = list(answers)
    for skip in rule.skips:
        if all(answers[item - 1] == rule.answer_min for item in skip.after_lowest):
            for item in skip.items:
                if answers[item - 1] is None:
                    filled[item - 1] = rule.answer_min
    return filled


@lru_cache(maxsize=4_096)  # instruments have few quotients, and surveys come by the thousand in a second
def _quotient(dividend: int, divisor: int) -> Decimal:
    """*dividend* by *divisor* to 4 places, written plainly: 50, not 50.0000 and not 5E+1."""
    rounded = _CONTEXT.divide(Decimal(dividend), Decimal(divisor)).quantize(_FOUR_PLACES, context=_CONTEXT)
    return canonical(rounded)


@lru_cache(maxsize=4_096)
def canonical(score: Decimal) -> Decimal:
    """The one form of a number: 50, not 50.0, 5E+1 or -0; equal scores make equal facts, byte for byte."""
    whole = int(score)
    return Decimal(whole) if whole == score else score.normalize(_CONTEXT)
