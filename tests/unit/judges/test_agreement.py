"""Agreement coefficients against independent packages (statsmodels, nltk), worked examples and their gaps."""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.metrics.agreement import AnnotationTask
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa, to_table

from judges.agreement import ONE_LABEL, Agreement, agreement

Votes = Mapping[str, Mapping[Hashable, Hashable]]
LABELS = ("correct", "incorrect", "unsure")


def table(rows: list[list[Hashable]]) -> dict[str, dict[Hashable, Hashable]]:
    """Judges' votes from one row of labels a judge."""
    return {f"judge {j}": dict(enumerate(row)) for j, row in enumerate(rows)}


def alpha_by_nltk(rows: list[list[Hashable]]) -> float:
    """Krippendorff's alpha for labels without order; an item that fewer than two rated says nothing."""
    rated = [item for item, votes in enumerate(zip(*rows, strict=True)) if sum(vote is not None for vote in votes) > 1]
    votes = [(rater, item, row[item]) for rater, row in enumerate(rows) for item in rated if row[item] is not None]
    return float(AnnotationTask(data=votes).alpha())


def check_against_packages(rows: list[list[Hashable]], found: Agreement) -> None:
    """All coefficients of complete votes, to 1e-9."""
    codes = np.unique(np.array(rows), return_inverse=True)[1].reshape(np.shape(rows)).T
    assert found.fleiss.value == pytest.approx(fleiss_kappa(aggregate_raters(codes)[0]), abs=1e-9)
    assert found.alpha.value == pytest.approx(alpha_by_nltk(rows), abs=1e-9)
    assert found.unanimous.value == pytest.approx(np.equal(codes, codes[:, :1]).all(axis=1).mean(), abs=1e-12)
    names = list(found.judges)
    for pair in found.pairs:
        i, j = (names.index(judge) for judge in pair.judges)
        square = to_table(codes[:, [i, j]], bins=codes.max() + 1)[0]
        assert pair.kappa.value == pytest.approx(cohens_kappa(square, return_results=False), abs=1e-9)
        assert pair.raw.value == pytest.approx(np.trace(square) / square.sum(), abs=1e-12)


@pytest.fixture(scope="module")
def real(data_folder: Path) -> tuple[Votes, Mapping[Hashable, Hashable]]:
    """The votes of gpt-5 and gemini-2.5-pro on the golds of Spider dev, and each item's database."""
    votes: dict[str, dict[Hashable, Hashable]] = {}
    groups: dict[Hashable, Hashable] = {}
    for line in (data_folder / "judges" / "spider_dev_two_judges.jsonl").read_text().splitlines():
        row = json.loads(line)
        groups[row["item_id"]] = row["db_id"]
        for vote in row["votes"]:
            votes.setdefault(vote["model"], {})[row["item_id"]] = vote["verdict"]
    return votes, groups


@pytest.mark.parametrize("partly_is", [None, "INCORRECT"])
def test_two_real_judges_equal_independent_packages(real: tuple[Votes, Votes], partly_is: str | None) -> None:
    """With the file's four labels, and with all that is not CORRECT taken together."""
    votes = {
        judge: {item: label if partly_is is None or label == "CORRECT" else partly_is for item, label in said.items()}
        for judge, said in real[0].items()
    }
    items = list(votes["gpt-5"])
    rows = [[said[item] for item in items] for said in votes.values()]
    assert [len(row) for row in rows] == [1034, 1034]
    check_against_packages(rows, agreement(votes, draws=2))


def test_two_real_judges_in_figures(real: tuple[Votes, Mapping[Hashable, Hashable]]) -> None:
    votes, groups = real
    start = time.perf_counter()
    found = agreement(votes, groups)
    print(f"{time.perf_counter() - start:.3f} s: {found}")
    assert time.perf_counter() - start < 1
    raw, kappa = found.pairs[0].raw, found.pairs[0].kappa
    assert (found.items, found.groups, found.judges) == (1034, 20, ("gpt-5", "gemini-2.5-pro"))
    assert raw.value == (684 + 94 + 14) / 1034
    assert [round(figure.value or 0, 3) for figure in (kappa, found.fleiss, found.alpha)] == [0.411, 0.389, 0.390]
    start = time.perf_counter()
    by_item = agreement(votes)
    assert time.perf_counter() - start < 1
    for figure in (raw, kappa, found.fleiss, found.alpha):
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < (figure.value or 0) < figure.high
    assert (by_item.pairs[0].raw.low, by_item.pairs[0].raw.high) == pytest.approx((0.740, 0.792), abs=0.003)


def test_krippendorffs_own_example() -> None:
    """K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C.

    Four observers, twelve units, gaps: 0.743.
    """
    rows = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    found = agreement(table(rows), draws=50)
    assert round(found.alpha.value or 0, 3) == 0.743
    assert found.alpha.value == pytest.approx(alpha_by_nltk(rows), abs=1e-9)
    assert (found.alpha.n, found.unanimous.n, found.fleiss.n) == (11, 7 + 1, 8)
    assert found.pairs[0].raw.n == 9


votes = st.integers(2, 4).flatmap(
    lambda judges: st.integers(4, 30).flatmap(
        lambda items: st.lists(
            st.lists(st.sampled_from(LABELS), min_size=items, max_size=items), min_size=judges, max_size=judges
        )
    )
)


@given(votes)
def test_any_complete_votes_equal_the_packages(rows: list[list[Hashable]]) -> None:
    found = agreement(table(rows), draws=20)
    if any(figure.value is None for figure in (found.alpha, *(pair.kappa for pair in found.pairs))):
        return  # not defined: the packages divide by zero
    check_against_packages(rows, found)


@given(st.lists(st.lists(st.sampled_from([*LABELS, None]), min_size=12, max_size=12), min_size=2, max_size=4))
def test_any_votes_with_gaps_equal_krippendorff(rows: list[list[Hashable]]) -> None:
    found = agreement(table(rows), draws=20).alpha
    if found.value is not None:
        assert found.value == pytest.approx(alpha_by_nltk(rows), abs=1e-9)


@pytest.mark.parametrize("rows", [[["x"] * 9, ["x"] * 9], [["x"] * 9, ["x"] * 8 + [None]]])
def test_one_label_throughout_is_not_defined(rows: list[list[Hashable]]) -> None:
    found = agreement(table(rows))
    for figure in (found.pairs[0].kappa, found.fleiss, found.alpha):
        assert (figure.value, figure.low, figure.high, figure.reason) == (None, None, None, ONE_LABEL)
    raw = found.unanimous
    assert raw.value == 1.0
    assert raw.low is not None
    assert raw.low < 0.75
    assert "Wilson" in raw.reason


def test_perfect_agreement_has_a_value_and_no_interval() -> None:
    found = agreement(table([["x", "y"] * 10] * 2))
    for figure in (found.pairs[0].kappa, found.fleiss, found.alpha):
        assert (figure.value, figure.low, figure.high) == (1.0, None, None)
        assert "no draw" in figure.reason


def test_nearly_one_label_has_no_interval_either() -> None:
    """Two thirds of the draws hold the odd item; in the others kappa is not defined."""
    kappa = agreement(table([["x"] * 30 + ["y"], ["x"] * 29 + ["y", "x"]])).pairs[0].kappa
    assert kappa.value == pytest.approx(-1 / 30)
    assert kappa.low is None
    assert "not defined in" in kappa.reason


@pytest.mark.parametrize("rows", [[[], []], [["x"], ["x"]], [["x", None, "y"], [None, "x", "y"]]])
def test_fewer_than_two_items_say_so(rows: list[list[Hashable]]) -> None:
    found = agreement(table(rows))
    for figure in (found.unanimous, found.fleiss, found.alpha, found.pairs[0].raw, found.pairs[0].kappa):
        assert figure.value is None
        assert "at least 2" in figure.reason


def test_one_group_has_values_without_intervals() -> None:
    rows = table([["x", "y", "x", "y"], ["x", "y", "y", "y"]])
    found = agreement(rows, groups=dict.fromkeys(range(4), "db"))
    assert found.pairs[0].kappa.value == 0.5
    assert (found.alpha.low, found.alpha.high) == (None, None)
    assert "one group" in found.alpha.reason


def test_the_order_of_items_does_not_matter_and_the_seed_does() -> None:
    rng = np.random.default_rng(3)
    rows = table(rng.choice(LABELS, size=(3, 80)).tolist())
    backwards = {judge: dict(reversed(said.items())) for judge, said in rows.items()}
    assert agreement(rows, draws=200) == agreement(backwards, draws=200)
    assert agreement(rows, draws=200) != agreement(rows, draws=200, seed=1)
    renamed = {judge: {f"item {100 + i}": label for i, label in said.items()} for judge, said in rows.items()}
    numbered = {judge: {100 + i: label for i, label in said.items()} for judge, said in rows.items()}
    assert agreement(renamed, draws=200) == agreement(numbered, draws=200)  # though sets of strings have no fixed order


def test_items_of_one_database_widen_the_interval() -> None:
    """Each item ten times over: as ten items a database it says no more than once."""
    rng = np.random.default_rng(4)
    first = rng.random(40) < 0.6
    second = np.where(rng.random(40) < 0.8, first, ~first)
    rows = table([np.repeat(first, 10).tolist(), np.repeat(second, 10).tolist()])
    groups = {i: i // 10 for i in range(400)}
    clustered, plain = agreement(rows, groups).alpha, agreement(rows).alpha
    assert clustered.value == plain.value
    assert (clustered.high or 0) - (clustered.low or 0) > 2.5 * ((plain.high or 0) - (plain.low or 0))


def test_three_groups_reach_as_far_as_their_extremes() -> None:
    """With so few the percentiles are moved out to the draws that hold one group three times."""
    rows = table([["x"] * 30, ["x"] * 10 + ["x"] * 7 + ["y"] * 3 + ["x"] * 4 + ["y"] * 6])
    found = agreement(rows, groups={i: i // 10 for i in range(30)}).unanimous
    assert (found.value, found.low, found.high) == pytest.approx((0.7, 0.4, 1.0))


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="two judges"):
        agreement({"one": {1: "x"}})
    with pytest.raises(ValueError, match="confidence"):
        agreement(table([["x"], ["y"]]), confidence=95)
    with pytest.raises(KeyError):
        agreement(table([["x", "y"], ["y", "x"]]), groups={0: "db"})
