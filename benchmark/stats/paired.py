"""Two models on the same items: the difference B - A, McNemar's test, and the check "not worse by more than".

Promises: two models that agree on every item get an interval that is not [0, 0], and never "no worse" for free.
Does not: correct for comparing many pairs; `benchmark.stats.ranks.holm` does.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from benchmark.stats.clustered import Estimate, FloatArray, clustered_t, finite, is_binary, needs_exact, numbered
from benchmark.stats.intervals import NO_INTERVAL, Interval, clopper_pearson


def paired_difference(a: ArrayLike, b: ArrayLike, clusters: Sequence[Hashable], confidence: float = 0.95) -> Estimate:
    """The mean of b - a over the same n items (both of shape (n,)), with its clustered t interval.

    The interval is that of `clustered_mean` on the differences; positive means that B is better. Where its standard
    error is 0, for instance because no item tells the models apart, `exact_difference` stands in (`exact`).

    Raises ValueError for different shapes, NaN or infinite values, `clusters` of another length.

    >>> same = paired_difference([1, 0, 1, 1], [1, 0, 1, 1], range(4))
    >>> same.value, round(same.low, 2), round(same.high, 2), same.exact
    (0.0, -0.6, 0.6, True)
    """
    first, second = finite(a, "a", dimensions=1), finite(b, "b", dimensions=1)
    if first.shape != second.shape:
        raise ValueError(f"a has {first.size} items and b has {second.size}: a paired comparison needs the same items")
    found = clustered_t(second - first, *numbered(clusters, first.size), confidence)
    return with_exact(found, first, second)


def with_exact(found: Estimate, a: FloatArray, b: FloatArray) -> Estimate:
    """`found` itself, or with the exact interval where its standard error was 0 and one can be had."""
    interval = exact_difference(a, b, found.confidence) if needs_exact(found) else NO_INTERVAL
    if math.isnan(interval.low):
        return found
    return replace(found, low=interval.low, high=interval.high, exact=True)


def exact_difference(a: FloatArray, b: FloatArray, confidence: float) -> Interval:
    """An interval of mean(b - a) that needs no standard error, for values in [0, 1] on independent items.

    The difference is P(B wins) - P(A wins). Each limit joins the Clopper-Pearson limits of the two probabilities; where
    both limits can err, the tail is shared between them (Bonferroni), so the coverage is never below `confidence`.
    Without any item that tells the models apart it is plus or minus 1 - (alpha/2)^(1/n): about 3.7/n at 95%, and the
    rule of three, 3/n, for the one-sided 95% bound. That also holds for partial credit, where |b - a| is at most 1.

    NaN for values outside [0, 1], and for partial credit that differs.
    """
    if min(a.min(), b.min()) < 0 or max(a.max(), b.max()) > 1:
        return NO_INTERVAL
    if (a != b).any() and not (is_binary(a) and is_binary(b)):
        return NO_INTERVAL
    wins, losses = int((b > a).sum()), int((a > b).sum())

    def lower(gains: int, drops: int) -> float:
        free = gains == 0 or drops == a.size  # that limit is 0 or 1 and cannot err
        level = confidence if free else 1 - (1 - confidence) / 2
        return clopper_pearson(gains, a.size, level).low - clopper_pearson(drops, a.size, level).high

    return Interval(lower(wins, losses), -lower(losses, wins))


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """The exact two-sided p-value of McNemar's test (Q. McNemar, Psychometrika 12, 1947, 153-157), in (0, 1].

    `only_a` and `only_b` count the items that just one of the two models has right. If the models are equally good,
    either is binomial with probability 1/2 out of their sum. Items are taken as independent. 1.0 when there are none.
    Raises ValueError for a negative count.

    >>> mcnemar_exact(1, 7)
    0.0703125
    """
    if min(only_a, only_b) < 0:
        raise ValueError(f"counts must not be negative: {only_a}, {only_b}")
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def discordant(a: ArrayLike, b: ArrayLike) -> tuple[int, int]:
    """How many items only A has right and how many only B, from 0/1 values of shape (n,): what `mcnemar_exact` takes.

    Raises ValueError for other values or different shapes.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or not (is_binary(first) and is_binary(second)):
        raise ValueError("a and b must hold 0 or 1 for the same items")
    return int((first > second).sum()), int((second > first).sum())


def non_inferior(difference: Estimate, margin: float, alpha: float = 0.05) -> bool:
    """Whether B - A is shown to lie above -margin, with a one-sided error of `alpha`.

    The bound is the lower end of the two-sided interval at confidence 1 - 2 alpha (S. Wellek, "Testing Statistical
    Hypotheses of Equivalence and Noninferiority", 2010; one-sided 95% is the lower end of the 90% interval), so the
    difference must have been estimated at that confidence. `margin` is a proportion: 2 percentage points are 0.02.
    A bound that is NaN shows nothing: False. So do too few items: models that agree on every item pass only
    where 3/n is below the margin, from 150 items on for 2 points.

    Raises ValueError for a negative margin or a difference at another confidence.

    >>> scores = [1, 0] * 100
    >>> non_inferior(paired_difference(scores, scores, range(200), confidence=0.90), margin=0.02)
    True
    """
    if not margin >= 0:
        raise ValueError(f"margin must not be negative: {margin}")
    if not math.isclose(difference.confidence, 1 - 2 * alpha):
        raise ValueError(f"estimate the difference at confidence {1 - 2 * alpha:g}, not {difference.confidence:g}")
    return difference.low > -margin
