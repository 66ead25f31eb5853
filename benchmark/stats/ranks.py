"""From many p-values to ranks that the data support: Holm's correction and intervals of ranks.

Promises: models that the data cannot separate share a rank; no numpy.
Does not: test anything itself; the p-values come from `bootstrap` or `paired`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted so that the chance of any false claim among them is held (S. Holm, Scand. J. Statist. 6, 1979).

    The i-th smallest of m is multiplied by m - i + 1, never falls below a smaller one's, and is cut at 1. A NaN is a
    test that could not be made: it stays NaN and is not counted in m. Raises ValueError outside [0, 1].

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    if any(p < 0 or p > 1 for p in p_values):
        raise ValueError(f"p-values must lie in [0, 1]: {list(p_values)}")
    order = sorted((i for i, p in enumerate(p_values) if not math.isnan(p)), key=lambda i: p_values[i])
    adjusted = [math.nan] * len(p_values)
    largest = 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - place) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def rank_intervals(k: int, significant_pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """For each of k models (best, worst): the ranks that the data leave open to it, 1 being the top.

    `significant_pairs` holds (better, worse), models numbered from 0. The best rank is 1 + the number of models
    significantly better, the worst is k - the number significantly worse (M. Mogstad, J. P. Romano, A. M. Shaikh and
    D. Wilhelm, Review of Economic Studies 91, 2024, 476-518; league tables with intervals go back to H. Goldstein and
    D. J. Spiegelhalter, JRSS A 159, 1996, 385-443). If the pairs hold jointly with 95% (Holm), so do all k intervals.
    Models share a place where their best rank is the same; the intervals say more, because "not separated" does not
    carry over from one pair to the next.

    Raises ValueError for a model outside 0..k-1, a model against itself, or a pair claimed both ways.

    >>> rank_intervals(3, [(0, 2)])
    [(1, 2), (1, 3), (2, 3)]
    """
    claims = set(significant_pairs)
    better, worse = [0] * k, [0] * k
    for high, low in claims:
        if not (0 <= high < k and 0 <= low < k):
            raise ValueError(f"({high}, {low}) names a model outside 0..{k - 1}")
        if (low, high) in claims:
            raise ValueError(f"models {high} and {low} cannot each be better than the other")
        better[low] += 1
        worse[high] += 1
    return [(1 + better[i], k - worse[i]) for i in range(k)]
