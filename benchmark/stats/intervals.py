"""Confidence intervals of one proportion, from a count of independent items.

Promises: no data is NaN; all or nothing right never gives an interval of width zero.
Does not: know that items share a database; `benchmark.stats.clustered` does.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """A two-sided confidence interval, as proportions in [0, 1] (differences: [-1, 1]); NaN where there is no data."""

    low: float
    high: float


NO_INTERVAL = Interval(math.nan, math.nan)


def wilson(successes: float, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval for a proportion (E. B. Wilson, JASA 22, 1927, 209-212).

    `successes` may be fractional, for metrics with partial credit.

    >>> low, high = wilson(18, 30)
    >>> round(low, 3), round(high, 3)
    (0.423, 0.754)
    """
    if n == 0:
        return NO_INTERVAL
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie in [0, {n}], not {successes}")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high)


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """The exact interval for a proportion (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934, 404-413).

    Its coverage is never below `confidence`, and often above. With 0 of n the upper end is 1 - (alpha/2)^(1/n), about
    3.7/n at 95% (and the "rule of three", 3/n, at 90%, whose upper end is the one-sided 95% bound).
    Raises ValueError for an impossible count or confidence.

    >>> low, high = clopper_pearson(18, 30)
    >>> round(low, 3), round(high, 3)
    (0.406, 0.773)
    """
    from scipy.special import betaincinv  # here, so that `wilson` does without scipy

    check_confidence(confidence)
    if n == 0:
        return NO_INTERVAL
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie in [0, {n}], not {successes}")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return Interval(low, high)


def check_confidence(confidence: float) -> None:
    """Raises ValueError unless 0 < confidence < 1 (95% is 0.95, not 95)."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
