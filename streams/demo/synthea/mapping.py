"""Synthea's FHIR R4 bundles to our two events: the FHIR adapter, and the episodes that it asks for.

A field that a bundle does not tell is left out, never filled in. Everything but `events_of` is pure.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import orjson

from streams.adapters.fhir.reading import FhirAdapter
from streams.adapters.mapping import load_mapping
from streams.demo.synthea.episodes import with_episodes
from streams.demo.synthea.measures import measure_table
from streams.instruments.registry import load_registry

Event: TypeAlias = dict[str, Any]
"""One `SurveyCompleted` or `TreatmentRecorded`, as JSON values."""

_BUNDLES_PER_REPORT = 20

_encode = msgspec.json.Encoder(decimal_format="number").encode


def map_bundle(bundle: Mapping[str, Any]) -> list[Event]:
    """The events in one patient's *bundle*: surveys, then the treatments of the episodes that they open.

    Args:
        bundle: FHIR R4 as JSON, its numbers as int or Decimal.
    """
    adaptation = _adapter().adapt(_encode(with_episodes(bundle, measure_table())))
    events: list[Event] = [orjson.loads(event.value) for event in adaptation.events]
    opened = {event["episode_id"] for event in events if "survey_id" in event}
    return [event for event in events if event["episode_id"] in opened]


def events_of(bundles: Iterable[Path], on_progress: Callable[[str], None]) -> list[Event]:
    """The events in all *bundles*, in the order in which they happened: as an interface engine would send them.

    Args:
        bundles: Files of one FHIR bundle each.
        on_progress: Told, in a sentence, how far it is.
    """
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    events: list[Event] = []
    for count, path in enumerate(bundles, start=1):
        events += map_bundle(decoder.decode(path.read_bytes()))
        if count % _BUNDLES_PER_REPORT == 0:
            on_progress(f"Read {count} of Synthea's patients: {len(events)} events.")
    return sorted(events, key=_when)


def _when(event: Event) -> tuple[datetime, str]:
    return datetime.fromisoformat(event.get("completed_at") or event["performed_at"]), event["event_id"]


@cache
def _adapter() -> FhirAdapter:
    with resources.as_file(resources.files(__package__).joinpath("adapter.toml")) as path:
        return FhirAdapter(load_mapping(path, load_registry()), load_registry())
