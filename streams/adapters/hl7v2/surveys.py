"""Surveys in ORU^R01: an OBX that is a score, and the answers that stand beside it or alone."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from schemas.vocabulary import RecordStatus
from streams.adapters.adaptation import NOT_FINAL, OTHER_CODE, Fields, Part, transport
from streams.adapters.hl7v2.around import around
from streams.adapters.hl7v2.message import Segments, told
from streams.adapters.hl7v2.moments import moment, version_at
from streams.adapters.hl7v2.results import Order, Result
from streams.adapters.mapping import LOINC_QUESTIONNAIRE, MeasuredInstrument, Questionnaire
from streams.adapters.mapping import Mapping as SiteMapping
from streams.adapters.scores import stand_in_score
from streams.domain.instrument import InstrumentRegistry
from streams.processing.topology import InputKind

Answers: TypeAlias = list[int | None]

_REQUIRED = ("survey_id", "episode_id", "patient_id", "completed_at")
_STANDING = frozenset({RecordStatus.COMPLETED, RecordStatus.AMENDED})


class _Survey(NamedTuple):
    """What is about to be an event."""

    measured: MeasuredInstrument
    status: RecordStatus
    score: str | None
    answers: Answers | None


class Surveys:
    """Reads surveys by a mapping.

    Args:
        mapping: What codes mean, and where a message tells the fields of a survey.
        instruments: The instruments known.
        source: The sending system.
    """

    def __init__(self, mapping: SiteMapping, instruments: InstrumentRegistry, source: str) -> None:
        self._mapping = mapping
        self._instruments = instruments
        self._source = source
        self._places = mapping.hl7v2.survey
        self._times = mapping.time_reading
        self._for_answers = {name: ", ".join(self._places[name]) for name in _REQUIRED}
        self._for_score = {**self._for_answers, "score": "OBX-5"}

    def of_order(self, order: Order, segments: Segments) -> Iterator[Part]:
        """What may be surveys in *order*: its scores, or a panel of answers that has none.

        Args:
            order: An OBR and its OBX.
            segments: Those around it.
        """
        form = self._form(order)
        answers = [result for result in order.results if form is not None and _code_in(result, form.items)]
        is_scored = False
        for result in order.results:
            measured = self._measured(result)
            if measured is None:
                if result not in answers:
                    yield Part(InputKind.SURVEY, result.where, {}, lambda: OTHER_CODE)
                continue
            of_form = form is not None and form.instrument == measured.instrument
            is_scored = is_scored or of_form
            beside = answers if of_form else []
            read = partial(self._of_score, order, result, measured, (form, beside), segments)
            yield Part(InputKind.SURVEY, result.where, self._for_score, read)
        if form is not None and answers and not is_scored:
            read = partial(self._of_answers, order, form, answers, segments)
            yield Part(InputKind.SURVEY, order.where, self._for_answers, read)

    def _form(self, order: Order) -> Questionnaire | None:
        forms = self._mapping.questionnaires
        return next((f for code in order.codes if (f := forms.get(f"{LOINC_QUESTIONNAIRE}{code}"))), None)

    def _measured(self, result: Result) -> MeasuredInstrument | None:
        return next((m for code in result.codes if (m := self._mapping.scores.get(code))), None)

    def _of_score(
        self,
        order: Order,
        result: Result,
        measured: MeasuredInstrument,
        beside: tuple[Questionnaire | None, Sequence[Result]],
        segments: Segments,
    ) -> Fields | str:
        status, score = result.status, result.score
        if status is None:
            return NOT_FINAL
        if status is RecordStatus.ENTERED_IN_ERROR:
            score = score or stand_in_score(self._instruments[measured.instrument])
        form, answers = beside
        told_beside = self._answered(form, answers) if form is not None and status in _STANDING else None
        survey = _Survey(measured, status, score, told_beside)
        return self._fields(survey, {**segments, "OBR": order.segment, "OBX": result.segment})

    def _of_answers(
        self, order: Order, form: Questionnaire, answers: Sequence[Result], segments: Segments
    ) -> Fields | str:
        states = {result.status for result in answers}
        if None in states:
            return NOT_FINAL
        in_error = states == {RecordStatus.ENTERED_IN_ERROR}
        status = RecordStatus.COMPLETED if states == {RecordStatus.COMPLETED} else RecordStatus.AMENDED
        score = stand_in_score(self._instruments[form.instrument]) if in_error else None
        status = RecordStatus.ENTERED_IN_ERROR if in_error else status
        survey = _Survey(form, status, score, self._answered(form, answers))
        return self._fields(survey, {**segments, "OBR": order.segment, "OBX": answers[0].segment})

    def _answered(self, form: Questionnaire, answers: Sequence[Result]) -> Answers | None:
        """In the order of the *form*; one that was taken back is none."""
        given = {
            _code_in(result, form.items): result.answer(self._mapping.answers)
            for result in answers
            if result.status in _STANDING
        }
        in_order = [given.get(item) for item in form.items]
        return in_order if any(answer is not None for answer in in_order) else None

    def _fields(self, survey: _Survey, segments: Segments) -> Fields:
        told_id = told(segments, self._places["survey_id"])
        survey_id = f"{told_id}:{survey.measured.instrument}" if told_id is not None else None
        version = version_at(told(segments, self._places["version"]), self._times)
        completed_at = told(segments, self._places["completed_at"])
        return {
            **transport(self._source, survey_id, version, survey.status),
            "survey_id": survey_id,
            "instrument": survey.measured.instrument,
            "instrument_version": survey.measured.version,
            "score": survey.score,
            "answers": survey.answers,
            "completed_at": moment(completed_at, self._times, self._times.survey_day),
            **around(segments, self._places, self._mapping),
        }


def _code_in(result: Result, codes: Sequence[str]) -> str | None:
    return next((code for code in result.codes if code and code in codes), None)
