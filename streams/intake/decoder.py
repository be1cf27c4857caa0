"""A record's bytes to a fact of an episode, or to a merge. Total: one comes out, or a rejection that says why."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from schemas.patient_merged import PatientMerged
from schemas.survey_completed import SurveyCompleted
from schemas.treatment_recorded import TreatmentRecorded
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.instant import Instant
from streams.domain.instrument import Instrument
from streams.domain.patient_merge import PatientMerge
from streams.domain.scoring import AnswersRejectedError, canonical, score_answers
from streams.intake.cloudevents import EventT, Headers, StructuredEvent, is_structured
from streams.intake.exact_json import ExactReader
from streams.intake.rejection import RejectedError, RejectionReason
from streams.intake.usual_form import UsualSurvey, UsualTreatment, usual_survey, usual_treatment

VALUE_BYTES_MAX = 256 * 1024
"""An event with every field of the contract at its bound has a tenth of it; the rest is for fields of others."""

_FOUR_PLACES = Decimal("0.0001")


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """A fact and the episode that it belongs to."""

    episode_id: str
    fact: Fact


class Decoder:
    """Decodes records of the input topics."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._survey = ExactReader(SurveyCompleted)
        self._survey_envelope = ExactReader(StructuredEvent[SurveyCompleted])
        self._treatment = ExactReader(TreatmentRecorded)
        self._treatment_envelope = ExactReader(StructuredEvent[TreatmentRecorded])
        self._merge = ExactReader(PatientMerged)
        self._merge_envelope = ExactReader(StructuredEvent[PatientMerged])

    def decode_survey(self, value: bytes | None, headers: Headers = ()) -> Decoded:
        """The survey in a record of the topic ``survey-completed``.

        Raises:
            RejectedError: The record goes to the dead letters.
        """
        usual = usual_survey(value) if value and not headers and len(value) <= VALUE_BYTES_MAX else None
        if usual is not None:
            return Decoded(usual[0].episode_id, self._survey_fact(*usual))
        event = _read(value, headers, self._survey, self._survey_envelope)
        return Decoded(event.episode_id, self._survey_fact(event, event.score, Instant.of(event.completed_at)))

    def decode_treatment(self, value: bytes | None, headers: Headers = ()) -> Decoded:
        """The treatment in a record of the topic ``treatment-recorded``.

        Raises:
            RejectedError: The record goes to the dead letters.
        """
        usual = usual_treatment(value) if value and not headers and len(value) <= VALUE_BYTES_MAX else None
        if usual is not None:
            return Decoded(usual[0].episode_id, _treatment_fact(*usual))
        event = _read(value, headers, self._treatment, self._treatment_envelope)
        return Decoded(event.episode_id, _treatment_fact(event, Instant.of(event.performed_at)))

    def decode_merge(self, value: bytes | None, headers: Headers = ()) -> PatientMerge:
        """The merge of patient ids in a record of the topic ``patient-merged``.

        Raises:
            RejectedError: The record goes to the dead letters.
        """
        event = _read(value, headers, self._merge, self._merge_envelope)
        return PatientMerge(
            event.source,
            event.event_id,
            event.surviving_patient_id,
            event.merged_patient_id,
            Instant.of(event.merged_at),
            event.action,
        )

    def _survey_fact(
        self, event: SurveyCompleted | UsualSurvey, given: Decimal | None, completed_at: Instant
    ) -> Survey:
        instrument = self._instruments.get(event.instrument)
        if instrument is None:
            detail = "instrument: no such id in the registry; `g9603 schema instruments` lists those known."
            raise RejectedError(RejectionReason.UNKNOWN_INSTRUMENT, detail)
        return Survey(
            event.source,
            event.event_id,
            event.survey_id,
            event.version,
            event.status,
            event.patient_id,
            event.instrument,
            event.instrument_version,
            _score(event.answers, given, instrument),
            completed_at,
            event.respondent,
            event.encounter_id,
            event.facility_id,
            event.payer_id,
            event.rendering_npi,
            event.place_of_service,
            event.moved_from_episode_id,
        )


def _read(
    value: bytes | None, headers: Headers, bare: ExactReader[EventT], envelope: ExactReader[StructuredEvent[EventT]]
) -> EventT:
    if not value:
        raise RejectedError(RejectionReason.EMPTY, "the value: there is none.")
    if len(value) > VALUE_BYTES_MAX:
        raise RejectedError(RejectionReason.TOO_LARGE, f"the value: it has more than {VALUE_BYTES_MAX} bytes.")
    return envelope.read(value).data if is_structured(headers) else bare.read(value)


def _treatment_fact(event: TreatmentRecorded | UsualTreatment, performed_at: Instant) -> Treatment:
    return Treatment(
        event.source,
        event.event_id,
        event.treatment_id,
        event.version,
        event.status,
        event.patient_id,
        event.code,
        event.code_system,
        performed_at,
        event.modifiers,
        event.encounter_id,
        event.facility_id,
        event.payer_id,
        event.rendering_npi,
        event.place_of_service,
        event.diagnoses,
        event.moved_from_episode_id,
    )


def _score(answers: Sequence[int | None] | None, given: Decimal | None, instrument: Instrument) -> Decimal | None:
    """The score that counts; None where more items are unanswered than the instrument allows."""
    if given is not None and not instrument.admits(given):
        detail = f"score: outside {instrument.score_min} to {instrument.score_max}, the range of {instrument.id}."
        raise RejectedError(RejectionReason.SCORE_OUT_OF_RANGE, detail)
    if answers is not None:
        return _score_of_answers(answers, given, instrument)
    return canonical(given) if given is not None else None


def _score_of_answers(answers: Sequence[int | None], given: Decimal | None, instrument: Instrument) -> Decimal | None:
    if instrument.items is None:
        if given is not None:
            return canonical(given)
        detail = f"answers: no item rule is published for {instrument.id}; send the score."
        raise RejectedError(RejectionReason.NO_ITEM_RULE, detail)
    try:
        computed = score_answers(instrument.items, answers)
    except AnswersRejectedError as error:
        raise RejectedError(RejectionReason.ANSWERS_INVALID, f"answers: {error}") from None
    if computed is not None and given is not None and given.quantize(_FOUR_PLACES) != computed:
        detail = f"score: not what the answers give by the scoring rule of {instrument.id}."
        raise RejectedError(RejectionReason.SCORE_MISMATCH, detail)
    return computed
