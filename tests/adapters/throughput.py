"""How fast is each adapter beside the library that reads its standard? ``python -m tests.adapters.throughput``.

One process, one message after the other, no broker. Each round measures all of them, so that the ratios are of one
moment of one machine; the rates are not to be compared with those of another.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import hl7
import msgspec
from fhir.resources.R4B.bundle import Bundle
from hl7apy.parser import parse_message

from streams.adapters.choice import adapter_of
from streams.instruments.registry import load_registry
from streams.processing.adapter_topics import MessageStandard

GOLDEN = Path(__file__).parents[1] / "golden" / "adapters"
ROUNDS = 5
SECONDS = 0.5


class Measured(NamedTuple):
    """Something that reads a message."""

    name: str
    messages: Sequence[bytes]
    read: Callable[[bytes], object]
    reference: str
    """Whose rate it is put beside."""


def measured() -> list[Measured]:
    """Adapters, and libraries."""
    mapping, instruments = GOLDEN / "mapping.toml", load_registry()
    fhir = adapter_of(MessageStandard.FHIR, mapping, instruments)
    hl7v2 = adapter_of(MessageStandard.HL7V2, mapping, instruments)
    bundles = (GOLDEN / "low-back-pain.fhir.ndjson").read_bytes().splitlines()[1:]
    segments = [text.replace(b"\n", b"\r") for text in (GOLDEN / "low-back-pain.hl7").read_bytes().split(b"\n\n")]
    return [
        Measured("FHIR adapter", bundles, fhir.adapt, "fhir.resources"),
        Measured("fhir.resources", bundles, Bundle.model_validate_json, "fhir.resources"),
        Measured("msgspec, any JSON", bundles, msgspec.json.decode, "fhir.resources"),
        Measured("HL7 v2 adapter", segments, hl7v2.adapt, "python-hl7"),
        Measured("python-hl7", segments, hl7.parse, "python-hl7"),
        Measured("hl7apy", segments, lambda value: parse_message(value.decode().strip()), "python-hl7"),
    ]


def rate(reader: Measured) -> float:
    """Messages a second."""
    count, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < SECONDS:
        for message in reader.messages:
            reader.read(message)
        count += len(reader.messages)
    return count / elapsed


def main() -> None:
    """Measure, and print a table."""
    readers = measured()
    rounds = [{reader.name: rate(reader) for reader in readers} for _ in range(ROUNDS)]
    print("| | messages/s | beside |\n|---|---|---|")  # noqa: T201 - what it is for
    for reader in readers:
        median = statistics.median(figures[reader.name] for figures in rounds)
        ratio = statistics.median(figures[reader.name] / figures[reader.reference] for figures in rounds)
        print(f"| {reader.name} | {median:,.0f} | {ratio:.2f} times {reader.reference} |")  # noqa: T201


if __name__ == "__main__":
    main()
