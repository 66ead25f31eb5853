"""Calibration: one record of a judge or a panel, its counts, and every gap and warning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from benchmark.stats import wilson
from benchmark.types import VerdictLabel
from judges.aggregate import panel_labels
from judges.calibrate import Calibration, calibrate, calibrate_panel, weight_of
from judges.correct import ppi_mean


def run(said: str, truth: str, groups: Sequence[str] | None = None, random_sample: bool = True) -> Calibration:
    """Calibrate from letters, one an item: c, i, u, - (no verdict); in `truth` - is no label."""
    names: dict[str, VerdictLabel] = {"c": "correct", "i": "incorrect", "u": "unsure"}
    return calibrate(
        "judge",
        {item: names.get(letter) for item, letter in enumerate(said)},
        {item: names[letter] for item, letter in enumerate(truth) if letter != "-"},
        random_sample=random_sample,
        groups=None if groups is None else dict(enumerate(groups)),
    )


def test_all_in_one_record() -> None:
    #            labelled right   wrong      without a label
    found = run("cccccccciu" + "iiicuccccc" + "c" * 14 + "iiiii" + "u" + "-", "c" * 10 + "i" * 10 + "-" * 21)
    assert (found.judged, found.failed, found.unsure, found.labelled) == (40, 1, 3, 20)
    confusion = found.confusion
    assert (confusion.tp, confusion.fn, confusion.unsure_right, confusion.right) == (8, 1, 1, 10)
    assert (confusion.tn, confusion.fp, confusion.unsure_wrong, confusion.wrong) == (3, 6, 1, 10)
    assert (found.sensitivity.value, found.sensitivity.n) == (0.8, 10)
    assert (found.sensitivity.low, found.sensitivity.high) == wilson(8, 10)
    assert (found.specificity.value, found.specificity.low) == (0.4, wilson(4, 10).low)
    assert (found.raw.value, found.raw.low, found.raw.high) == (28 / 40, *wilson(28, 40))
    assert found.rogan_gladen.value == pytest.approx((0.7 + 0.4 - 1) / (0.8 + 0.4 - 1))
    assert found.ppi.value == pytest.approx(
        ppi_mean([1] * 10 + [0] * 10, [1] * 8 + [0] * 2 + [1] * 6 + [0] * 4, [1] * 14 + [0] * 6).value
    )
    assert found.warnings == ("1 items have no verdict and are left out: the figures speak of the other 40",)


def test_all_items_labelled_makes_both_corrections_exact() -> None:
    found = run("c" * 40 + "i" * 5 + "c" * 6 + "i" * 9, "c" * 45 + "i" * 15)
    assert found.rogan_gladen.value == pytest.approx(45 / 60)
    assert found.ppi.value == pytest.approx(45 / 60)
    assert found.raw.value == pytest.approx(46 / 60)


def test_evidence_that_decided_only_some_items_is_said() -> None:
    said, truth = "c" * 70 + "i" * 30, "c" * 40 + "-" * 30 + "i" * 20 + "-" * 10
    assert run(said, truth).warnings == ()
    (warning,) = run(said, truth, random_sample=False).warnings
    assert "no random sample: 40 of 100 items have none" in warning
    assert "between 40.0% and 80.0%" in warning
    assert run(said, "c" * 70 + "i" * 30, random_sample=False).warnings == ()  # it decided all


@pytest.mark.parametrize(
    ("said", "truth", "words"),
    [
        ("c" * 30, "c" * 12 + "i" * 3 + "-" * 15, "few labels: 12 right and 3 wrong"),
        ("c" * 30, "c" * 10 + "i" * 10 + "u" * 2 + "-" * 8, "2 labels are 'unsure'"),
        ("c" * 25 + "-" * 5, "c" * 10 + "i" * 10 + "-" * 7 + "ccc", "3 labels are of items without a verdict"),
    ],
)
def test_warnings(said: str, truth: str, words: str) -> None:
    assert any(words in warning for warning in run(said, truth).warnings)


def test_few_groups_are_said_and_used() -> None:
    said, truth = "ccccciiiii" * 12, "c" * 20 + "i" * 20 + "-" * 80
    groups = [str(i // 10) for i in range(120)]
    found = run(said, truth, groups)
    assert any("labels come from 4 groups" in warning for warning in found.warnings)
    assert found.ppi.low is not None
    lone = run(said, truth, ["one"] * 120)
    for figure in (lone.raw, lone.ppi, lone.sensitivity):
        assert figure.value is not None
        assert (figure.low, figure.high) == (None, None)
        assert "one" in figure.reason


def test_no_labels_and_no_verdicts() -> None:
    found = run("cci", "---")
    assert (found.labelled, found.tuning, found.ppi.value, found.ppi.reason) == (0, None, None, "no labels")
    assert (found.sensitivity.value, found.rogan_gladen.reason) == (None, "no labels of right answers")
    assert found.raw.value == 2 / 3
    silent = run("--", "ci")
    assert (silent.judged, silent.failed, silent.raw.value, silent.ppi.value) == (0, 2, None, None)
    one = run("cci", "c--")
    assert (one.ppi.value, one.ppi.low) == (1.0, None)


def test_labels_of_items_never_asked_about_are_refused() -> None:
    with pytest.raises(ValueError, match="1 labels are of items that j was not asked about: \\['b'\\]"):
        calibrate("j", {"a": "correct"}, {"b": "correct"}, random_sample=True)
    with pytest.raises(ValueError, match="at least one judge"):
        calibrate_panel({}, {}, random_sample=True)


def test_a_panel_is_measured_like_a_judge() -> None:
    rng = np.random.default_rng(6)
    truth: dict[int, VerdictLabel] = {i: "correct" if rng.random() < 0.6 else "incorrect" for i in range(200)}
    flip: dict[VerdictLabel, VerdictLabel] = {"correct": "incorrect", "incorrect": "correct"}
    verdicts: dict[str, dict[int, VerdictLabel | None]] = {
        name: {i: label if rng.random() < rate else flip[label] for i, label in truth.items()}
        for name, rate in (("good", 0.9), ("fair", 0.8), ("poor", 0.6))
    }
    del verdicts["poor"][0]
    some = {i: truth[i] for i in range(60)}
    *judges, panel = calibrate_panel(verdicts, some, random_sample=True)
    assert [one.judge for one in judges] == ["good", "fair", "poor"]
    assert judges[2].failed == 1
    assert panel == calibrate("panel (majority)", panel_labels(verdicts), some, random_sample=True)
    *judges, weighted = calibrate_panel(verdicts, some, random_sample=True, rule="weighted")
    assert weight_of(judges[0]).correct > weight_of(judges[2]).correct
    assert "fitted to the labels" in weighted.warnings[-1]
    assert (weighted.sensitivity.value or 0) > (judges[2].sensitivity.value or 0)
