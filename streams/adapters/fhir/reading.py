"""A record of FHIR R4 to events: surveys of Observation and QuestionnaireResponse, treatments of Procedure.

`README.md` of the package has every field, and where it is taken from.
"""

from collections.abc import Iterator
from functools import partial

from streams.adapters.adaptation import OTHER_TYPE, Adaptation, EventWriter, FaultError, Part, told_value
from streams.adapters.fhir.datatypes import Observation, Procedure, QuestionnaireResponse
from streams.adapters.fhir.message import Message
from streams.adapters.fhir.surroundings import Surroundings
from streams.adapters.fhir.surveys import OBSERVATION, RESPONSE, Surveys
from streams.adapters.fhir.treatments import PROCEDURE, Treatments
from streams.adapters.mapping import Mapping
from streams.domain.instrument import InstrumentRegistry
from streams.intake.decoder import Decoder
from streams.processing.topology import InputKind


class FhirAdapter:
    """Makes events of FHIR R4 resources and Bundles.

    Args:
        mapping: What codes and names mean.
        instruments: The instruments known.
    """

    def __init__(self, mapping: Mapping, instruments: InstrumentRegistry) -> None:
        self._mapping = mapping
        source = mapping.source or "fhir"
        self._surveys = Surveys(mapping, instruments, source)
        self._treatments = Treatments(source, mapping.time_reading)
        self._writer = EventWriter(Decoder(instruments))

    def adapt(self, value: bytes | None) -> Adaptation:
        """The events in a record's *value*: surveys, then treatments, each in the order of the message."""
        adaptation = Adaptation()
        try:
            message = Message(told_value(value))
        except FaultError as fault:
            adaptation.faults.append(fault)
            return adaptation
        adaptation.faults += message.faults
        if message.others:
            adaptation.passed_over[OTHER_TYPE] = message.others
        for part in self._parts(message):
            self._writer.take(part, adaptation)
        return adaptation

    def _parts(self, message: Message) -> Iterator[Part]:
        around = Surroundings(message, self._mapping)
        for score in message.of_type(Observation):
            read = partial(self._surveys.of_observation, message, around, score)
            yield Part(InputKind.SURVEY, score.where, OBSERVATION, read)
        for form in message.of_type(QuestionnaireResponse):
            read = partial(self._surveys.of_response, message, around, form)
            yield Part(InputKind.SURVEY, form.where, RESPONSE, read)
        for procedure in message.of_type(Procedure):
            read = partial(self._treatments.of_procedure, message, around, procedure)
            yield Part(InputKind.TREATMENT, procedure.where, PROCEDURE, read)
