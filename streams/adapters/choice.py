"""The adapter of a standard."""

from pathlib import Path

from streams.adapters.adaptation import Adapter
from streams.adapters.fhir.reading import FhirAdapter
from streams.adapters.mapping import Mapping, MappingRefusedError, load_mapping
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
            return _hl7v2_adapter(read, instruments)


def _hl7v2_adapter(mapping: Mapping, instruments: InstrumentRegistry) -> Adapter:
    try:
        from streams.adapters.hl7v2.reading import Hl7v2Adapter  # noqa: PLC0415 - a library that no worker needs
    except ImportError:
        message = "HL7 v2 is read with a library that a worker does not need: pip install 'g9603[hl7v2]'."
        raise MappingRefusedError(message) from None
    return Hl7v2Adapter(mapping, instruments)
