"""The catalogue as live figures, and their text as Prometheus reads it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from streams.metrics.catalogue import CATALOGUE
from streams.metrics.metric import Metric, MetricKind

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Exposition(NamedTuple):
    """A text, and what it is."""

    content_type: str
    text: bytes


class _Gauge(Collector):
    """Replaced as a whole, unlike the library's own: thousands of partitions cost nothing between two scrapes."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self.rows: dict[tuple[str, ...], float] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every row, as a sample."""
        family = GaugeMetricFamily(self._metric.name, self._metric.help, labels=self._metric.labels)
        for labels, value in self.rows.items():
            family.add_metric(labels, value)
        yield family


class Figures:
    """A registry with every metric of the catalogue, and the process's own (``process_…``)."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._by_metric = {metric: self._made(metric) for metric in CATALOGUE}

    def _made(self, metric: Metric) -> Counter | _Gauge | Histogram:
        name, text, labels, registry = metric.name, metric.help, metric.labels, self._registry
        match metric.kind:
            case MetricKind.COUNTER:
                return Counter(name, text, labels, registry=registry)
            case MetricKind.GAUGE:
                gauge = _Gauge(metric)
                registry.register(gauge)
                return gauge
            case MetricKind.HISTOGRAM:
                return Histogram(name, text, labels, registry=registry, buckets=metric.buckets)

    def count(self, metric: Metric, amount: int, *labels: str) -> None:
        """Add *amount* to a counter."""
        counter = self._by_metric[metric]
        assert isinstance(counter, Counter)  # noqa: S101 - a fault of ours, not of the input
        (counter.labels(*labels) if labels else counter).inc(amount)

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Put *value* into a histogram."""
        histogram = self._by_metric[metric]
        assert isinstance(histogram, Histogram)  # noqa: S101
        (histogram.labels(*labels) if labels else histogram).observe(value)

    def observe_all(self, metric: Metric, values: Iterable[float]) -> None:
        """Put *values* into a histogram without labels."""
        histogram = self._by_metric[metric]
        assert isinstance(histogram, Histogram)  # noqa: S101
        for value in values:
            histogram.observe(value)

    def put(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge at *labels*; what it is elsewhere stays."""
        self._gauge(metric).rows[labels] = value

    def put_all(self, metric: Metric, rows: Mapping[tuple[str, ...], float]) -> None:
        """Set a gauge to exactly *rows*; what had other labels before is gone."""
        self._gauge(metric).rows = dict(rows)

    def put_one_of(self, metric: Metric, value: str, others: Iterable[str]) -> None:
        """Set a gauge with one label to 1 at *value* and to 0 at all *others*."""
        self.put_all(metric, {**{(other,): 0.0 for other in others}, (value,): 1.0})

    def _gauge(self, metric: Metric) -> _Gauge:
        gauge = self._by_metric[metric]
        assert isinstance(gauge, _Gauge)  # noqa: S101
        return gauge

    def exposition(self, accept: str) -> Exposition:
        """Everything, in the format that the header ``Accept`` asks for."""
        encode, content_type = choose_encoder(accept)
        return Exposition(content_type, encode(self._registry))

    @property
    def resident_bytes(self) -> int:
        """How much memory this process has; 0 where the system does not tell."""
        return int(self._registry.get_sample_value("process_resident_memory_bytes") or 0)

    def counts(self, metric: Metric) -> dict[tuple[str, ...], int]:
        """What a counter has come to, by its labels."""
        return {labels: int(value) for _, labels, value in self._samples(metric, metric.name)}

    def bucket_counts(self, metric: Metric) -> tuple[int, ...]:
        """What a histogram without labels has seen, per bucket; the last is beyond the last bound."""
        cumulated = [int(value) for _, _, value in self._samples(metric, f"{metric.name}_bucket")]
        return tuple(upper - lower for lower, upper in zip([0, *cumulated], cumulated, strict=False))

    def _samples(self, metric: Metric, name: str) -> Iterator[tuple[str, tuple[str, ...], float]]:
        for family in self._by_metric[metric].collect():
            for sample in family.samples:
                if sample.name == name:
                    yield sample.name, tuple(sample.labels[label] for label in metric.labels), sample.value
