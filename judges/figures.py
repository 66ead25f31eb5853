"""One way to say a figure about judges: value, interval, how many items stand behind it, and why something is missing.

Promises: what cannot be had is None with a reason, never 0 or 1; no interval has width zero.
Does not: correct anything for the judges' errors; `judges.correct` does.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from benchmark.stats.clustered import FloatArray, clustered_t, finite, numbered
from benchmark.stats.intervals import Interval, check_confidence, wilson

#: An item of a run, such as (example id, sample).
Item = Hashable


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An estimate as a proportion (0.6 is 60%) or a coefficient, with its two-sided interval.

    `value` is None where it cannot be had, `low` and `high` where there is no interval; `reason` then says why, and is
    also set where an interval is not of the usual kind. `n` counts the items behind the value.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    confidence: float = 0.95
    reason: str = ""


def missing(n: int, reason: str, confidence: float = 0.95) -> Figure:
    """A figure that cannot be had."""
    return Figure(value=None, low=None, high=None, n=n, confidence=confidence, reason=reason)


def share(values: ArrayLike, groups: Sequence[Hashable] | None = None, confidence: float = 0.95) -> Figure:
    """The mean of `values` (shape (n,), each 0 or 1), with Wilson's interval over independent items.

    With `groups` (one an item: its database or domain) the interval is Wilson's over as many items as the clustered
    standard error says the n are worth; see `score_interval`. One group alone gives no interval.
    Raises ValueError for values that are not 0 or 1, or groups of another length.

    >>> found = share([1] * 18 + [0] * 12)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.6, 0.423, 0.754)
    """
    x = finite(values, "values", dimensions=1)
    check_confidence(confidence)
    if not np.isin(x, (0.0, 1.0)).all():
        raise ValueError("values of a share must be 0 or 1")
    if x.size == 0:
        return missing(0, "no items", confidence)
    value = float(x.mean())
    if groups is None:
        low, high = wilson(float(x.sum()), x.size, confidence)
        return Figure(value=value, low=low, high=high, n=x.size, confidence=confidence)
    error, count = clustered_error(x, groups)
    if count < 2:
        reason = "all items share one group: nothing shows how much groups differ"
        return Figure(value=value, low=None, high=None, n=x.size, confidence=confidence, reason=reason)
    low, high = score_interval(value, error, x.size, count - 1, confidence)
    return Figure(value=value, low=low, high=high, n=x.size, confidence=confidence)


def clustered_error(x: FloatArray, groups: Sequence[Hashable]) -> tuple[float, int]:
    """The cluster-robust standard error of a mean (`benchmark.stats.clustered`; NaN: none), and the groups' number."""
    codes, count = numbered(groups, x.size)
    return clustered_t(x, codes, count, 0.95).standard_error, count


def score_interval(value: float, error: float, n: float, degrees: float, confidence: float) -> Interval:
    """Wilson's score interval for a proportion that was estimated with the standard error `error`.

    It is Wilson's for `value` over value (1 - value) / error^2 items, at most `n`: the effective sample size, with the
    quantile of t with `degrees` of freedom (C. Franco, R. J. A. Little, T. A. Louis and E. V. Slud, Journal of Survey
    Statistics and Methodology 7, 2019, 334-364). value plus or minus t errors covers too little near 0 and 1, where
    the few items that err decide the standard error too. `n` stands in where the error is 0 or NaN, or where the
    value, cut to [0, 1], is 0 or 1.
    """
    p = min(1.0, max(0.0, value))
    spread = p * (1 - p)
    size = min(n, spread / error**2) if spread > 0 and error > 0 else n
    z = float(stdtrit(degrees, 0.5 + confidence / 2))
    centre = (p + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * math.sqrt(spread / size + z * z / (4 * size * size))
    return Interval(0.0 if p == 0 else max(0.0, centre - half), 1.0 if p == 1 else min(1.0, centre + half))
