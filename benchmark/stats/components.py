"""Where the variance of one draw's accuracy comes from: the chance of its answers, and the choice of its items.

A draw is one answer to every item, made under one seed. Promises: figures that cannot be had are NaN, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike
from scipy.special import chdtri

from benchmark.stats.clustered import Estimate, clustered_mean, finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Standard deviations of the accuracy of one draw, in the unit of the values, and the accuracy over all draws.

    `chance` is what another seed moves on the same items, with its 95% interval from `low` to `high`; `items` is what
    other items (clusters of them) would move were chance switched off. Together: sqrt(chance^2 + items^2).
    """

    draws: int
    mean: Estimate
    chance: float
    low: float
    high: float
    items: float


def components(draws: ArrayLike, clusters: Sequence[Hashable]) -> Components:
    """The components from `draws` of shape (K, n), item i belonging to `clusters[i]`.

    `chance` is the standard deviation of the K accuracies, its interval chi-squared's with K - 1 degrees of freedom.
    The squared standard error of the mean over items holds the items' part and a K-th of each item's own chance; the
    latter is taken off by the residual mean square of items by draws (two-way analysis of variance without replicates),
    and what would be below 0 is 0. Raises ValueError for another shape, NaN, or clusters of another length.

    >>> found = components([[1, 0, 1, 0], [1, 0, 0, 0]], ["a", "b", "c", "d"])
    >>> found.mean.value, round(found.chance, 3)
    (0.375, 0.177)
    """
    x = finite(draws, "draws", dimensions=2)
    count, n = x.shape
    by_item = x.mean(axis=0) if count else x.sum(axis=0)
    mean = clustered_mean(by_item, clusters)
    if count < 2 or not n:
        return Components(draws=count, mean=mean, chance=math.nan, low=math.nan, high=math.nan, items=math.nan)
    accuracies = x.mean(axis=1)
    degrees = count - 1
    chance = float(accuracies.std(ddof=1))
    residual = x - by_item - accuracies[:, None] + x.mean()
    own = float((residual**2).sum()) / (degrees * (n - 1)) if n > 1 else math.nan
    return Components(
        draws=count,
        mean=mean,
        chance=chance,
        low=chance * math.sqrt(degrees / float(chdtri(degrees, 0.025))),
        high=chance * math.sqrt(degrees / float(chdtri(degrees, 0.975))),
        items=math.sqrt(max(0.0, mean.standard_error**2 - own / (n * count)))
        if not math.isnan(mean.standard_error)
        else math.nan,
    )
