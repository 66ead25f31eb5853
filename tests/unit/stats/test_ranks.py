"""Holm's correction against statsmodels, and the ranks that significant pairs leave open."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from benchmark.stats.ranks import holm, rank_intervals

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=45)


@settings(max_examples=30)
@given(P_VALUES)
def test_statsmodels_agrees(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


@given(P_VALUES)
def test_properties(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    pairs = sorted(zip(p_values, adjusted, strict=True))
    assert all(p <= q <= 1 for p, q in pairs)
    assert pairs[0][1] == min(1.0, len(pairs) * pairs[0][0])
    assert [q for _, q in pairs] == sorted(adjusted)  # the order of the p-values is kept


def test_a_missing_p_value_stays_missing_and_costs_nothing() -> None:
    found = holm([0.01, math.nan, 0.04])
    assert math.isnan(found[1])
    assert [found[0], found[2]] == holm([0.01, 0.04])
    assert holm([]) == []
    with pytest.raises(ValueError, match="p-values"):
        holm([0.5, 1.5])


def test_ranks() -> None:
    assert rank_intervals(3, []) == [(1, 3)] * 3
    assert rank_intervals(3, [(0, 1), (0, 2), (1, 2)]) == [(1, 1), (2, 2), (3, 3)]
    assert rank_intervals(4, [(2, 0), (2, 1), (3, 0), (3, 1)]) == [(3, 4), (3, 4), (1, 2), (1, 2)]
    assert rank_intervals(2, [(1, 0), (1, 0)]) == [(2, 2), (1, 1)]  # a pair named twice counts once
    assert rank_intervals(0, []) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0, 0.5))
def test_the_true_rank_lies_inside(rates: list[float], gap: float) -> None:
    """Whatever true claims are made, each model's true rank is in its interval."""
    k = len(rates)
    claims = [(i, j) for i in range(k) for j in range(k) if rates[i] > rates[j] + gap]
    for i, (best, worst) in enumerate(rank_intervals(k, claims)):
        first = 1 + sum(rate > rates[i] for rate in rates)
        last = k - sum(rate < rates[i] for rate in rates)
        assert 1 <= best <= first <= last <= worst <= k


@pytest.mark.parametrize(("pairs", "message"), [([(0, 3)], "outside"), ([(-1, 0)], "outside"), ([(1, 1)], "each be")])
def test_impossible_pairs(pairs: list[tuple[int, int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rank_intervals(3, pairs)


def test_a_pair_claimed_both_ways() -> None:
    with pytest.raises(ValueError, match="each be better"):
        rank_intervals(3, [(0, 1), (1, 0)])
