"""From what a judge says of a run to the run's accuracy: two corrections, each with an interval.

Promises: an interval carries the uncertainty of the labels too; a judge no better than chance gets no Rogan-Gladen
figure. Does not: repair labels that are no random sample of the run; `judges.calibrate` warns of them.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from benchmark.stats.clustered import FloatArray, clustered_t, finite, numbered
from benchmark.stats.intervals import check_confidence
from judges.figures import Figure, clustered_error, missing, score_interval


class Share(NamedTuple):
    """A proportion and the number of independent items that it is worth."""

    value: float
    n: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PpiMean:
    """A prediction-powered mean. `value` may leave [0, 1], the interval does not; what cannot be had is NaN.

    `tuning` is lambda: 1 trusts the judge as plain PPI does, 0 uses the labels alone. `groups` counts the clusters that
    hold labelled items (the labelled items themselves where no groups were given).
    """

    value: float
    standard_error: float
    low: float
    high: float
    tuning: float
    labelled: int
    unlabelled: int
    groups: int
    confidence: float


def ppi_mean(
    truth: ArrayLike,
    judged: ArrayLike,
    unlabelled: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    tuning: float | None = None,
    confidence: float = 0.95,
) -> PpiMean:
    """The mean of the truth over all items, by prediction-powered inference with power tuning (PPI++).

    `truth` and `judged` (shape (n,), 0 or 1): the labelled items, a random sample; `unlabelled` (shape (N,)): what the
    judge says of the others. The estimate is lambda mean(unlabelled) + mean(truth - lambda judged): the judge's figure
    and what the labels show it to be wrong by (A. N. Angelopoulos, S. Bates, C. Fannjiang, M. I. Jordan and T. Zrnic,
    Science 382, 2023, 669-674). lambda minimises the variance, cov(truth, judged) / ((1 + n/N) var(judged)) within
    [0, 1] (A. N. Angelopoulos, J. C. Duchi and T. Zrnic, "PPI++", arXiv:2311.01453, 2023, section 6); `tuning` sets it.

    The standard error is sqrt(lambda^2 var(unlabelled)/N + var(truth - lambda judged)/n), which `ppi-python` gives too,
    times sqrt(M/(M-1)), M = n + N. `groups` (length M, the labelled items first) makes it cluster-robust: the same with
    the items' contributions summed by group, as in `benchmark.stats.clustered` (CR1). The interval is `score_interval`
    of `judges.figures` around it, with one degree of freedom less than there are labelled items (groups with labels),
    after `unseen_errors` is added: the published interval, value plus or minus 1.96 errors, covers 91% at an accuracy
    of 90% and 84% at 95% (60 labels of 300 items, a judge with sensitivity 0.95 and specificity 0.7).

    NaN: everything without labels, all but the value with one labelled item or group. Without unlabelled items lambda
    is 0 and this is the mean of the labels. Raises ValueError for other shapes or NaN.

    >>> found = ppi_mean([1, 1, 0, 1] * 15, [1, 1, 1, 1] * 15, [1] * 200 + [0] * 40)
    >>> round(found.value, 3), found.tuning
    (0.75, 0.0)
    """
    y, f = finite(truth, "truth", dimensions=1), finite(judged, "judged", dimensions=1)
    u = finite(unlabelled, "unlabelled", dimensions=1)
    check_confidence(confidence)
    if y.shape != f.shape:
        raise ValueError(f"{y.size} labels but {f.size} judged: both are of the labelled items")
    tuning = best_tuning(y, f, u) if tuning is None else tuning
    total = y.size + u.size
    codes, clusters = numbered(range(total) if groups is None else groups, total)
    labelled_groups = len(np.unique(codes[: y.size]))
    value = error = low = high = math.nan
    if y.size:
        rest = y - tuning * f
        value = float(rest.mean()) + (tuning * float(u.mean()) if u.size else 0.0)
        spread = np.concatenate([total / y.size * (rest - rest.mean()), tuning * total / max(1, u.size) * centred(u)])
        error = clustered_t(value + spread, codes, clusters, confidence).standard_error
    if labelled_groups >= 2:
        n = total if error > 0 and 0 < value < 1 else y.size  # without a spread only the labels count
        wide = math.hypot(error, unseen_errors(y - tuning * f, tuning))
        low, high = score_interval(value, wide, n, labelled_groups - 1, confidence)
    return PpiMean(
        value=value,
        standard_error=error,
        low=low,
        high=high,
        tuning=tuning,
        labelled=y.size,
        unlabelled=u.size,
        groups=labelled_groups,
        confidence=confidence,
    )


def centred(x: FloatArray) -> FloatArray:
    """`x` less its mean; nothing stays nothing."""
    return x - x.mean() if x.size else x


def unseen_errors(rest: FloatArray, tuning: float) -> float:
    """What to add (in quadrature) to the standard error of `rest`, truth - lambda judged, for errors too rare to show.

    It is the growth of the error when lambda/2 of an item is added on which the judge passes a wrong answer, and as
    much of one on which it fails a right one: 60 labels often hold none of the few errors of a good judge, and then
    say that it makes none. The idea is that of pseudo-observations (A. Agresti and B. Caffo, The American Statistician
    54, 2000, 280-288), the amount is measured in tests/reliability/test_judge_coverage.py; 0 where lambda is 0.
    """
    size = rest.size + tuning
    total = float(rest.sum()) + tuning / 2 * (1 - tuning)
    squares = float((rest**2).sum()) + tuning / 2 * (1 + tuning**2)
    grown = (squares - total**2 / size) / (size - 1)
    return math.sqrt(max(0.0, grown - float(rest.var(ddof=1))) / rest.size)


def best_tuning(y: FloatArray, f: FloatArray, u: FloatArray) -> float:
    """PPI++'s lambda: covariance over the labelled items, the judge's variance over all items; 0 where that is 0."""
    if y.size < 2 or u.size == 0:
        return 0.0
    variance = float(np.concatenate([f, u]).var(ddof=1))
    covariance = float((centred(y) * centred(f)).mean())
    return min(1.0, max(0.0, covariance / ((1 + y.size / u.size) * variance))) if variance > 0 else 0.0


def rogan_gladen(judged: Share, sensitivity: Share, specificity: Share, confidence: float = 0.95) -> Figure:
    """The accuracy that, seen through a judge with this sensitivity and specificity, looks like `judged`.

    (judged + specificity - 1) / (sensitivity + specificity - 1), cut to [0, 1] (W. J. Rogan and B. Gladen, American
    Journal of Epidemiology 107, 1978, 71-76). The interval is that of Z. Lang and J. Reiczigel (Preventive Veterinary
    Medicine 113, 2014, 13-22, equations 4, 6, 7, 16 and 17): it adds one correct and one wrong case to either sample
    of labels and z^2 judged items, half of them correct, moves the centre, and carries the sampling error of all three
    shares. It takes the three as independent; labels drawn from the run itself make it too wide, not too narrow. Where
    it would not hold the estimate it is drawn out to it. It is cut to [0, 1].

    None with a reason: no labels of one kind, or sensitivity + specificity at most 1. Raises ValueError for a
    share outside [0, 1].

    >>> found = rogan_gladen(Share(0.83, 300), Share(0.95, 45), Share(0.70, 15))
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.815, 0.682, 0.955)
    """
    check_confidence(confidence)
    for name, given in (("judged", judged), ("sensitivity", sensitivity), ("specificity", specificity)):
        if given.n and not 0 <= given.value <= 1:
            raise ValueError(f"{name} must lie in [0, 1], not {given.value}")
    n = round(judged.n)
    if min(judged.n, sensitivity.n, specificity.n) <= 0:
        lacking = "labels of right answers" if sensitivity.n <= 0 else "labels of wrong answers"
        return missing(n, f"no {lacking if judged.n > 0 else 'judged items'}", confidence)
    power = sensitivity.value + specificity.value - 1
    if power <= 0:
        reason = "the judge is no better than chance: sensitivity + specificity = "
        return missing(n, f"{reason}{power + 1:.2f}, which must be above 1", confidence)
    value = min(1.0, max(0.0, (judged.value + specificity.value - 1) / power))
    low, high = _lang_reiczigel(judged, sensitivity, specificity, NormalDist().inv_cdf(0.5 + confidence / 2))
    return Figure(value=value, low=min(low, value), high=max(high, value), n=n, confidence=confidence)


def _lang_reiczigel(judged: Share, sensitivity: Share, specificity: Share, z: float) -> tuple[float, float]:
    """Both limits, cut to [0, 1]; (0, 1) where the added cases leave the judge no better than chance."""
    n, q = judged.n + z * z, (judged.n * judged.value + z * z / 2) / (judged.n + z * z)
    (p1, n1), (p0, n0) = ((((of.n * of.value + 1) / (of.n + 2)), of.n + 2) for of in (sensitivity, specificity))
    power = p1 + p0 - 1
    if power <= 0:
        return 0.0, 1.0
    rate = (q + p0 - 1) / power
    noise1, noise0 = p1 * (1 - p1) / n1, p0 * (1 - p0) / n0
    centre = rate + 2 * z * z * (rate * noise1 - (1 - rate) * noise0)
    half = z * math.sqrt(q * (1 - q) / n + rate**2 * noise1 + (1 - rate) ** 2 * noise0) / power
    return min(1.0, max(0.0, centre - half)), min(1.0, max(0.0, centre + half))


def worth(values: ArrayLike, groups: Sequence[Hashable] | None = None) -> Share:
    """The mean of 0/1 `values` (shape (n,)), and what they are worth: n, or with `groups` n over the design effect.

    The design effect is the clustered variance over the binomial one, at least 1 (J. N. K. Rao and A. J. Scott,
    Biometrics 48, 1992, 577-585). (NaN, 0) without values.
    """
    x = finite(values, "values", dimensions=1)
    if x.size == 0:
        return Share(math.nan, 0)
    p = float(x.mean())
    error = clustered_error(x, groups)[0] if groups is not None else math.nan
    effect = error**2 * (x.size - 1) / (p * (1 - p)) if error > 0 and 0 < p < 1 else 1.0
    return Share(p, x.size / max(1.0, effect))
