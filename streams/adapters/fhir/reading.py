"""A record of FHIR R4 to events: surveys of Observation and QuestionnaireResponse, treatments of Procedure.

`README.md` of the package has every field, and where it is taken from.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from streams.adapters.adaptation import Adaptation, AdaptedEvent, EventWriter, FaultError, FaultReason, Fields
from streams.adapters.fhir.datatypes import Observation, Procedure, QuestionnaireResponse
from streams.adapters.fhir.message import Message
from streams.adapters.fhir.surroundings import Surroundings
from streams.adapters.fhir.surveys import OBSERVATION, RESPONSE, Surveys
from streams.adapters.fhir.treatments import PROCEDURE, Treatments
from streams.adapters.mapping import Mapping as SiteMapping
from streams.domain.instrument import InstrumentRegistry
from streams.intake.decoder import Decoder


class _Part(NamedTuple):
    """A resource that may be an event."""

    where: str
    read: Callable[[], Fields | str]
    """The event's fields, or why it is none."""
    write: Callable[[Fields, Mapping[str, str], str], AdaptedEvent]
    looked_for: Mapping[str, str]


class FhirAdapter:
    """Makes events of FHIR R4 resources and Bundles.

    Args:
        mapping: What codes and names mean.
        instruments: The instruments known.
    """

    def __init__(self, mapping: SiteMapping, instruments: InstrumentRegistry) -> None:
        self._mapping = mapping
        source = mapping.source or "fhir"
        self._surveys = Surveys(mapping, instruments, source)
        self._treatments = Treatments(source, mapping.time_reading)
        self._writer = EventWriter(Decoder(instruments))

    def adapt(self, value: bytes | None) -> Adaptation:
        """The events in a record's *value*: surveys, then treatments, each in the order of the message."""
        adaptation = Adaptation()
        try:
            if not value:
                raise FaultError(FaultReason.EMPTY, "The value: there is none.")  # noqa: TRY301 - one way for all
            message = Message(value)
        except FaultError as fault:
            adaptation.faults.append(fault)
            return adaptation
        adaptation.faults += message.faults
        if message.others:
            adaptation.passed_over["other type"] = message.others
        for part in self._parts(message):
            try:
                fields = part.read()
                if isinstance(fields, str):
                    adaptation.passed_over[fields] += 1
                else:
                    adaptation.events.append(part.write(fields, part.looked_for, part.where))
            except FaultError as fault:
                adaptation.faults.append(fault)
        return adaptation

    def _parts(self, message: Message) -> Iterator[_Part]:
        around = Surroundings(message, self._mapping)
        survey, treatment = self._writer.survey, self._writer.treatment
        for score in message.of_type(Observation):
            read = partial(self._surveys.of_observation, message, around, score)
            yield _Part(score.where, read, survey, OBSERVATION)
        for form in message.of_type(QuestionnaireResponse):
            yield _Part(form.where, partial(self._surveys.of_response, message, around, form), survey, RESPONSE)
        for procedure in message.of_type(Procedure):
            read = partial(self._treatments.of_procedure, message, around, procedure)
            yield _Part(procedure.where, read, treatment, PROCEDURE)
