"""Surveys in FHIR: an Observation that is a score, a QuestionnaireResponse that has one."""

from schemas.vocabulary import RecordStatus, Respondent
from streams.adapters.adaptation import NOT_FINAL, OTHER_CODE, Fields, transport
from streams.adapters.fhir.answered import answered
from streams.adapters.fhir.datatypes import LOINC, Observation, QuestionnaireResponse, Reference
from streams.adapters.fhir.message import Message, Placed
from streams.adapters.fhir.moments import moment, version_of
from streams.adapters.fhir.surroundings import EPISODE, Surroundings
from streams.adapters.mapping import Mapping
from streams.adapters.scores import plain_score, stand_in_score
from streams.domain.instrument import InstrumentRegistry

OBSERVATION = {
    "survey_id": "id",
    "episode_id": EPISODE,
    "patient_id": "subject",
    "score": "valueQuantity.value or valueInteger",
    "completed_at": "effectiveDateTime with a time and an offset",
}
"""What an Observation must tell, and where."""
RESPONSE = {
    "survey_id": "id",
    "episode_id": EPISODE,
    "patient_id": "subject",
    "completed_at": "authored with a time and an offset",
}
"""What a QuestionnaireResponse must tell; besides a score or answers, which the worker's decoder asks for."""

_OBSERVATION_STATUS = {
    "final": RecordStatus.COMPLETED,
    "amended": RecordStatus.AMENDED,
    "corrected": RecordStatus.AMENDED,
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
}
"""hl7.org/fhir/R4/valueset-observation-status.html; the others are no results."""
_RESPONSE_STATUS = {
    "completed": RecordStatus.COMPLETED,
    "amended": RecordStatus.AMENDED,
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
}
"""hl7.org/fhir/R4/valueset-questionnaire-answers-status.html; the others are not finished."""


class Surveys:
    """Reads surveys by a mapping.

    Args:
        mapping: What codes mean.
        instruments: The instruments known.
        source: The sending system.
    """

    def __init__(self, mapping: Mapping, instruments: InstrumentRegistry, source: str) -> None:
        self._mapping = mapping
        self._instruments = instruments
        self._source = source
        self._times = mapping.time_reading

    def of_observation(self, message: Message, around: Surroundings, placed: Placed[Observation]) -> Fields | str:
        """The fields of a `SurveyCompleted`, or why there is none.

        Raises:
            FaultError: What is told cannot be one.
        """
        told = placed.resource
        measured = next((m for code in told.code.codes(LOINC) if (m := self._mapping.scores.get(code))), None)
        status = _OBSERVATION_STATUS.get(told.status)
        if measured is None:
            return OTHER_CODE
        if status is None:
            return NOT_FINAL
        score = told.value_quantity.value if told.value_quantity.value is not None else told.value_integer
        text = plain_score(score, placed.where)
        if text is None and status is RecordStatus.ENTERED_IN_ERROR:
            text = stand_in_score(self._instruments[measured.instrument])
        answered_at = told.effective_date_time or told.effective_instant or told.effective_period.end
        return {
            **transport(self._source, placed.id, version_of(told.meta), status),
            "survey_id": placed.id,
            "instrument": measured.instrument,
            "instrument_version": measured.version,
            "score": text,
            "completed_at": moment(answered_at, self._times, self._times.survey_day),
            "respondent": _respondent(message, placed, told.performer),
            **around.of(placed, on=answered_at or ""),
        }

    def of_response(
        self, message: Message, around: Surroundings, placed: Placed[QuestionnaireResponse]
    ) -> Fields | str:
        """The same of a QuestionnaireResponse."""
        told = placed.resource
        forms = self._mapping.questionnaires
        form = forms.get(told.questionnaire) or forms.get(told.questionnaire.partition("|")[0])
        status = _RESPONSE_STATUS.get(told.status)
        if form is None:
            return OTHER_CODE
        if status is None:
            return NOT_FINAL
        score, answers = answered(told, form, self._mapping.answers, placed.where)
        if score is None and answers is None and status is RecordStatus.ENTERED_IN_ERROR:
            score = stand_in_score(self._instruments[form.instrument])
        return {
            **transport(self._source, placed.id, version_of(told.meta), status),
            "survey_id": placed.id,
            "instrument": form.instrument,
            "instrument_version": form.version,
            "score": score,
            "answers": answers,
            "completed_at": moment(told.authored, self._times, self._times.survey_day),
            "respondent": _respondent(message, placed, (told.source,) if told.source is not None else ()),
            **around.of(placed, on=told.authored or ""),
        }


def _respondent(
    message: Message, placed: Placed[Observation] | Placed[QuestionnaireResponse], answering: tuple[Reference, ...]
) -> Respondent | None:
    types = {message.referenced_type(reference, placed) for reference in answering}
    if "RelatedPerson" in types:
        return Respondent.PROXY
    return Respondent.PATIENT if "Patient" in types else None
