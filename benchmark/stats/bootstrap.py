"""All pairs of k models on the same items, by one cluster bootstrap: which differences does the data support?

Promises: the same seed gives the same result, whatever the memory; all pairs see the same draws; the standard error is
the standard deviation of the draws. Does not: correct for many pairs; `benchmark.stats.ranks.holm` does.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from benchmark.stats.clustered import ROUNDING, Estimate, FloatArray, IntArray, clustered_t, finite, is_binary, numbered
from benchmark.stats.intervals import check_confidence
from benchmark.stats.paired import discordant, mcnemar_exact, with_exact

#: Cluster weights held at a time, 8 bytes each in about four arrays: some 64 MB.
WEIGHTS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two models by their row in the scores, the difference second - first, and its two-sided p-value (NaN: none)."""

    first: int
    second: int
    difference: Estimate
    p_value: float


def bootstrap_differences(
    scores: ArrayLike,
    clusters: Sequence[Hashable],
    draws: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> list[Comparison]:
    """Every pair of models (0, 1), (0, 2), … by a paired cluster bootstrap.

    `scores` has shape (k models, n items), any real unit; `clusters[i]` is the cluster of item i. A draw takes as many
    clusters as there are, with replacement, and each model's mean over all their items (C. A. Field and A. H. Welsh,
    JRSS B 69, 2007, 369-390); clusters of one item make it the ordinary paired bootstrap. Pairs come in the order of
    `itertools.combinations`.

    Plain percentiles act like a normal interval with the variance over G rather than G - 1, too narrow with few
    clusters: the quantiles are moved outwards to the normal probability of sqrt(G/(G-1)) t (the expanded percentile
    interval of T. Hesterberg, The American Statistician 69, 2015, 371-386). Draws also cannot leave the observed
    range, which a handful of clusters or of items that differ makes too small; so each end is the outer one of the
    percentile and of the clustered t interval. Covered without that: 59% with 2 clusters, 87% with 30 items of which 4
    differ. Here t has G* - 1 degrees of freedom, G* = n^2 / sum(n_g^2) being the number of equal clusters that the G
    unequal ones are worth (A. V. Carter, K. T. Schnepel and D. G. Steigerwald, Review of Economics and Statistics 99,
    2017, 698-709): the tails that Holm needs are too thin without (family-wise error 5.6 to 6.5% at 1,000 draws).

    The p-value counts the draws on the far side of 0, with 1 added to count and draws (A. C. Davison and D. V. Hinkley,
    "Bootstrap Methods", 1997, 4.2), is moved the same way, and is at least that of the t test; so p < alpha goes with 0
    outside the interval. Where no draw lies on the far side, counting cannot tell 1e-4 from 1e-9, and the normal tail
    of the draws decides: else Holm could separate no two of ten models on 20 clusters, however far apart.

    NaN: everything but the value with one cluster. A standard error of 0 is NaN; then 0/1 scores get the exact
    interval and p-value of `benchmark.stats.paired`, and equal scores that interval and p = 1.

    Raises ValueError for another shape, NaN or infinite scores, `clusters` of another length, or fewer than 2 draws.

    >>> better = bootstrap_differences([[0] * 30 + [1] * 70, [0] * 10 + [1] * 90], range(100), draws=2000)[0]
    >>> round(better.difference.value, 3), better.difference.low > 0.1, better.p_value < 0.001
    (0.2, True, True)
    """
    table = finite(scores, "scores", dimensions=2)
    grouping = codes, count = numbered(clusters, table.shape[1])
    check_confidence(confidence)
    if draws < 2:
        raise ValueError(f"a bootstrap needs at least 2 draws, not {draws}")
    sums: FloatArray = np.zeros((count, len(table)))
    np.add.at(sums, codes, table.T)
    sizes = np.bincount(codes, minlength=count).astype(np.float64)
    means = resampled_means(sums, sizes, draws, seed)
    return [
        Comparison(first=i, second=j, difference=difference, p_value=p)
        for i, j in combinations(range(len(table)), 2)
        for difference, p in [compared(table[i], table[j], means[j] - means[i], grouping, confidence)]
    ]


def resampled_means(
    sums: FloatArray, sizes: FloatArray, draws: int, seed: int, at_once: int = WEIGHTS_AT_ONCE
) -> FloatArray:
    """The mean of each of k models in each draw, shape (k, draws), from cluster sums (G, k) and cluster sizes (G,).

    `at_once` bounds the memory and changes nothing else: the generator (PCG64) yields one stream of clusters.
    """
    count = len(sizes)
    if count == 0:
        return np.full((sums.shape[1], draws), math.nan)
    columns = np.column_stack([sums, sizes])
    generator = np.random.Generator(np.random.PCG64(seed))
    step = max(1, at_once // count)
    totals = np.empty((draws, columns.shape[1]))
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        drawn = generator.integers(0, count, size=(rows, count))
        drawn += count * np.arange(rows)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        totals[start : start + rows] = weights.astype(np.float64) @ columns
    means: FloatArray = (totals[:, :-1] / totals[:, -1:]).T
    return means


def compared(
    a: FloatArray, b: FloatArray, drawn: FloatArray, grouping: tuple[IntArray, int], confidence: float
) -> tuple[Estimate, float]:
    """The estimate of mean(b - a) and its p-value, from the draws of that difference; `grouping` is `numbered`'s."""
    degrees = degrees_of_freedom(*grouping)
    student = clustered_t(b - a, *grouping, confidence, degrees)
    if student.clusters < 2:
        return student, math.nan
    if math.isnan(student.standard_error):
        return with_exact(student, a, b), p_without_spread(a, b)
    low, high = np.quantile(drawn, expanded(confidence, student.clusters, degrees)).tolist()
    found = replace(
        student, standard_error=float(drawn.std(ddof=1)), low=min(low, student.low), high=max(high, student.high)
    )
    t = -abs(student.value) / student.standard_error
    return found, max(p_from_draws(drawn, student, degrees), 2 * float(stdtr(degrees, t)))


def degrees_of_freedom(codes: IntArray, count: int) -> float:
    """G* - 1 for items in clusters `codes` (n,), at least 1: G - 1 if the clusters are equally large, fewer if not."""
    sizes = np.bincount(codes, minlength=count)
    return max(1.0, float(codes.size**2 / (sizes @ sizes)) - 1) if count else math.nan


def expanded(confidence: float, count: int, degrees: float) -> tuple[float, float]:
    """The two quantile levels of Hesterberg's expanded percentile interval for `count` clusters (2 or more)."""
    t = float(stdtrit(degrees, 0.5 + confidence / 2))
    level = float(ndtr(-math.sqrt(count / (count - 1)) * t))
    return level, 1 - level


def p_from_draws(drawn: FloatArray, student: Estimate, degrees: float) -> float:
    """The two-sided p-value: the share of draws on the far side of 0 as a normal quantile, read as t."""
    noise = ROUNDING * student.n * float(np.abs(drawn).max())
    beyond = min(np.count_nonzero(drawn <= noise), np.count_nonzero(drawn >= -noise))
    z = float(ndtri(min(0.5, (beyond + 1) / (drawn.size + 1))))
    if beyond == 0:
        z = min(z, -abs(student.value) / float(drawn.std(ddof=1)))
    return 2 * float(stdtr(degrees, z * math.sqrt((student.clusters - 1) / student.clusters)))


def p_without_spread(a: FloatArray, b: FloatArray) -> float:
    """The p-value where the standard error is 0: exact McNemar for 0/1 scores, 1 for equal scores, else NaN."""
    if is_binary(a) and is_binary(b):
        return mcnemar_exact(*discordant(a, b))
    return 1.0 if (a == b).all() else math.nan
