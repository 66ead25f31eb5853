"""Paired comparisons: statsmodels' figures, the honest interval of two equal models, and "not worse by more than"."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from benchmark.stats import clopper_pearson
from benchmark.stats.paired import discordant, exact_difference, mcnemar_exact, non_inferior, paired_difference


def test_statsmodels_agrees_on_the_difference() -> None:
    rng = np.random.default_rng(8)
    a, b, codes = rng.random(300) < 0.5, rng.random(300) < 0.6, rng.integers(0, 25, 300)
    difference = b.astype(float) - a
    fit = sm.OLS(difference, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    found = paired_difference(a, b, codes.tolist())
    assert (found.value, found.standard_error) == pytest.approx((fit.params[0], fit.bse[0]))
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]))
    swapped = paired_difference(b, a, codes.tolist())
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


@given(st.integers(0, 400), st.integers(0, 400))
def test_statsmodels_agrees_on_mcnemar(only_a: int, only_b: int) -> None:
    if only_a + only_b:  # without discordant pairs statsmodels gives NaN
        expected = mcnemar([[5, only_a], [only_b, 5]], exact=True).pvalue
        assert mcnemar_exact(only_a, only_b) == pytest.approx(expected, rel=1e-9)
    assert 0 < mcnemar_exact(only_a, only_b) == mcnemar_exact(only_b, only_a) <= 1


def test_mcnemar_by_hand() -> None:
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(3, 3) == 1.0
    assert mcnemar_exact(0, 6) == pytest.approx(2 / 64)
    with pytest.raises(ValueError, match="negative"):
        mcnemar_exact(-1, 3)


def test_discordant_items() -> None:
    assert discordant([1, 1, 0, 0, 1], [1, 0, 1, 0, 0]) == (2, 1)
    for a, b in (([1], [1, 0]), ([0.5], [1])):
        with pytest.raises(ValueError, match="0 or 1"):
            discordant(a, b)


@pytest.mark.parametrize("score", [0.0, 1.0, 0.4])
def test_equal_models_are_not_known_to_be_equal(score: float) -> None:
    found = paired_difference([score] * 240, [score] * 240, [i % 12 for i in range(240)])
    bound = 1 - 0.025 ** (1 / 240)
    assert (found.value, found.exact) == (0.0, True)
    assert math.isnan(found.standard_error)
    assert (found.low, found.high) == pytest.approx((-bound, bound))


def test_one_model_right_everywhere_the_other_nowhere() -> None:
    found = paired_difference([0] * 20, [1] * 20, range(20))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(2 * clopper_pearson(20, 20, 0.975).low - 1)


def test_differences_without_an_exact_interval_are_nan() -> None:
    for a, b in (([0.2] * 9, [0.3] * 9), ([5.0] * 9, [5.0] * 9)):  # partial credit that differs; not in [0, 1]
        found = paired_difference(a, b, range(9))
        assert all(map(math.isnan, (found.standard_error, found.low, found.high)))
        assert not found.exact
    alone = paired_difference([0, 1], [0, 1], "aa")
    assert math.isnan(alone.low)
    assert not alone.exact


@pytest.mark.parametrize(("wins", "losses"), [(0.0, 0.0), (0.02, 0.0), (0.1, 0.05), (0.9, 0.1), (0.3, 0.3)])
def test_the_exact_interval_covers(wins: float, losses: float) -> None:
    """20,000 draws of 25 items: never under the nominal 95%, in either tail over 2.5% (0.3 points are the noise)."""
    drawn = np.random.default_rng(2).multinomial(25, [wins, losses, max(0.0, 1 - wins - losses)], size=20_000)
    kinds, counts = np.unique(drawn[:, :2], axis=0, return_counts=True)
    over = under = 0
    for (better, worse), count in zip(kinds.tolist(), counts.tolist(), strict=True):
        b = np.array([1.0] * better + [0.0] * (25 - better))
        a = np.array([0.0] * (25 - worse) + [1.0] * worse)
        low, high = exact_difference(a, b, 0.95)
        over += count * (low > wins - losses + 1e-12)
        under += count * (high < wins - losses - 1e-12)
    assert max(over, under) / 20_000 < 0.028


def test_another_number_of_items_is_refused() -> None:
    with pytest.raises(ValueError, match="same items"):
        paired_difference([1, 0], [1], "ab")
    with pytest.raises(ValueError, match="NaN"):
        paired_difference([1, math.nan], [1, 0], "ab")


def test_non_inferior_needs_evidence() -> None:
    few, many = [1.0, 0.0] * 15, [1.0, 0.0] * 100
    assert not non_inferior(paired_difference(few, few, range(30), confidence=0.90), margin=0.02)
    assert non_inferior(paired_difference(many, many, range(200), confidence=0.90), margin=0.02)
    worse = [0.0] * 6 + many[6:]
    assert non_inferior(paired_difference(many, worse, range(200), confidence=0.90), margin=0.05)
    assert not non_inferior(paired_difference(many, worse, range(200), confidence=0.90), margin=0.02)
    nothing = paired_difference([1.0], [1.0], "a", confidence=0.90)
    assert not non_inferior(nothing, margin=0.5)


def test_non_inferior_refuses_the_wrong_interval() -> None:
    difference = paired_difference([1, 0], [0, 1], "ab")
    with pytest.raises(ValueError, match=r"confidence 0\.9, not 0\.95"):
        non_inferior(difference, margin=0.02)
    with pytest.raises(ValueError, match="margin"):
        non_inferior(difference, margin=-0.02)
