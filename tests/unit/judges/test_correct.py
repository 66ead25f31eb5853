"""The two corrections: PPI against ppi-python's figures, Rogan-Gladen against its limits, and what each refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from benchmark.stats import wilson
from benchmark.stats.clustered import clustered_mean
from judges.correct import Share, ppi_mean, rogan_gladen, unseen_errors, worth
from judges.figures import Figure, score_interval, share

Z95 = 1.959963984540054

#: ppi-python 0.2.3 (`ppi_mean_pointestimate`, `ppi_mean_ci`, alpha = 0.05), run once on 2026-11-25 in an environment of
#: its own because it needs numba, scikit-learn and gdown: labelled items by (truth, judged) = (1, 1), (1, 0), (0, 1),
#: (0, 0), then the unlabelled ones judged 1 and 0, lambda (None: tuned), and its value, low and high.
PPI_PYTHON = [
    ((41, 1, 5, 13), (167, 73), None, (0.6597697551850052, 0.5727874564084222, 0.7467520539615883)),
    ((41, 1, 5, 13), (167, 73), 1.0, (0.6291666666666667, 0.5316702347075721, 0.7266630986257612)),
    ((41, 1, 5, 13), (167, 73), 0.0, (0.7, 0.5840469669545921, 0.8159530330454078)),
    ((34, 0, 1, 5), (437, 63), None, (0.8491078522245765, 0.7936844824468805, 0.9045312220022725)),
    ((34, 0, 1, 5), (437, 63), 1.0, (0.849, 0.7925468106197646, 0.9054531893802353)),
    ((47, 4, 15, 34), (32, 18), None, (0.5143533814589666, 0.4232750753881934, 0.6054316875297397)),
    ((47, 4, 15, 34), (32, 18), 1.0, (0.53, 0.37336220926042984, 0.6866377907395702)),
    ((56, 2, 1, 1), (221, 19), None, (0.9615334096359277, 0.9184601576244769, 1.0046066616473786)),
]


def labels(*counts: int) -> tuple[list[int], list[int]]:
    """Truth and verdict of labelled items from their counts by (1, 1), (1, 0), (0, 1), (0, 0)."""
    cells = zip(((1, 1), (1, 0), (0, 1), (0, 0)), counts, strict=True)
    truth, judged = zip(*[cell for cell, count in cells for _ in range(count)], strict=True)
    return list(truth), list(judged)


@pytest.mark.parametrize(("counts", "others", "tuning", "expected"), PPI_PYTHON)
def test_ppi_python_agrees(
    counts: tuple[int, ...], others: tuple[int, int], tuning: float | None, expected: tuple[float, float, float]
) -> None:
    truth, judged = labels(*counts)
    found = ppi_mean(truth, judged, [1] * others[0] + [0] * others[1], tuning=tuning)
    assert found.value == pytest.approx(expected[0], abs=1e-12)
    total = found.labelled + found.unlabelled
    theirs = found.standard_error * math.sqrt((total - 1) / total)
    assert (found.value - Z95 * theirs, found.value + Z95 * theirs) == pytest.approx(expected[1:], abs=1e-12)
    assert 0 <= found.low < found.value < found.high <= 1


def test_the_two_ends_of_tuning() -> None:
    truth, judged = labels(41, 1, 5, 13)
    others = [1] * 167 + [0] * 73
    assert ppi_mean(truth, judged, others, tuning=1).value == pytest.approx(167 / 240 + (42 - 46) / 60)
    assert ppi_mean(truth, judged, others, tuning=0).value == pytest.approx(42 / 60)
    perfect = ppi_mean(truth, truth, others)
    assert perfect.tuning > 0.7
    assert perfect.standard_error < ppi_mean(truth, judged, others).standard_error
    useless = ppi_mean([0, 1] * 30, [1, 1, 0, 0] * 15, others)
    assert (useless.tuning, useless.value) == (0.0, 0.5)
    contrary = ppi_mean([0, 1] * 30, [1, 0] * 30, others)
    assert contrary.tuning == 0.0


def test_a_judge_that_made_no_error_among_the_labels_is_not_taken_for_perfect() -> None:
    found = ppi_mean([1] * 42 + [0] * 18, [1] * 42 + [0] * 18, [1] * 168 + [0] * 72)
    assert found.value == pytest.approx(0.7)
    assert found.high - found.low > 1.05 * 2 * Z95 * found.standard_error
    rest = np.zeros(60)
    added = np.array([-1.0, 1.0] + [0.0] * 120)  # at lambda 1: half an item of each error, here all counts doubled
    mean_square = float((added**2).sum()) / 2 / 60
    assert unseen_errors(rest, 1.0) == pytest.approx(math.sqrt(mean_square / 60))
    assert unseen_errors(np.array([1.0, 0.0] * 30), 0.0) == 0.0
    rest, weights = np.array([1.0] * 2 + [-0.5] * 3 + [0.5] * 30 + [0.0] * 25), np.array([1.0] * 60 + [0.25, 0.25])
    grown = np.cov(np.append(rest, [1.0, -0.5]), aweights=weights, ddof=0) * weights.sum() / (weights.sum() - 1)
    assert unseen_errors(rest, 0.5) == pytest.approx(math.sqrt((grown - rest.var(ddof=1)) / 60))


def test_everything_labelled_is_the_mean_of_the_labels() -> None:
    truth, judged = labels(41, 1, 5, 13)
    found = ppi_mean(truth, judged, [])
    assert (found.value, found.tuning) == (0.7, 0.0)
    assert found.standard_error == pytest.approx(math.sqrt(0.7 * 0.3 / 59))


def test_labels_that_are_all_alike_get_the_interval_of_the_labels_alone() -> None:
    found = ppi_mean([1] * 60, [1, 0] * 30, [1] * 240)
    assert math.isnan(found.standard_error)
    assert found.value == found.high == 1.0
    assert wilson(60, 60).low - 0.01 < found.low < wilson(60, 60).low


def test_ppi_without_labels_or_with_one() -> None:
    nothing = ppi_mean([], [], [1, 0])
    assert all(map(math.isnan, (nothing.value, nothing.standard_error, nothing.low)))
    one = ppi_mean([1], [1], [1, 0])
    assert one.value == 1.0
    assert math.isnan(one.low)
    with pytest.raises(ValueError, match="2 labels but 1 judged"):
        ppi_mean([1, 0], [1], [])
    with pytest.raises(ValueError, match="4 items but 3 clusters"):
        ppi_mean([1, 0], [1, 1], [1, 0], groups="abc")


def test_ppi_with_groups_of_one_item_is_ppi_without() -> None:
    truth, judged = labels(41, 1, 5, 13)
    others = [1] * 167 + [0] * 73
    assert ppi_mean(truth, judged, others, groups=range(300)) == ppi_mean(truth, judged, others)


def test_clustered_ppi_is_the_clustered_mean_where_all_is_labelled() -> None:
    rng = np.random.default_rng(5)
    truth, groups = rng.integers(0, 2, 90), rng.integers(0, 12, 90).tolist()
    found = ppi_mean(truth, truth, [], groups=groups)
    assert found.standard_error == pytest.approx(clustered_mean(truth, groups).standard_error)


def test_labels_from_few_groups_have_few_degrees_of_freedom() -> None:
    truth, judged = [1, 1, 0, 1, 0, 1] * 4, [1, 1, 1, 1, 0, 1] * 4
    others = [1, 0, 1, 1] * 30
    spread = ppi_mean(truth, judged, others, groups=range(144), tuning=0.5)
    three = ppi_mean(truth, judged, others, groups=[i % 3 for i in range(24)] + [*range(3, 123)], tuning=0.5)
    assert (spread.groups, three.groups) == (24, 3)
    assert (three.high - three.low) / three.standard_error > 1.3 * (spread.high - spread.low) / spread.standard_error


def test_repeating_items_inside_their_groups_teaches_nothing() -> None:
    truth, judged = labels(20, 2, 3, 7)
    others = [1, 0, 1, 1] * 12
    once = ppi_mean(truth, judged, others, groups=range(80), tuning=0.6)
    thrice = ppi_mean(truth * 3, judged * 3, others * 3, groups=[*range(32)] * 3 + [*range(32, 80)] * 3, tuning=0.6)
    assert thrice.standard_error == pytest.approx(once.standard_error)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), abs=0.01)  # `unseen_errors` counts items


def test_rogan_gladen_inverts_the_judge() -> None:
    for rate in (0.0, 0.2, 0.7, 1.0):
        seen = rate * 0.95 + (1 - rate) * 0.3
        found = rogan_gladen(Share(seen, 300), Share(0.95, 45), Share(0.7, 15))
        assert found.value == pytest.approx(rate, abs=1e-12)
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= rate + 1e-12
        assert rate - 1e-12 <= found.high <= 1


@pytest.mark.parametrize(("successes", "n"), [(0, 40), (7, 40), (150, 300), (300, 300)])
def test_a_judge_known_to_be_perfect_leaves_agresti_and_coull(successes: int, n: int) -> None:
    """With endless labels and no error Lang and Reiczigel's interval is A. Agresti and B. A. Coull's, as they say."""
    found = rogan_gladen(Share(successes / n, n), Share(1.0, 1e12), Share(1.0, 1e12))
    low, high = proportion_confint(successes, n, method="agresti_coull")
    assert (found.low, found.high) == pytest.approx((max(0, low), min(1, high)), abs=1e-6)


@pytest.mark.parametrize(
    ("shares", "low", "high"),
    [
        ((Share(0.83, 300), Share(0.95, 40), Share(0.70, 20)), 0.6910861474884099, 0.9669408399008416),
        ((Share(0.12, 250), Share(0.90, 50), Share(0.96, 100)), 0.02258707860120275, 0.157460780497516),
    ],
)
def test_lang_and_reiczigels_equations(shares: tuple[Share, Share, Share], low: float, high: float) -> None:
    """Golden values from a second writing of equations 4, 6, 7, 16 and 17, which the R package asht has in code too."""
    found = rogan_gladen(*shares)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_large_samples_leave_rogan_and_gladens_own_variance() -> None:
    """Equation 4: (var(q) + p^2 var(sensitivity) + (1 - p)^2 var(specificity)) / (sensitivity + specificity - 1)^2."""
    q, p1, p0, n = 0.75, 0.9, 0.8, 1e8
    p = (q + p0 - 1) / (p1 + p0 - 1)
    error = math.sqrt((q * (1 - q) + p**2 * p1 * (1 - p1) + (1 - p) ** 2 * p0 * (1 - p0)) / n) / (p1 + p0 - 1)
    found = rogan_gladen(Share(q, n), Share(p1, n), Share(p0, n))
    assert (found.low, found.high) == pytest.approx((p - Z95 * error, p + Z95 * error), abs=1e-7)


@pytest.mark.parametrize(
    ("shares", "end"),
    [
        ((Share(28 / 31, 31), Share(1.0, 1), Share(1.0, 26)), "low"),
        ((Share(10 / 63, 63), Share(68 / 71, 71), Share(1.0, 1)), "high"),
    ],
)
def test_rogan_gladens_interval_is_drawn_out_to_its_value(shares: tuple[Share, Share, Share], end: str) -> None:
    """With a single label of one kind Lang and Reiczigel's centre lies so far off that a limit passes the estimate."""
    found = rogan_gladen(*shares)
    assert getattr(found, end) == found.value


@given(*[st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))] * 3)
def test_rogan_gladen_holds_its_value_or_says_why_not(
    judged: tuple[int, int], right: tuple[int, int], wrong: tuple[int, int]
) -> None:
    found = rogan_gladen(*(Share(k / n, n) for k, n in (judged, right, wrong)))
    if right[0] * wrong[1] + wrong[0] * right[1] > right[1] * wrong[1]:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= (found.value or 0) <= found.high <= 1
    elif right[0] * wrong[1] + wrong[0] * right[1] < right[1] * wrong[1]:
        assert (found.value, found.low, found.high) == (None, None, None)
        assert "no better than chance" in found.reason


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ((Share(0.5, 10), Share(math.nan, 0), Share(0.5, 10)), "no labels of right answers"),
        ((Share(0.5, 10), Share(0.5, 10), Share(math.nan, 0)), "no labels of wrong answers"),
        ((Share(math.nan, 0), Share(0.5, 10), Share(0.5, 10)), "no judged items"),
        ((Share(0.5, 10), Share(0.5, 10), Share(0.5, 10)), "sensitivity + specificity = 1.00"),
    ],
)
def test_rogan_gladen_refuses(shares: tuple[Share, Share, Share], reason: str) -> None:
    found = rogan_gladen(*shares)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert reason in found.reason
    with pytest.raises(ValueError, match="specificity must lie"):
        rogan_gladen(Share(0.5, 10), Share(0.9, 10), Share(1.2, 10))


def test_the_score_interval_of_independent_items_is_wilsons() -> None:
    """With the binomial standard error and the normal quantile."""
    for successes, n in ((18, 30), (1, 29), (299, 300)):
        p = successes / n
        found = score_interval(p, math.sqrt(p * (1 - p) / n), n, 1e9, 0.95)
        assert found == pytest.approx(wilson(successes, n), abs=1e-6)
    assert score_interval(1.0, math.nan, 60, 1e9, 0.95) == pytest.approx(wilson(60, 60), abs=1e-6)
    assert score_interval(0.4, 1e-6, 60, 1e9, 0.95) == pytest.approx(wilson(24, 60), abs=1e-6)  # never above n items
    assert score_interval(-0.02, 0.05, 60, 1e9, 0.95) == pytest.approx(wilson(0, 60), abs=1e-6)


def test_shares() -> None:
    assert share([]) == Figure(value=None, low=None, high=None, n=0, reason="no items")
    alone = share([1, 0, 1], groups="aaa")
    assert (alone.value, alone.low) == (2 / 3, None)
    assert "one group" in alone.reason
    with pytest.raises(ValueError, match="0 or 1"):
        share([0.5])
    assert (
        worth([1, 0] * 20, [i // 10 for i in range(40)]).n == 40
    )  # groups that are more alike than chance gain nothing
    assert worth([1, 0] * 19 + [1, 1], [i // 10 for i in range(40)]).n == 40
    assert worth([1] * 20 + [0] * 20, [i // 10 for i in range(40)]).n == pytest.approx(40 / (39 / 3), rel=0.01)
    assert worth([]).n == 0
