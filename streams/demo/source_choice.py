"""The inputs that the demonstration can be run on."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from streams.demo.health_system.generation import generate
from streams.demo.source import DemoSource
from streams.demo.synthea.generator import generate_bundles
from streams.demo.synthea.mapping import events_of
from streams.processing.records import Header
from streams.processing.topology import InputKind

SYNTHEA_POLICY = Path(__file__).parents[1] / "policies" / "synthea.toml"


class _MappedRecord(NamedTuple):
    topic: str
    key: bytes
    value: bytes
    headers: tuple[Header, ...]
    kind: str


def health_system_source(seed: int, episodes: int) -> DemoSource:
    """A health system of our own: all payers and sites, corrections, voids, duplicates and garbage."""
    system = generate(seed, episodes)
    description = (
        f"a year of an invented health system, seed {seed}: {episodes} episodes of care in {len(system.records)} "
        "records, with corrections, voids, duplicates, late and shuffled events, and garbage."
    )
    return DemoSource(description, system.records, None, system.first_episode_id)


def synthea_source(seed: int, on_progress: Callable[[str], None]) -> DemoSource:
    """Patients of MITRE's Synthea, mapped from FHIR R4 bundles; judged by the policy that is shipped for them."""
    with tempfile.TemporaryDirectory(prefix="g9603-synthea-") as folder:
        bundles = generate_bundles(Path(folder), seed=seed, on_progress=on_progress)
        events = events_of(bundles, on_progress=on_progress)
    records = [_mapped(event) for event in events]
    description = (
        f"{len(bundles)} patients of Synthea, seed {seed}: {len(records)} surveys and treatments from their FHIR "
        "bundles. What a bundle does not tell shows up as not available."
    )
    return DemoSource(description, records, SYNTHEA_POLICY, None)


def _mapped(event: dict[str, Any]) -> _MappedRecord:
    kind, word = (InputKind.SURVEY, "survey") if "survey_id" in event else (InputKind.TREATMENT, "treatment")
    return _MappedRecord(str(kind), event["episode_id"].encode(), orjson.dumps(event), (), word)
