"""Power of a paired comparison: the two formulas invert each other, and the exact test has about that power."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.stats.paired import mcnemar_exact
from benchmark.stats.power import design_effect, items_needed, minimum_detectable_difference


@pytest.mark.parametrize(
    ("difference", "discordance", "expected"), [(0.05, 0.10, 312), (0.02, 0.10, 1960), (0.10, 0.30, 234)]
)
def test_the_exact_test_has_about_the_power_asked_for(difference: float, discordance: float, expected: int) -> None:
    """20,000 simulated comparisons each: 80% asked, and exact McNemar, which is cautious, has 76% to 81%."""
    n = items_needed(difference, discordance)
    assert n == expected
    rates = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    drawn = np.random.default_rng(n).multinomial(n, rates, size=20_000)
    p = cache(mcnemar_exact)
    power = np.mean([p(only_b, only_a) < 0.05 for only_b, only_a, _ in drawn.tolist()])
    assert 0.76 < power < 0.81, f"n={n}: exact McNemar has a power of {power:.3f}"


rates = st.floats(0.02, 1.0)


@given(st.floats(0.05, 0.95), rates, st.sampled_from([0.5, 0.8, 0.9]), st.sampled_from([0.01, 0.05]), st.floats(1, 9))
def test_they_invert_each_other(part: float, discordance: float, power: float, alpha: float, effect: float) -> None:
    n = items_needed(part * discordance, discordance, power, alpha, effect)
    enough = minimum_detectable_difference(n, discordance, power, alpha, effect)
    too_few = minimum_detectable_difference(n - 1, discordance, power, alpha, effect)
    assert enough <= part * discordance * (1 + 1e-6)
    assert math.isnan(too_few) or too_few >= part * discordance * (1 - 1e-6)
    assert math.isnan(enough) or abs(items_needed(enough, discordance, power, alpha, effect) - n) <= 1


def test_thirty_items_say_little() -> None:
    assert minimum_detectable_difference(30, discordance=0.30) > 0.25
    assert math.isnan(minimum_detectable_difference(30, discordance=0.10))
    assert math.isnan(minimum_detectable_difference(0, discordance=0.10))


def test_the_sign_is_ignored_and_clusters_cost_items() -> None:
    assert items_needed(-0.05, 0.10) == items_needed(0.05, 0.10)
    assert items_needed(0.05, 0.10, effect=2.0) == pytest.approx(2 * items_needed(0.05, 0.10), abs=1)


def test_design_effect() -> None:
    assert design_effect([1] * 240, 0.5) == 1.0
    assert design_effect([10, 30], 0.0) == 1.0
    assert design_effect([10, 30], 1.0) == 25.0
    assert design_effect([20, 20], 0.1) == pytest.approx(2.9)


def test_the_design_effect_is_the_variance_of_a_clustered_mean() -> None:
    sizes, icc = [5, 10, 40], 0.3
    rng = np.random.default_rng(0)
    total = sum(sizes)
    shared = rng.normal(size=(40_000, 3)) @ np.array(sizes) * math.sqrt(icc) / total
    own = rng.normal(size=40_000) * math.sqrt((1 - icc) / total)
    assert np.var(shared + own) * total == pytest.approx(design_effect(sizes, icc), rel=0.03)


def test_wrong_input_is_refused() -> None:
    for call in (
        lambda: items_needed(0.0, 0.1),
        lambda: items_needed(0.2, 0.1),
        lambda: items_needed(0.1, 1.1),
        lambda: items_needed(0.1, 0.2, power=1.0),
        lambda: items_needed(0.1, 0.2, alpha=0.0),
        lambda: items_needed(0.1, 0.2, effect=0.0),
        lambda: minimum_detectable_difference(-1, 0.1),
        lambda: design_effect([], 0.1),
        lambda: design_effect([3, 0], 0.1),
        lambda: design_effect([3], 1.5),
    ):
        with pytest.raises(ValueError):
            call()
