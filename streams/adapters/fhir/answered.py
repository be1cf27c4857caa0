"""What a form that was filled in says: its score, and the answers that make it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from streams.adapters.adaptation import FaultError, FaultReason
from streams.adapters.fhir.datatypes import ITEM_WEIGHTS, Answer, Coding, Item, QuestionnaireResponse
from streams.adapters.mapping import Questionnaire
from streams.adapters.scores import plain_score


class Answered(NamedTuple):
    """A score, answers, or both; None where the form has no such items, or none of them was answered."""

    score: str | None
    answers: list[int | None] | None


def answered(response: QuestionnaireResponse, form: Questionnaire, counts: Mapping[str, int], where: str) -> Answered:
    """The score and the answers of *response*, which is to the questionnaire *form*.

    Args:
        response: The form, filled in.
        form: Which of its items are the score, and the answers.
        counts: What coded answers count for, where their coding does not say.
        where: The part of the message.

    Raises:
        FaultError: An answer is given, and nothing tells what it counts for.
    """
    given = dict(_given(response.item))
    score = plain_score(_value(given.get(form.score or ""), counts, f"{where}, the score"), where)
    answers = [
        _whole(_value(given.get(link), counts, f"{where}, item {number}"), f"{where}, item {number}")
        for number, link in enumerate(form.items, start=1)
    ]
    return Answered(score, answers if any(answer is not None for answer in answers) else None)


def _given(items: tuple[Item, ...]) -> Iterator[tuple[str, Answer]]:
    """The first answer to each item, by what stands behind the last slash of its linkId; groups are looked into."""
    waiting = list(items)
    while waiting:
        item = waiting.pop()
        if item.answer:
            yield item.link_id.rpartition("/")[2], item.answer[0]
        waiting += item.item
        for answer in item.answer:
            waiting += answer.item


def _value(answer: Answer | None, counts: Mapping[str, int], where: str) -> Decimal | int | None:
    if answer is None:
        return None
    numbers = (answer.value_integer, answer.value_decimal, answer.value_quantity.value)
    told = next((number for number in numbers if number is not None), None)
    if told is None and answer.value_coding is not None:
        told = _weight(answer.value_coding, counts)
    if told is None:
        detail = f"{where}: nothing tells what the answer counts for: no number, no itemWeight, no entry in [answers]."
        raise FaultError(FaultReason.NOT_TOLD, detail)
    return told


def _weight(coding: Coding, counts: Mapping[str, int]) -> Decimal | int | None:
    weights = (extension.value_decimal for extension in coding.extension if extension.url in ITEM_WEIGHTS)
    return next((weight for weight in weights if weight is not None), counts.get(coding.code or ""))


def _whole(value: Decimal | int | None, where: str) -> int | None:
    if value is None:
        return None
    text = plain_score(value, where) or ""
    whole, _, part = text.partition(".")
    if part.strip("0"):
        raise FaultError(FaultReason.INVALID, f"{where}: the answer counts for a fraction of a point.")
    return int(whole)
