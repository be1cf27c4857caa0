"""What is a metric? A name, what kind of figure it is, what it means, and by what it is told apart."""

from enum import StrEnum
from typing import NamedTuple


class MetricKind(StrEnum):
    """Prometheus' kinds (https://prometheus.io/docs/concepts/metric_types/)."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """One metric of the catalogue, named after https://prometheus.io/docs/practices/naming/."""

    name: str
    """With its unit, and ``_total`` where it counts: as it stands in a query."""
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    """Each with a bounded set of values; none is ever an id of a patient, an episode or a record."""
    buckets: tuple[float, ...] = ()
    """Of a histogram: the upper bounds."""

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a query may ask for."""
        if self.kind is MetricKind.HISTOGRAM:
            return tuple(f"{self.name}{suffix}" for suffix in ("_bucket", "_sum", "_count"))
        return (self.name,)
