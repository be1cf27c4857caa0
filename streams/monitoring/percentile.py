"""Percentiles from the counts of a histogram's buckets, as Prometheus' ``histogram_quantile`` takes them."""

from collections.abc import Sequence
from itertools import accumulate


def percentile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float | None:
    """The value below which *share* of the observations lie; within a bucket they are taken as evenly spread.

    Args:
        bounds: The upper bounds of the buckets, rising.
        counts: Per bucket, and one more for what lies beyond: that is told as the last bound.
        share: From 0 to 1.

    Returns:
        None where nothing was observed.

    >>> percentile([1.0, 2.0], [0, 10, 0], 0.5)
    1.5
    """
    total = sum(counts)
    if total == 0:
        return None
    wanted = share * total
    lower = 0.0
    for bound, count, reached in zip(bounds, counts, accumulate(counts), strict=False):
        if reached >= wanted and count:
            return lower + (bound - lower) * (wanted - (reached - count)) / count
        lower = bound
    return bounds[-1] if bounds else None
