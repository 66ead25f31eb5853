"""Intervals of one proportion, against published values, statsmodels and the equations that define them."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from benchmark.stats import Interval, clopper_pearson, wilson

Z95 = 1.959963984540054


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # R. G. Newcombe, Statistics in Medicine 17, 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_values(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)
    assert [round(found.low, 4), round(found.high, 4)] == [low, high]


@pytest.mark.parametrize(
    ("successes", "low", "high"),
    [(1, 0.006, 0.167), (10, 0.192, 0.512), (7, 0.118, 0.409), (18, 0.423, 0.754)],
)
def test_the_seed_notebooks_record(successes: int, low: float, high: float) -> None:
    """1/30, 10/30, 7/30 and 18/30: thirty items say little."""
    found = wilson(successes, 30)
    assert [round(found.low, 3), round(found.high, 3)] == [low, high]
    for bound in found:  # the bounds are where the score test just does not reject
        assert abs(successes / 30 - bound) == pytest.approx(Z95 * math.sqrt(bound * (1 - bound) / 30))


def test_no_data_is_nan() -> None:
    assert all(map(math.isnan, wilson(0, 0)))


def test_all_and_none() -> None:
    assert wilson(0, 10).low == 0.0
    assert wilson(10, 10).high == 1.0
    assert wilson(0, 10).high > 0.2
    assert wilson(10, 10).low < 0.8


@pytest.mark.parametrize(("successes", "n"), [(-1, 10), (11, 10), (0.5, 0.25), (1, -1), (math.nan, 10)])
def test_impossible_counts(successes: float, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson(successes, n)


counts = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.floats(0, n), st.just(n)))


@given(counts)
def test_properties(count: tuple[float, int]) -> None:
    successes, n = count
    low, high = wilson(successes, n)
    assert 0.0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1.0
    mirrored = wilson(n - successes, n)
    assert mirrored == pytest.approx(Interval(1 - high, 1 - low), abs=1e-9)
    wider = wilson(successes, n, confidence=0.99)
    assert wider.low <= low + 1e-12
    assert wider.high >= high - 1e-12
    assert wilson(10 * successes, 10 * n).high <= high + 1e-12


@given(st.integers(1, 6000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95]))
def test_statsmodels_agrees(count: tuple[int, int], confidence: float) -> None:
    for ours, theirs in ((wilson, "wilson"), (clopper_pearson, "beta")):
        expected = proportion_confint(*count, alpha=1 - confidence, method=theirs)
        assert ours(*count, confidence) == pytest.approx(expected, abs=1e-9), theirs


@pytest.mark.parametrize(("successes", "low", "high"), [(0, 0.0, 0.3085), (1, 0.0025, 0.4450), (10, 0.6915, 1.0)])
def test_published_exact_values(successes: int, low: float, high: float) -> None:
    """C. J. Clopper and E. S. Pearson's chart for n = 10; the ends of 0 of n are (alpha/2)^(1/n) in closed form."""
    found = clopper_pearson(successes, 10)
    assert [round(found.low, 4), round(found.high, 4)] == [low, high]
    assert clopper_pearson(0, 10).high == pytest.approx(1 - 0.025**0.1)


def test_exact_rules() -> None:
    assert all(map(math.isnan, clopper_pearson(0, 0)))
    assert clopper_pearson(0, 300, confidence=0.90).high == pytest.approx(3 / 300, rel=0.01)  # the rule of three
    with pytest.raises(ValueError, match="successes"):
        clopper_pearson(11, 10)
    with pytest.raises(ValueError, match="confidence"):
        clopper_pearson(1, 10, confidence=95)


def test_a_wilson_interval_needs_no_numpy() -> None:
    script = (
        "import sys; from benchmark.stats import wilson; import benchmark.stats.power, benchmark.stats.ranks; "
        "wilson(1, 2); sys.exit(bool({'numpy', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
