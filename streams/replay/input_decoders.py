"""How the records of each input topic that tells of episodes are decoded."""

from collections.abc import Callable, Mapping

from streams.intake.cloudevents import Headers
from streams.intake.decoder import Decoded, Decoder
from streams.processing.topology import InputKind, Topology

Decode = Callable[[bytes | None, Headers], Decoded]


def input_decoders(decoder: Decoder, topology: Topology) -> Mapping[str, Decode]:
    """What decodes a value and headers, by topic."""
    by_kind: Mapping[InputKind, Decode] = {
        InputKind.SURVEY: decoder.decode_survey,
        InputKind.TREATMENT: decoder.decode_treatment,
    }
    return {topic: by_kind[kind] for topic, kind in topology.kinds.items() if kind in by_kind}
