"""The adapter of a standard."""

from pathlib import Path

from streams.adapters.adaptation import Adapter
from streams.adapters.fhir.reading import FhirAdapter
from streams.adapters.mapping import load_mapping
from streams.domain.instrument import InstrumentRegistry
from streams.processing.adapter_topics import MessageStandard


def adapter_of(standard: MessageStandard, mapping: Path | None, instruments: InstrumentRegistry) -> Adapter:
    """What understands messages of *standard*, by the mapping in a file.

    Raises:
        MappingRefusedError: The file is none.
    """
    read = load_mapping(mapping, instruments)
    match standard:
        case MessageStandard.FHIR:
            return FhirAdapter(read, instruments)
        case MessageStandard.HL7V2:
            raise NotImplementedError
