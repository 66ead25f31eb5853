"""Do the corrected accuracies hold what they say? Coverage by seeded simulation; `pytest -rP` prints the figures.

A benchmark is n answers, each right with the true accuracy; a judge calls right ones correct with its sensitivity and
wrong ones incorrect with its specificity; a random sample of the answers is labelled. Covered is the true accuracy that
the answers were drawn with. In the clustered designs truth and errors come from normal latent values of which a share,
`icc`, belongs to the database. 2,000 benchmarks measure a coverage of 95% to within a standard error of half a point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
import pytest

from benchmark.types import VerdictLabel
from judges.agreement import agreement
from judges.calibrate import Calibration, calibrate, calibrate_panel
from judges.figures import Figure

BENCHMARKS = 2_000
SENSITIVITY, SPECIFICITY = 0.95, 0.70
ITEMS, LABELS = 300, 60

Labels = dict[int, VerdictLabel]


def as_labels(values: np.ndarray) -> Labels:
    return {i: "correct" if value else "incorrect" for i, value in enumerate(values.tolist())}


def simulated(
    accuracy: float,
    runs: int,
    seed: int,
    judges: int = 1,
    icc: float = 0.0,
    databases: int = 20,
    rates: tuple[float, float] = (SENSITIVITY, SPECIFICITY),
    labels: int = LABELS,
) -> Iterator[tuple[list[Labels], Labels, dict[int, int]]]:
    """Verdicts of each judge, truth of the labelled items, and each item's database; as the module says."""
    rng = np.random.default_rng(seed)
    normal = NormalDist()

    def event(rate: float, database: np.ndarray) -> np.ndarray:
        own = math.sqrt(icc) * rng.normal(size=databases)[database]
        return own + math.sqrt(1 - icc) * rng.normal(size=ITEMS) < normal.inv_cdf(rate)

    for _ in range(runs):
        database = rng.integers(0, databases, ITEMS)
        truth = event(accuracy, database)
        said = [np.where(truth, event(rates[0], database), ~event(rates[1], database)) for _ in range(judges)]
        known = as_labels(truth)
        labelled = {int(i): known[int(i)] for i in rng.permutation(ITEMS)[:labels]}
        yield [as_labels(one) for one in said], labelled, dict(enumerate(database.tolist()))


def coverage(figures: list[Figure], truth: float) -> float:
    """Of those with an interval."""
    ends = [(one.low, one.high) for one in figures if one.low is not None and one.high is not None]
    return sum(low <= truth <= high for low, high in ends) / len(ends)


def described(name: str, found: list[Calibration], truth: float) -> tuple[dict[str, float], str]:
    """Coverage of each figure, and a line with mean widths and biases for -rP."""
    parts, covered = [], {}
    for kind in ("raw", "rogan_gladen", "ppi"):
        figures = [getattr(one, kind) for one in found]
        given = [one for one in figures if one.value is not None]
        width = np.mean([one.high - one.low for one in given if one.low is not None])
        bias = np.mean([one.value for one in given]) - truth
        covered[kind] = coverage(figures, truth)
        parts.append(f"{kind} {covered[kind]:.4f} (width {width:.3f}, bias {bias:+.3f}, given {len(given)})")
    return covered, f"{name}, accuracy {truth}: " + ", ".join(parts)


@pytest.mark.parametrize(
    ("accuracy", "raw_at_most"), [(0.5, 0.02), (0.6, 0.13), (0.7, 0.48), (0.8, 0.90), (0.9, 0.89), (0.95, 0.38)]
)
def test_corrected_accuracy(accuracy: float, raw_at_most: float) -> None:
    """What the raw accuracy covers is a matter of luck: it crosses the truth where the judge's two errors cancel."""
    benchmarks = simulated(accuracy, BENCHMARKS, seed=round(1000 * accuracy))
    found = [calibrate("judge", said[0], truth, random_sample=True) for said, truth, _ in benchmarks]
    covered, report = described(f"{LABELS} labels", found, accuracy)
    print(report)
    assert covered["ppi"] >= 0.93, report
    assert covered["rogan_gladen"] >= 0.93, report
    assert covered["raw"] <= raw_at_most, report


@pytest.mark.parametrize(
    ("accuracy", "sensitivity", "specificity"),
    [(0.7, 0.99, 0.78), (0.7, 0.99, 0.97), (0.9, 0.999, 0.80), (0.5, 0.80, 0.80), (0.8, 0.98, 0.50)],
)
def test_other_judges(accuracy: float, sensitivity: float, specificity: float) -> None:
    """A very good judge is the hard case: 60 labels may hold none of its errors."""
    benchmarks = simulated(accuracy, 1_000, seed=21, rates=(sensitivity, specificity))
    found = [calibrate("judge", said[0], truth, random_sample=True) for said, truth, _ in benchmarks]
    covered, report = described(f"sensitivity {sensitivity}, specificity {specificity}", found, accuracy)
    print(report)
    assert min(covered["ppi"], covered["rogan_gladen"]) >= 0.93, report


@pytest.mark.parametrize("accuracy", [0.6, 0.8])
def test_answers_in_databases(accuracy: float) -> None:
    """20 databases, a tenth of the latent variance in each: with groups it holds, without it does not."""
    with_groups, without = [], []
    for said, truth, groups in simulated(accuracy, 1_000, seed=11, icc=0.1):
        with_groups.append(calibrate("judge", said[0], truth, random_sample=True, groups=groups))
        without.append(calibrate("judge", said[0], truth, random_sample=True))
    covered, report = described("20 databases, groups given", with_groups, accuracy)
    ignored, other = described("20 databases, groups ignored", without, accuracy)
    print(report, other, sep="\n")
    assert covered["ppi"] >= 0.93, report
    assert covered["rogan_gladen"] >= 0.93, report
    assert ignored["ppi"] < covered["ppi"] - 0.02, other


@pytest.mark.parametrize("rule", ["majority", "weighted"])
def test_a_panel_of_three(rule: str) -> None:
    """Weights that were fitted to the labels that then measure the panel cost little."""
    found = []
    for said, truth, _ in simulated(0.7, 500, seed=3, judges=3):
        verdicts = {f"judge {i}": one for i, one in enumerate(said)}
        found.append(calibrate_panel(verdicts, truth, random_sample=True, rule=rule)[-1])  # type: ignore[arg-type]
    covered, report = described(f"panel of three, {rule}", found, 0.7)
    print(report)
    assert min(covered["ppi"], covered["rogan_gladen"]) >= 0.92, report


def test_labels_that_are_no_random_sample_break_it() -> None:
    """Why the warning is there: evidence decides all but the judge's false positives."""
    found = []
    for (said,), truth, _ in simulated(0.7, 200, seed=5, labels=ITEMS):
        known = {i: label for i, label in truth.items() if label == said[i] or label == "correct"}
        found.append(calibrate("judge", said, known, random_sample=False))
    covered, report = described("evidence that spares false positives", found, 0.7)
    print(report)
    assert covered["ppi"] < 0.5, report
    assert all(any("no random sample" in warning for warning in one.warnings) for one in found)


@pytest.mark.parametrize("databases", [None, 20])
def test_agreement(databases: int | None) -> None:
    """Bootstrap intervals of kappa and alpha for two judges with independent errors, on 300 items."""
    icc = 0.0 if databases is None else 0.1
    seen = [
        agreement({"a": said[0], "b": said[1]}, groups if databases else None, draws=500, seed=i)
        for i, (said, _, groups) in enumerate(simulated(0.7, 500, seed=8, judges=2, icc=icc, databases=databases or 20))
    ]
    yes = [0.7 * SENSITIVITY + 0.3 * (1 - SPECIFICITY)]
    same = 0.7 * (SENSITIVITY**2 + (1 - SENSITIVITY) ** 2) + 0.3 * (SPECIFICITY**2 + (1 - SPECIFICITY) ** 2)
    chance = yes[0] ** 2 + (1 - yes[0]) ** 2
    kappa = (same - chance) / (1 - chance)
    covered = {
        "kappa": coverage([one.pairs[0].kappa for one in seen], kappa),
        "alpha": coverage([one.alpha for one in seen], kappa),
        "raw": coverage([one.unanimous for one in seen], same),
    }
    report = f"agreement, {databases or 'no'} databases: {covered}"
    print(report)
    assert min(covered.values()) >= 0.92, report
