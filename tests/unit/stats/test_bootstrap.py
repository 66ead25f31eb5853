"""The cluster bootstrap: its seed, its memory, its agreement with the t interval, and its exact and NaN cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmark.stats.bootstrap import bootstrap_differences, degrees_of_freedom, expanded, resampled_means
from benchmark.stats.paired import mcnemar_exact, paired_difference


def scores(k: int, n: int, seed: int = 0) -> np.ndarray:
    """Scores of k models on n items, shape (k, n), whose rates rise from 0.4 to 0.6."""
    return (np.random.default_rng(seed).random((k, n)) < np.linspace(0.4, 0.6, k)[:, None]).astype(float)


def test_the_seed_decides_and_the_memory_does_not() -> None:
    sums, sizes = scores(3, 17), np.arange(1.0, 18)
    whole = resampled_means(sums.T, sizes, draws=101, seed=5)
    assert whole.shape == (3, 101)
    for at_once in (1, 17, 100, 17 * 50):
        assert np.array_equal(whole, resampled_means(sums.T, sizes, draws=101, seed=5, at_once=at_once))
    assert not np.array_equal(whole, resampled_means(sums.T, sizes, draws=101, seed=6))
    assert bootstrap_differences(sums, range(17), draws=50) == bootstrap_differences(sums, range(17), draws=50)


def test_a_draw_is_the_mean_over_the_items_of_its_clusters() -> None:
    sums, sizes = np.array([[3.0], [0.0]]), np.array([3.0, 1.0])
    means = resampled_means(sums, sizes, draws=4000, seed=1)[0]
    values, counts = np.unique(means, return_counts=True)
    assert values.tolist() == [0.0, 0.75, 1.0]
    assert counts / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=0.03)


@pytest.mark.parametrize("clusters", [25, 300])
def test_the_standard_error_is_the_spread_of_the_draws(clusters: int) -> None:
    """Not that divided by sqrt(draws): it must agree with the closed form of the clustered difference."""
    table = scores(2, 300)
    names = [i % clusters for i in range(300)]
    found = bootstrap_differences(table, names)[0].difference
    student = paired_difference(table[0], table[1], names)
    assert found.value == pytest.approx(student.value)
    assert found.standard_error == pytest.approx(student.standard_error, rel=0.05)
    assert (found.low, found.high) == pytest.approx((student.low, student.high), abs=0.2 * student.standard_error)
    assert found.low <= student.low < student.high <= found.high


def test_all_pairs_in_order_from_the_same_draws() -> None:
    table = scores(4, 60)
    pairs = bootstrap_differences(table, range(60), draws=500)
    assert [(p.first, p.second) for p in pairs] == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    alone = bootstrap_differences(table[[1, 3]], range(60), draws=500)[0]
    assert alone.difference == pairs[4].difference
    mirrored = bootstrap_differences(table[[3, 1]], range(60), draws=500)[0]
    assert mirrored.difference.low == pytest.approx(-alone.difference.high)
    assert mirrored.p_value == pytest.approx(alone.p_value)
    assert bootstrap_differences(table[:1], range(60)) == []


def test_the_p_value_goes_with_the_interval() -> None:
    for seed in range(40):
        table = scores(2, 120, seed)
        pair = bootstrap_differences(table, [i % 15 for i in range(120)], draws=999, seed=seed)[0]
        outside = pair.difference.low > 0 or pair.difference.high < 0
        assert outside == (pair.p_value < 0.05) or abs(pair.p_value - 0.05) < 0.005


def test_far_apart_is_not_bounded_by_the_number_of_draws() -> None:
    """45 pairs on 20 clusters must be separable by Holm: p has to get below 0.05 / 45."""
    table = np.zeros((2, 400))
    table[0, ::10] = 1
    table[1, np.arange(400) % 10 < 8] = 1
    pair = bootstrap_differences(table, [i // 20 for i in range(400)], draws=2000)[0]
    assert math.isnan(pair.difference.standard_error)  # the clusters balance exactly
    table[1, :7] = 0
    assert 0 < bootstrap_differences(table, [i // 20 for i in range(400)], draws=2000)[0].p_value < 1e-6


def test_a_handful_of_differing_items_keeps_the_wide_end() -> None:
    """Three items lost and none won: no draw can lie above 0, but the truth can."""
    table = np.ones((2, 30))
    table[1, :3] = 0
    pair = bootstrap_differences(table, range(30))[0]
    student = paired_difference(table[0], table[1], range(30))
    assert pair.difference.low <= student.low
    assert pair.difference.high == student.high
    assert pair.difference.high > 0
    assert 0.05 < pair.p_value < 0.2


def test_equal_models() -> None:
    for row in ([1, 0] * 40, [0.25, 0.5] * 40):
        pair = bootstrap_differences([row, row], range(80), draws=200)[0]
        assert (pair.p_value, pair.difference.value, pair.difference.exact) == (1.0, 0.0, True)
        assert pair.difference.high == -pair.difference.low == pytest.approx(1 - 0.025 ** (1 / 80))
        assert math.isnan(pair.difference.standard_error)


def test_a_constant_difference() -> None:
    all_won = bootstrap_differences([[0] * 4, [1] * 4], range(4), draws=200)[0]
    assert all_won.p_value == mcnemar_exact(0, 4) == 0.125
    assert all_won.difference.low < 0.2
    shifted = bootstrap_differences([[0.2] * 4, [0.3] * 4], range(4), draws=200)[0]
    assert math.isnan(shifted.p_value)
    assert math.isnan(shifted.difference.low)


def test_one_cluster_or_no_item_is_nan() -> None:
    one = bootstrap_differences([[0, 1, 1], [1, 1, 1]], "aaa", draws=50)[0]
    assert one.difference.value == pytest.approx(1 / 3)
    assert all(map(math.isnan, (one.difference.standard_error, one.difference.low, one.difference.high, one.p_value)))
    none = bootstrap_differences(np.zeros((2, 0)), [], draws=50)[0]
    assert math.isnan(none.difference.value)
    assert math.isnan(none.p_value)


def test_the_expanded_levels() -> None:
    """T. Hesterberg's rule: the normal quantile of the level is sqrt(n/(n-1)) times that of t; plain for many."""
    assert expanded(0.95, 10, 9)[0] == pytest.approx(0.00855, abs=1e-4)
    assert expanded(0.95, 100_000, 99_999) == pytest.approx((0.025, 0.975), abs=1e-5)


def test_unequal_clusters_have_fewer_degrees_of_freedom() -> None:
    assert degrees_of_freedom(np.repeat(np.arange(20), 7), 20) == pytest.approx(19)
    assert degrees_of_freedom(np.repeat([0, 1, 2], [10, 10, 20]), 3) == pytest.approx(40**2 / 600 - 1)
    assert degrees_of_freedom(np.repeat([0, 1], [99, 1]), 2) == 1.0
    assert math.isnan(degrees_of_freedom(np.zeros(0, dtype=np.int64), 0))


def test_wrong_input_is_refused() -> None:
    for table, clusters, message in (
        ([0, 1], "ab", "dimensions"),
        ([[0, math.nan], [1, 1]], "ab", "NaN"),
        ([[0, 1], [1, 1]], "abc", "clusters"),
    ):
        with pytest.raises(ValueError, match=message):
            bootstrap_differences(table, clusters)
    with pytest.raises(ValueError, match="2 draws"):
        bootstrap_differences([[0, 1], [1, 1]], "ab", draws=1)
