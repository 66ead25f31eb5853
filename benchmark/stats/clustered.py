"""The mean of items that come in clusters (questions on one database), with a standard error that knows it.

Promises: a figure that cannot be had is NaN, never 0; values that are NaN are refused, the caller drops them.
Does not: repair few or very unequal clusters; `Estimate.few_clusters` says when to warn.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from benchmark.stats.intervals import check_confidence, clopper_pearson

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Below this many clusters the caller warns. "'Few' may range from less than 20 to less than 50 clusters in the
#: balanced case" (A. C. Cameron and D. L. Miller, Journal of Human Resources 50, 2015, p. 319); the lower end is
#: enough here because t with G - 1 degrees of freedom is used: tests/reliability/test_coverage.py measures it.
FEW_CLUSTERS = 20

#: A sum is zero when it is below this times n times the largest value: rounding, not information.
ROUNDING = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean, or a difference of means, with its interval; in the unit of the values (0.6 is 60%).

    `standard_error`, `low` and `high` are NaN where they cannot be had. `exact` says that the clustered standard error
    was 0 and that an exact binomial interval stands in (then `standard_error` is NaN).
    """

    value: float
    standard_error: float
    low: float
    high: float
    n: int
    clusters: int
    confidence: float
    exact: bool = False
    few_clusters: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "few_clusters", self.clusters < FEW_CLUSTERS)


def clustered_mean(values: ArrayLike, clusters: Sequence[Hashable], confidence: float = 0.95) -> Estimate:
    """The mean of `values` (shape (n,), any real unit), item i belonging to `clusters[i]`, with its t interval.

    With residual sums S_g of the G clusters the variance is G/(G-1) * sum(S_g^2) / n^2 (K.-Y. Liang and S. L. Zeger,
    Biometrika 73, 1986, 13-22, with the small-sample factor called CR1), and t has G - 1 degrees of freedom: what Stata
    and statsmodels give for a regression on a constant. With clusters of one item it is the ordinary t interval. It is
    not clipped to [0, 1].

    NaN: everything without values; all but `value` with one cluster.

    Where the standard error comes out as 0 (no item right, all items right, or clusters that happen to balance), an
    interval of width zero would be a lie. If all values are 0 or 1 the interval is then Clopper-Pearson's over the n
    items (`exact`), otherwise NaN. Taking items rather than clusters as trials joins on to the neighbouring case: with
    a single item wrong the t interval reaches about 3.1/n, with none the exact one 3.7/n. Data without a single error
    cannot show whether errors would come in clusters; if they do, only `clopper_pearson(0, clusters)` is sure to cover.

    Raises ValueError for a shape other than (n,), values that are NaN or infinite, `clusters` of another length.

    >>> found = clustered_mean([1, 1, 0, 1, 0, 0], ["a", "a", "a", "b", "b", "c"])
    >>> round(found.value, 3), round(found.standard_error, 3), found.clusters, found.few_clusters
    (0.5, 0.144, 3, True)
    """
    x = finite(values, "values", dimensions=1)
    found = clustered_t(x, *numbered(clusters, x.size), confidence)
    if needs_exact(found) and is_binary(x):
        low, high = clopper_pearson(int(x.sum()), x.size, confidence)
        return replace(found, low=low, high=high, exact=True)
    return found


def clustered_t(
    x: FloatArray, codes: IntArray, count: int, confidence: float, degrees: float | None = None
) -> Estimate:
    """The CR1 estimate of a mean without the exact case: a standard error of 0 is NaN, and so is its interval.

    `degrees` of freedom are G - 1 unless given.
    """
    check_confidence(confidence)
    value = float(x.mean()) if x.size else math.nan
    error = math.nan
    if count >= 2:
        sums = np.bincount(codes, weights=x - value, minlength=count)
        if np.abs(sums).max() > ROUNDING * x.size * np.abs(x).max():
            error = math.sqrt(count / (count - 1) * float(sums @ sums)) / x.size
    half = math.nan
    if count >= 2:
        half = error * float(stdtrit(degrees or count - 1, 0.5 + confidence / 2))
    return Estimate(
        value=value,
        standard_error=error,
        low=value - half,
        high=value + half,
        n=x.size,
        clusters=count,
        confidence=confidence,
    )


def needs_exact(found: Estimate) -> bool:
    """Whether there were clusters enough for a standard error, and it came out as 0."""
    return found.clusters >= 2 and math.isnan(found.standard_error)


def is_binary(x: FloatArray) -> bool:
    """Whether every value is exactly 0 or 1."""
    return bool(np.isin(x, (0.0, 1.0)).all())


def numbered(clusters: Sequence[Hashable], n: int) -> tuple[IntArray, int]:
    """The clusters of n items as numbers from 0 in order of appearance, shape (n,) int64, and how many there are.

    Raises ValueError unless there is one cluster an item.
    """
    if len(clusters) != n:
        raise ValueError(f"{n} items but {len(clusters)} clusters: give one cluster an item")
    numbers: dict[Hashable, int] = {}
    codes = np.fromiter((numbers.setdefault(key, len(numbers)) for key in clusters), dtype=np.int64, count=n)
    return codes, len(numbers)


def finite(values: ArrayLike, name: str, dimensions: int) -> FloatArray:
    """`values` as float64. Raises ValueError for another number of dimensions, and for NaN or infinite values."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != dimensions:
        raise ValueError(f"{name} must have {dimensions} dimensions, not the shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} hold NaN or infinity: drop the items without a value first")
    return x
