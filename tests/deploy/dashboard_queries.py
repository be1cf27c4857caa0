"""How does the dashboard ask? PromQL for the metrics of the catalogue, of the groups that are chosen."""

from streams.metrics.metric import Metric

SELECTED = '{job=~"$job"}'
"""The groups that whoever looks has chosen."""


def rate(metric: Metric, *labels: str) -> str:
    """What *metric* counts in a second, by *labels*."""
    return f"sum by ({', '.join(labels)}) (rate({metric.name}{SELECTED}[$__rate_interval]))"


def quantile(share: float, metric: Metric) -> str:
    """The time or size that *share* of all stay below."""
    (bucket, *_) = metric.series
    return f"histogram_quantile({share}, sum by (le) (rate({bucket}{SELECTED}[$__rate_interval])))"


def mean(metric: Metric, *labels: str) -> str:
    """The mean of a histogram, by *labels*."""
    _, total, count = metric.series
    by = f"sum by ({', '.join(labels)})"
    return f"{by} (rate({total}{SELECTED}[$__rate_interval])) / {by} (rate({count}{SELECTED}[$__rate_interval]))"


def of_the_group(metric: Metric, aggregation: str = "max", *labels: str) -> str:
    """A figure that every worker tells of the whole group."""
    return f"{aggregation} by ({', '.join(('job', *labels))}) ({metric.name}{SELECTED})"


def percentiles(metric: Metric) -> list[tuple[str, str]]:
    """What half, and nearly all, stay below."""
    return [(quantile(share, metric), name) for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))]


def by(label: str, metric: Metric) -> list[tuple[str, str]]:
    """What *metric* counts in a second, a series for each value of *label*."""
    return [(rate(metric, label), f"{{{{{label}}}}}")]
