"""How long from a record to its code, and what that comes to."""

import math
from collections.abc import Collection
from typing import NamedTuple

from bench.engines.engine import Engine

LOADS = (0.1, 0.5, 0.8)
"""Parts of an engine's own top rate."""
PACED_SECONDS = 30
"""So long each is sent."""


class Latency(NamedTuple):
    """One engine under one load: milliseconds from the sending of a record to the reading of the code it earned."""

    engine: str
    family: str
    load: float
    """The part of its top rate."""
    events_per_second: float
    code_count: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    fault: str = ""
    """Why the figures do not count; empty if they do."""


def summarized(engine: Engine, load: float, events_per_second: float, latencies_ms: Collection[float]) -> Latency:
    """What *latencies_ms*, of which there is at least one, come to."""
    ordered = sorted(latencies_ms)
    p50, p99, p999 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.99, 0.999))
    return Latency(engine.name, engine.family, load, events_per_second, len(ordered), p50, p99, p999)


def failed(engine: Engine, load: float, events_per_second: float, fault: str) -> Latency:
    """A run without figures."""
    return Latency(engine.name, engine.family, load, events_per_second, 0, math.nan, math.nan, math.nan, fault)
