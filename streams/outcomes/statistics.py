"""Rates, means and times of a group, each with what is not known of it.

A rate has the score interval of Wilson (Probable inference, the law of succession, and statistical inference; Journal
of the American Statistical Association 22:209-212, 1927), which Brown, Cai and DasGupta recommend for small numbers,
too (Interval estimation for a binomial proportion; Statistical Science 16:101-133, 2001). A mean has the normal
interval, which holds for groups that are not small; small ones are withheld. All are of 95 %.
"""

from collections import Counter
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

Z = NormalDist().inv_cdf(0.975)


class Estimate(NamedTuple):
    """A number, and between which numbers it lies with a confidence of 95 %."""

    value: float
    low: float
    high: float


def rate(count: int, of: int) -> Estimate | None:
    """The share *count* of *of*; None of nothing."""
    if not of:
        return None
    share, spread = count / of, Z * Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    # At none and at all the bound is the share itself, and rounding must not move it.
    low = 0.0 if count == 0 else max(middle - half, 0.0)
    high = 1.0 if count == of else min(middle + half, 1.0)
    return Estimate(share, low, high)


def mean(total: Fraction, total_of_squares: Fraction, of: int) -> Estimate | None:
    """The mean of *of* numbers; None of fewer than two."""
    if of < 2:  # noqa: PLR2004 - one number says nothing of a spread
        return None
    value = float(total / of)
    half = Z * sqrt((total_of_squares - total * total / of) / (of - 1) / of)
    return Estimate(value, value - half, value + half)


def quantile(counts: Counter[int], share: float) -> int | None:
    """The least number with at least *share* of all at or below it; None of nothing."""
    total, seen = counts.total(), 0
    for number in sorted(counts):
        seen += counts[number]
        if seen >= share * total:
            return number
    return None
