"""A record of HL7 v2 to events: surveys of ORU^R01, treatments of DFT^P03.

`README.md` of the package has every field, and where it is taken from.
"""

from collections.abc import Iterator

from streams.adapters.adaptation import OTHER_TYPE, Adaptation, EventWriter, FaultError, Part, told_value
from streams.adapters.hl7v2.message import Hl7Message
from streams.adapters.hl7v2.results import orders
from streams.adapters.hl7v2.surveys import Surveys
from streams.adapters.hl7v2.treatments import Treatments
from streams.adapters.mapping import Mapping
from streams.domain.instrument import InstrumentRegistry
from streams.intake.decoder import Decoder

_RESULTS, _CHARGES = "ORU^R01", "DFT^P03"


class Hl7v2Adapter:
    """Makes events of HL7 v2 messages.

    Args:
        mapping: What codes and names mean, and where fields stand.
        instruments: The instruments known.
    """

    def __init__(self, mapping: Mapping, instruments: InstrumentRegistry) -> None:
        source = mapping.source or "hl7v2"
        self._surveys = Surveys(mapping, instruments, source)
        self._treatments = Treatments(mapping, source)
        self._writer = EventWriter(Decoder(instruments))

    def adapt(self, value: bytes | None) -> Adaptation:
        """The events in a record's *value*, in the order of its segments."""
        adaptation = Adaptation()
        try:
            message = Hl7Message(told_value(value))
            if message.kind not in {_RESULTS, _CHARGES}:
                adaptation.passed_over[OTHER_TYPE] += 1
            for part in self._parts(message):
                self._writer.take(part, adaptation)
        except FaultError as fault:
            adaptation.faults.append(fault)
        return adaptation

    def _parts(self, message: Hl7Message) -> Iterator[Part]:
        for block in message.patients():
            segments = message.around(block)
            if message.kind == _RESULTS:
                for order in orders(block):
                    yield from self._surveys.of_order(order, segments)
            elif message.kind == _CHARGES:
                yield from self._treatments.of_patient(block, segments)
