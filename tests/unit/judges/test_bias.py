"""Bias checks: hand-made cases, Newcombe's interval against statsmodels, and what a failed call is not."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from benchmark.stats import wilson
from benchmark.types import VerdictLabel
from judges.bias import JudgedAnswer, order_swap, repeatability, self_preference

Labels = dict[int, VerdictLabel | None]


def answers(family: str, passed: int, failed: int, group: str | None = None) -> list[JudgedAnswer]:
    """Wrong answers, `passed` of which the judge calls correct."""
    verdicts: list[VerdictLabel] = ["correct"] * passed + ["incorrect"] * failed
    return [JudgedAnswer(family=family, truth="incorrect", verdict=v, group=group) for v in verdicts]


def test_order_swap() -> None:
    asked: Labels = dict(enumerate(["correct"] * 70 + ["incorrect"] * 20 + ["unsure"] * 8 + [None] * 2))
    swapped: Labels = dict(enumerate(["correct"] * 60 + ["incorrect"] * 30 + ["unsure"] * 9))
    found = order_swap(asked, swapped)
    assert (found.consistency.n, found.failed) == (98, 2)
    assert found.changes == {("correct", "incorrect"): 10}
    assert found.consistency.value == 88 / 98
    assert (found.correct_as_asked, found.correct_swapped) == (70, 60)
    assert found.p_value == pytest.approx(2 * 0.5**10)
    assert (found.consistency.low, found.consistency.high) == wilson(88, 98)


def test_an_inconsistent_judge_need_not_lean() -> None:
    asked: Labels = {i: "correct" if i % 2 else "incorrect" for i in range(40)}
    swapped: Labels = {i: "incorrect" if i % 2 else "correct" for i in range(40)}
    found = order_swap(asked, swapped)
    assert found.consistency.value == 0
    assert found.p_value == 1
    assert found.changes == {("correct", "incorrect"): 20, ("incorrect", "correct"): 20}


def test_nothing_to_compare() -> None:
    found = order_swap({1: None}, {2: "correct"})
    assert (found.consistency.value, found.consistency.reason, found.failed) == (None, "no items", 2)
    again = repeatability({1: ["correct"], 2: []})
    assert (again.unchanged.value, again.pairwise, again.failed) == (None, None, 2)


def test_repeatability() -> None:
    found = repeatability(
        {
            1: ["correct"] * 4,
            2: ["correct", "correct", "incorrect", "incorrect"],
            3: ["correct", "correct", "correct", "unsure"],
            4: ["incorrect", None, "incorrect"],
            5: [None, None, "correct"],
        }
    )
    assert found.unchanged.value == 2 / 4
    assert found.pairwise == pytest.approx((1 + 2 / 6 + 3 / 6 + 1) / 4)
    assert (found.unchanged.n, found.failed) == (4, 1)


def test_pairwise_does_not_depend_on_the_number_of_repeats() -> None:
    rng = np.random.default_rng(1)
    shares = []
    for repeats in (2, 5):
        drawn = rng.random((4000, repeats)) < 0.8
        said: dict[int, list[VerdictLabel | None]] = {
            i: ["correct" if one else "incorrect" for one in row] for i, row in enumerate(drawn)
        }
        found = repeatability(said)
        assert found.pairwise == pytest.approx(0.8**2 + 0.2**2, abs=0.02)
        shares.append(found.unchanged.value or 0)
    assert shares == pytest.approx([0.68, 0.8**5 + 0.2**5], abs=0.025)


@pytest.mark.parametrize(
    ("own", "others"), [((30, 20), (50, 50)), ((9, 1), (3, 7)), ((0, 12), (0, 30)), ((5, 0), (0, 5))]
)
def test_newcombes_interval(own: tuple[int, int], others: tuple[int, int]) -> None:
    found = self_preference([*answers("gpt", *own), *answers("qwen", *others)], "gpt").difference
    low, high = confint_proportions_2indep(own[0], sum(own), others[0], sum(others), compare="diff", method="newcomb")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.value == pytest.approx(own[0] / sum(own) - others[0] / sum(others))


def test_newcombes_published_value() -> None:
    """R. G. Newcombe, Statistics in Medicine 17, 1998, 873-890, table II, case (a), method 10: 56/70 - 48/80."""
    found = self_preference([*answers("a", 56, 14), *answers("b", 48, 32)], "a").difference
    assert (round(found.low or 0, 4), round(found.high or 0, 4)) == (0.0524, 0.3339)


def test_only_wrong_answers_with_a_verdict_count() -> None:
    right = [JudgedAnswer(family="gpt", truth="correct", verdict="correct")] * 9
    failed = [JudgedAnswer(family="gpt", truth="incorrect", verdict=None)] * 9
    doubtful = [JudgedAnswer(family="gpt", truth="unsure", verdict="correct")] * 9
    unsure = [JudgedAnswer(family="gpt", truth="incorrect", verdict="unsure")] * 5
    found = self_preference([*right, *failed, *doubtful, *unsure, *answers("gpt", 5, 0), *answers("x", 1, 9)], "gpt")
    assert (found.own.value, found.own.n) == (0.5, 10)
    assert (found.others.value, found.others.n) == (0.1, 10)


def test_a_side_without_wrong_answers_has_no_difference() -> None:
    found = self_preference(answers("gpt", 3, 3), "qwen")
    assert (found.own.value, found.others.value, found.difference.value) == (None, 0.5, None)
    assert "one of the two sides" in found.difference.reason


def test_clusters_widen_the_difference() -> None:
    rows = [
        one
        for i, (own, other) in enumerate([(10, 9), (0, 1), (10, 8), (1, 0), (9, 10), (0, 0)])
        for one in (*answers("gpt", own, 10 - own, f"db{i}"), *answers("qwen", other, 10 - other, f"db{i}"))
    ]
    plain, clustered = (self_preference(rows, "gpt", clustered=c).difference for c in (False, True))
    assert plain.value == clustered.value
    assert (clustered.high or 0) - (clustered.low or 0) > 2 * ((plain.high or 0) - (plain.low or 0))
    lone = self_preference([*answers("a", 1, 1, "db"), *answers("b", 1, 1, "db")], "a", clustered=True).difference
    assert (lone.value, lone.low) == (0.0, None)
    assert "one group" in lone.reason


def test_groups_of_the_other_checks() -> None:
    asked: Labels = dict.fromkeys(range(20), "correct")
    swapped: Labels = {i: "correct" if i < 10 else "incorrect" for i in range(20)}
    plain = order_swap(asked, swapped).consistency
    clustered = order_swap(asked, swapped, {i: i // 5 for i in range(20)}).consistency
    assert plain.value == clustered.value == 0.5
    assert (clustered.low or 0) < (plain.low or 0)
    with pytest.raises(KeyError):
        repeatability({1: ["correct", "correct"]}, groups={})
