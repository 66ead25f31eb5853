"""A panel's label: each rule by table, its symmetries, and what a failed judge does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.types import VerdictLabel
from judges.aggregate import Rule, Weight, panel_label, panel_labels, vote_weight

SAYS: dict[str, VerdictLabel | None] = {"c": "correct", "i": "incorrect", "u": "unsure", "-": None}
FLIP: dict[VerdictLabel | None, VerdictLabel | None] = {"correct": "incorrect", "incorrect": "correct"}


def said(text: str) -> list[VerdictLabel | None]:
    return [SAYS[letter] for letter in text]


@pytest.mark.parametrize(
    ("cast", "majority", "unanimous"),
    [
        ("c", "c", "c"),
        ("u", "u", "u"),
        ("cc", "c", "c"),
        ("ci", "u", "u"),
        ("cu", "u", "u"),
        ("cci", "c", "u"),
        ("iic", "i", "u"),
        ("ciu", "u", "u"),
        ("uuc", "u", "u"),
        ("ccu", "c", "u"),
        ("ccuu", "u", "u"),
        ("cciuu", "u", "u"),  # two of five is no majority, though no other label has more
        ("ccii", "u", "u"),
        ("iii", "i", "i"),
        ("cc-", "c", "c"),
        ("ci-", "u", "u"),
        ("c-", "c", "c"),  # half of the votes
        ("c--", "-", "-"),  # fewer than half
        ("cc---", "-", "-"),
        ("cci--", "c", "u"),
        ("-", "-", "-"),
        ("", "-", "-"),
    ],
)
def test_rules(cast: str, majority: str, unanimous: str) -> None:
    assert panel_label(said(cast)) == SAYS[majority]
    assert panel_label(said(cast), "unanimous") == SAYS[unanimous]


@given(st.lists(st.sampled_from("ciu-"), max_size=7), st.randoms())
def test_symmetries(letters: list[str], random: object) -> None:
    """Neither the order of the judges nor the names of the two labels decides; a panel of one says what it says."""
    cast = said("".join(letters))
    weights = [Weight(math.log(3), -math.log(3))] * len(cast)
    for rule in get_args(Rule):
        found = panel_label(cast, rule, weights)
        assert panel_label(cast[::-1], rule, weights) == found
        assert panel_label([FLIP.get(vote, vote) for vote in cast], rule, weights) == FLIP.get(found, found)
    if len(cast) == 1:
        assert panel_label(cast) == panel_label(cast, "unanimous") == panel_label(cast, "weighted", weights) == cast[0]


def test_weights_of_equal_judges_are_the_majority_of_those_who_decide() -> None:
    weights = [vote_weight(tp=40, fn=10, tn=40, fp=10)] * 5
    for letters in product("ciu", repeat=5):
        decided = letters.count("c") - letters.count("i")
        expected = "correct" if decided > 0 else "incorrect" if decided < 0 else "unsure"
        assert panel_label(said("".join(letters)), "weighted", weights) == expected, letters


def test_one_good_judge_outweighs_two_poor_ones() -> None:
    good, poor = vote_weight(tp=97, fn=3, tn=97, fp=3), vote_weight(tp=60, fn=40, tn=60, fp=40)
    assert panel_label(said("cii"), "weighted", [good, poor, poor]) == "correct"
    assert panel_label(said("uii"), "weighted", [good, poor, poor]) == "incorrect"
    assert panel_label(said("uci"), "weighted", [good, poor, poor]) == "unsure"
    assert panel_label(said("-ci"), "weighted", [good, poor, poor]) == "unsure"


def test_a_lenient_judges_no_says_more_than_its_yes() -> None:
    lenient = vote_weight(tp=95, fn=5, tn=50, fp=50)
    assert lenient.correct == pytest.approx(math.log((96 / 102) / (51 / 102)))
    assert lenient.incorrect == pytest.approx(math.log((6 / 102) / (51 / 102)))
    strict = vote_weight(tp=50, fn=50, tn=95, fp=5)
    assert strict == pytest.approx((-lenient.incorrect, -lenient.correct))
    assert panel_label(said("ic"), "weighted", [lenient, lenient]) == "incorrect"


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (5, 5, 5, 5), (1, 9, 2, 8), (50, 0, 0, 50)])
def test_a_judge_no_better_than_chance_has_no_say(counts: tuple[int, int, int, int]) -> None:
    weight = vote_weight(*counts)
    assert weight == (0.0, 0.0)
    assert panel_label(said("i"), "weighted", [weight]) == "unsure"


@given(*[st.integers(0, 200)] * 4)
def test_weights_are_finite_and_point_the_right_way(tp: int, fn: int, tn: int, fp: int) -> None:
    weight = vote_weight(tp, fn, tn, fp)
    assert all(map(math.isfinite, weight))
    assert weight.correct >= 0 >= weight.incorrect


def test_all_items_of_all_judges() -> None:
    verdicts: dict[str, dict[int, VerdictLabel | None]] = {
        "a": {1: "correct", 2: "correct", 3: None},
        "b": {1: "correct", 2: "incorrect", 4: "incorrect"},
    }
    assert panel_labels(verdicts) == {1: "correct", 2: "unsure", 3: None, 4: "incorrect"}
    weights = {"a": Weight(1, -1), "b": Weight(3, -3)}
    assert panel_labels(verdicts, "weighted", weights)[2] == "incorrect"
    assert panel_labels({}) == {}


@pytest.mark.parametrize("weights", [None, [], [Weight(1, -1)]])
def test_what_is_refused(weights: Sequence[Weight] | None) -> None:
    with pytest.raises(ValueError, match="a weight for each of the 2"):
        panel_label(said("ci"), "weighted", weights)
    with pytest.raises(ValueError, match="unknown rule 'plurality': one of majority"):
        panel_label(said("ci"), "plurality")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="negative"):
        vote_weight(-1, 0, 0, 0)
    with pytest.raises(KeyError):
        panel_labels({"a": {1: "correct"}}, "weighted", {"b": Weight(1, -1)})
