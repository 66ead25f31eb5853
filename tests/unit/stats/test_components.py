"""Variance components: by hand, against what a simulation put in, and where there is nothing to know."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmark.stats.components import components


def test_two_draws_by_hand() -> None:
    found = components([[1, 1, 0, 0], [1, 0, 0, 0]], ["a", "b", "c", "d"])
    assert found.draws == 2
    assert found.mean.value == pytest.approx(3 / 8)
    assert found.chance == pytest.approx(0.25 / math.sqrt(2))
    # Residuals are +-0.125, and 0.375 where the draws differ: 2 (3 * 0.125^2 + 0.375^2) / 3 degrees of freedom.
    own = 2 * (3 * 0.125**2 + 0.375**2) / 3
    error = math.sqrt(4 / 3 * (0.625**2 + 0.125**2 + 2 * 0.375**2)) / 4
    assert found.items == pytest.approx(math.sqrt(error**2 - own / 8))
    assert found.low < found.chance < found.high


def test_draws_that_are_alike_have_no_chance() -> None:
    found = components([[1, 0, 1, 0]] * 3, list("abcd"))
    assert (found.chance, found.low, found.high) == (0, 0, 0)
    assert found.items == pytest.approx(found.mean.standard_error)


def test_what_cannot_be_had_is_nan() -> None:
    for draws, clusters in (([[1, 0]], ["a", "b"]), ([[], []], [])):
        found = components(draws, clusters)
        assert all(math.isnan(value) for value in (found.chance, found.low, found.high, found.items))
    alone = components([[1], [0]], ["a"])
    assert alone.chance == pytest.approx(math.sqrt(0.5))
    assert math.isnan(alone.items)
    with pytest.raises(ValueError, match="NaN"):
        components([[math.nan, 1], [0, 1]], ["a", "b"])


@pytest.mark.parametrize("shift", [0.0, 0.05])
def test_a_simulation_gets_back_what_it_put_in(shift: float) -> None:
    """200 items with chances of their own, 5 draws, and a shift that all items of a draw share; 2,000 benchmarks."""
    random = np.random.default_rng(7)
    benchmarks, draws, n = 2000, 5, 200
    chances = random.uniform(0.1, 0.9, (benchmarks, 1, n))
    moved = np.clip(chances + random.normal(0, shift, (benchmarks, draws, 1)), 0, 1)
    x = random.random((benchmarks, draws, n)) < moved
    found = [components(one, range(n)) for one in x.astype(float)]
    chance = math.sqrt(np.mean([one.chance**2 for one in found]))
    items = math.sqrt(np.mean([one.items**2 for one in found]))
    expected = math.sqrt(np.mean(chances * (1 - chances)) / n + shift**2)
    assert chance == pytest.approx(expected, rel=0.03)
    assert items == pytest.approx(math.sqrt(np.var(chances) / n), rel=0.03)
    covered = np.mean([one.low <= expected <= one.high for one in found])
    assert covered == pytest.approx(0.95, abs=0.015)
