"""The clustered mean, against statsmodels and against the ordinary t interval; what is NaN, and what is exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats as scipy_stats

from benchmark.stats import clopper_pearson
from benchmark.stats.clustered import clustered_mean

VALUES = arrays.arrays(np.float64, st.integers(6, 40), elements=st.floats(-5, 5).map(lambda x: round(x, 3)))


@pytest.mark.parametrize("confidence", [0.90, 0.95])
@pytest.mark.parametrize("clusters", [2, 7, 30])
def test_statsmodels_agrees(clusters: int, confidence: float) -> None:
    rng = np.random.default_rng(clusters)
    codes = np.concatenate([np.arange(clusters), rng.integers(0, clusters, 200)])
    values = (rng.random(codes.size) < 0.3 + 0.4 * (codes % 2)).astype(float)
    fit = sm.OLS(values, np.ones_like(values)).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    found = clustered_mean(values, codes.tolist(), confidence)
    assert found.value == pytest.approx(fit.params[0])
    assert found.standard_error == pytest.approx(fit.bse[0])
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int(1 - confidence)[0]))
    assert (found.n, found.clusters, found.exact) == (values.size, clusters, False)


def test_clusters_of_one_item_are_the_ordinary_t_interval() -> None:
    values = np.random.default_rng(3).random(25)
    low, high = scipy_stats.t.interval(0.95, 24, values.mean(), scipy_stats.sem(values))
    found = clustered_mean(values, range(25))
    assert (found.low, found.high) == pytest.approx((low, high))


@given(VALUES, st.data())
def test_properties(values: np.ndarray, data: st.DataObject) -> None:
    n = values.size
    clusters = data.draw(st.lists(st.sampled_from("abcde"), min_size=n, max_size=n))
    found = clustered_mean(values, clusters)
    assert math.isnan(found.low) == math.isnan(found.high)
    assert found.standard_error != 0
    if found.exact or math.isnan(found.low):
        return
    assert found.low <= found.value <= found.high
    order = data.draw(st.permutations(range(n)))
    shuffled = clustered_mean(values[order], [clusters[i] for i in order])
    assert (shuffled.low, shuffled.high) == pytest.approx((found.low, found.high), abs=1e-9)
    moved = clustered_mean(10 * values + 3, clusters)
    assert moved.standard_error == pytest.approx(10 * found.standard_error)
    assert moved.low == pytest.approx(10 * found.low + 3, abs=1e-8)


def test_repeating_every_item_inside_its_cluster_teaches_nothing() -> None:
    once = clustered_mean([1, 0, 1, 1, 0], "abcde")
    thrice = clustered_mean([1, 0, 1, 1, 0] * 3, "abcde" * 3)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


def test_what_cannot_be_had_is_nan() -> None:
    nothing = clustered_mean([], [])
    assert math.isnan(nothing.value)
    assert math.isnan(nothing.standard_error)
    for values, clusters in (([1.0], ["a"]), ([0.0, 1.0, 1.0], ["a"] * 3), ([1, 1, 1], ["a"] * 3)):
        found = clustered_mean(values, clusters)
        assert found.value == pytest.approx(np.mean(values))
        assert all(map(math.isnan, (found.standard_error, found.low, found.high)))
        assert not found.exact


@pytest.mark.parametrize("values", [[0] * 12, [1] * 12, [0, 1] * 6])
def test_a_standard_error_of_zero_becomes_an_exact_interval(values: list[int]) -> None:
    found = clustered_mean(values, [i // 4 for i in range(12)])
    assert found.exact
    assert math.isnan(found.standard_error)
    assert (found.low, found.high) == clopper_pearson(sum(values), 12)


@pytest.mark.parametrize("value", [0.1, 0.7, 1e6, 1e-9])
def test_other_equal_values_have_no_interval(value: float) -> None:
    found = clustered_mean([value] * 999, [i % 37 for i in range(999)])
    assert found.value == pytest.approx(value)
    assert all(map(math.isnan, (found.standard_error, found.low, found.high)))


def test_the_exact_interval_joins_on_to_the_case_beside_it() -> None:
    """One item wrong of 1,000 must not look much safer than none."""
    clusters = [i % 20 for i in range(1000)]
    none, one = clustered_mean([0] * 1000, clusters), clustered_mean([1] + [0] * 999, clusters)
    assert 0.8 < one.high / none.high < 1.25


def test_few_clusters_are_said() -> None:
    assert clustered_mean([0, 1] * 19, [*range(19)] * 2).few_clusters
    assert not clustered_mean([0, 1] * 20, [*range(20)] * 2).few_clusters


@pytest.mark.parametrize(
    ("values", "clusters", "message"),
    [
        ([1, math.nan], "ab", "NaN"),
        ([1, math.inf], "ab", "NaN or infinity"),
        ([1, 0], "abc", "2 items but 3 clusters"),
        ([[1, 0]], "ab", "dimensions"),
    ],
)
def test_wrong_input_is_refused(values: list[float], clusters: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clustered_mean(values, clusters)


def test_confidence_is_a_proportion() -> None:
    with pytest.raises(ValueError, match="confidence"):
        clustered_mean([0, 1], "ab", confidence=95)
