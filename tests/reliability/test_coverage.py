"""Do the intervals hold what they say? Coverage by seeded simulation; `pytest -rP` prints the measured figures.

The simulated scores are 0 or 1: a normal latent value above a threshold that gives each model its true rate. Its
variance of 1 is shared out over the item (common to the models), the cluster (common), the cluster as one model meets
it, and noise. 10% and 5% of the variance sit in the clusters, so that accuracies around 50% spread over the databases
with a standard deviation of 15 points. 2,000 runs measure a coverage of 94% to within a standard error of half a
point, 10,000 runs to within a quarter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest

from benchmark.stats import wilson
from benchmark.stats.bootstrap import bootstrap_differences
from benchmark.stats.clustered import clustered_mean
from benchmark.stats.paired import non_inferior, paired_difference
from benchmark.stats.ranks import holm

RUNS = 2_000
MANY_RUNS = 10_000
COMMON, OWN = 0.10, 0.05  # shares of the latent variance that sit in the clusters
UNEQUAL = (10, 20, 30, 40, 50)  # items a cluster, repeated

CLUSTERED = {
    "10 clusters": [*UNEQUAL] * 2,
    "20 clusters": [*UNEQUAL] * 4,
    "50 clusters": [*UNEQUAL] * 10,
    "20 clusters, 4 to 124 items": [124, 120, 82, 76, 75, 66, 62, 56, 53, 48, 46, 45, 44, 40, 32, 29, 20, 18, 15, 4],
    "11 clusters, 64 to 191 items": [191, 187, 174, 163, 145, 129, 128, 106, 103, 89, 64],
}


def simulated(sizes: Sequence[int], rates: Sequence[float], runs: int, seed: int) -> Iterator[np.ndarray]:
    """`runs` tables of scores of shape (models, items), as the module says; the items come cluster by cluster."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    k, n, clusters = len(rates), len(codes), len(sizes)
    thresholds = np.array([NormalDist().inv_cdf(rate) for rate in rates])[:, None]
    for _ in range(runs):
        item = math.sqrt(COMMON) * rng.normal(size=clusters)[codes] + math.sqrt(0.5 - COMMON) * rng.normal(size=n)
        own = math.sqrt(OWN) * rng.normal(size=(k, clusters))[:, codes]
        yield (item + own + math.sqrt(0.5 - OWN) * rng.normal(size=(k, n)) + thresholds > 0).astype(float)


def names(sizes: Sequence[int]) -> list[int]:
    """The cluster of each item."""
    return np.repeat(np.arange(len(sizes)), sizes).tolist()


def test_wilson() -> None:
    rng = np.random.default_rng(1927)
    covered = {}
    for p, n in product((0.03, 0.3, 0.6, 0.9), (30, 240, 5851)):
        found = [wilson(successes, n) for successes in rng.binomial(n, p, size=RUNS).tolist()]
        covered[p, n] = float(np.mean([low <= p <= high for low, high in found]))
    report = f"Wilson: {covered}, mean {np.mean(list(covered.values())):.4f}"
    print(report)
    assert 0.94 <= np.mean(list(covered.values())) <= 0.965, report
    assert min(covered.values()) >= 0.92, report


@pytest.mark.parametrize("design", CLUSTERED)
def test_clustered_t(design: str) -> None:
    sizes = CLUSTERED[design]
    rates = (0.60, 0.65)
    clusters = names(sizes)
    mean = difference = 0
    for a, b in simulated(sizes, rates, MANY_RUNS, seed=len(sizes)):
        one, two = clustered_mean(a, clusters), paired_difference(a, b, clusters)
        mean += one.low <= rates[0] <= one.high
        difference += two.low <= rates[1] - rates[0] <= two.high
    report = f"clustered t, {design}: mean {mean / MANY_RUNS:.4f}, paired difference {difference / MANY_RUNS:.4f}"
    print(report)
    assert min(mean, difference) / MANY_RUNS >= 0.925, report


@pytest.mark.parametrize(
    ("design", "sizes", "rates"),
    [
        *((design, sizes, (0.60, 0.65)) for design, sizes in CLUSTERED.items()),
        ("3 clusters", [30] * 3, (0.60, 0.65)),
        ("240 items, no clusters", [1] * 240, (0.60, 0.65)),
        ("30 items, no clusters, few of them differ", [1] * 30, (0.90, 0.93)),
    ],
)
def test_bootstrap_difference(design: str, sizes: list[int], rates: tuple[float, float]) -> None:
    covered = 0
    clusters = names(sizes)
    for seed, table in enumerate(simulated(sizes, rates, RUNS, seed=len(sizes))):
        found = bootstrap_differences(table, clusters, draws=600, seed=seed)[0].difference
        covered += found.low <= rates[1] - rates[0] <= found.high
    report = f"bootstrap difference, {design}: {covered / RUNS:.4f}"
    print(report)
    assert covered / RUNS >= 0.925, report


@pytest.mark.parametrize(("k", "runs"), [(3, RUNS), (10, 500)])
def test_holm_keeps_the_family_wise_error(k: int, runs: int) -> None:
    """k models that are equally good, on 20 clusters: how often is any pair called different?"""
    sizes = [*UNEQUAL] * 4
    clusters = names(sizes)
    family = raw = 0.0
    for seed, table in enumerate(simulated(sizes, [0.6] * k, runs, seed=k)):
        p_values = [pair.p_value for pair in bootstrap_differences(table, clusters, draws=1000, seed=seed)]
        family += min(holm(p_values)) <= 0.05
        raw += sum(p <= 0.05 for p in p_values) / len(p_values)
    report = f"{k} equal models: any false claim after Holm {family / runs:.4f}, each pair before it {raw / runs:.4f}"
    print(report)
    assert family / runs < 0.06, report
    assert raw / runs < 0.065, report


def test_non_inferior_errs_in_one_case_of_twenty() -> None:
    """B is truly worse by the whole margin: it must seldom pass."""
    sizes = [*UNEQUAL] * 4
    clusters = names(sizes)
    passed = 0
    for a, b in simulated(sizes, (0.60, 0.55), RUNS, seed=4):
        passed += non_inferior(paired_difference(a, b, clusters, confidence=0.90), margin=0.05)
    report = f"non-inferior at the margin: {passed / RUNS:.4f}"
    print(report)
    assert passed / RUNS < 0.065, report
