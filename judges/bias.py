"""Checks of a judge against itself: order of the two queries, repeated questions, and answers of its own family.

Promises: every rate comes with its interval and its n; a failed call is left out and counted, never a changed opinion.
Does not: explain a difference. Families also differ in how hard their wrong answers are to see.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmark.stats.paired import mcnemar_exact
from benchmark.types import VerdictLabel
from judges.figures import Figure, Item, missing, share

ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSwap:
    """What changes when gold and prediction trade places.

    `consistency` is the share of items with the same label both times, `changes` counts the others as (label as asked,
    label swapped). `p_value` is exact McNemar's for "the order does not move `correct`" over independent items: a judge
    may be inconsistent without leaning to one side. `failed` items lack one of the two labels.
    """

    consistency: Figure
    changes: Mapping[tuple[VerdictLabel, VerdictLabel], int]
    correct_as_asked: int
    correct_swapped: int
    p_value: float
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatability:
    """What changes when the same question is put again.

    `unchanged` is the share of items whose labels are all the same; the more repeats, the lower. `pairwise` does not
    depend on their number: the mean over items of the share of pairs of repeats that agree, None without items.
    `failed` items have fewer than two labels.
    """

    unchanged: Figure
    pairwise: float | None
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnswer:
    """A model's answer whose truth is known, and what the judge said of it; `family` is the answering model's."""

    family: str
    truth: VerdictLabel
    verdict: VerdictLabel | None
    group: Hashable = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfPreference:
    """A judge's leniency, the share of wrong answers that it calls correct, for its own family and for the others.

    `difference` is own - others: above 0 it lets more pass at home.
    """

    family: str
    own: Figure
    others: Figure
    difference: Figure


def order_swap(
    as_asked: Mapping[ItemT, VerdictLabel | None],
    swapped: Mapping[ItemT, VerdictLabel | None],
    groups: Mapping[ItemT, Hashable] | None = None,
    confidence: float = 0.95,
) -> OrderSwap:
    """Compare a judge's labels with those from a prompt in which gold and prediction trade places.

    Equivalence is symmetric, so a judge that reads both should say the same (L. Zheng et al., "Judging LLM-as-a-Judge
    with MT-Bench and Chatbot Arena", NeurIPS 2023, section 3.3). Items that only one side has count as failed.
    Raises KeyError for an item without a group where groups are given.

    >>> found = order_swap({1: "correct", 2: "correct", 3: None}, {1: "correct", 2: "incorrect", 3: "correct"})
    >>> found.consistency.value, dict(found.changes), found.failed
    (0.5, {('correct', 'incorrect'): 1}, 1)
    """
    items = list(dict.fromkeys([*as_asked, *swapped]))
    pairs = {item: (as_asked.get(item), swapped.get(item)) for item in items}
    both = {item: (a, b) for item, (a, b) in pairs.items() if a is not None and b is not None}
    only = Counter((a == "correct", b == "correct") for a, b in both.values())
    return OrderSwap(
        consistency=share([int(a == b) for a, b in both.values()], grouped(both, groups), confidence),
        changes=dict(Counter((a, b) for a, b in both.values() if a != b)),
        correct_as_asked=only[True, True] + only[True, False],
        correct_swapped=only[True, True] + only[False, True],
        p_value=mcnemar_exact(only[True, False], only[False, True]),
        failed=len(items) - len(both),
    )


def repeatability(
    repeats: Mapping[ItemT, Sequence[VerdictLabel | None]],
    groups: Mapping[ItemT, Hashable] | None = None,
    confidence: float = 0.95,
) -> Repeatability:
    """How stable a judge is: `repeats` holds each item's labels from the same prompt put several times.

    The agreement of two repeats on an item is sum(k_c (k_c - 1)) / (k (k - 1)) for k labels of which k_c are c (J. L.
    Fleiss, Psychological Bulletin 76, 1971, equation 2). Raises KeyError for an item without a group.

    >>> found = repeatability({1: ["correct"] * 3, 2: ["correct", "incorrect", "correct"], 3: ["unsure", None]})
    >>> found.unchanged.value, round(found.pairwise, 3), found.failed
    (0.5, 0.667, 1)
    """
    said = {item: [label for label in labels if label is not None] for item, labels in repeats.items()}
    enough = {item: labels for item, labels in said.items() if len(labels) >= 2}
    agreed = [alike(labels) for labels in enough.values()]
    return Repeatability(
        unchanged=share([int(one == 1) for one in agreed], grouped(enough, groups), confidence),
        pairwise=math.fsum(agreed) / len(agreed) if agreed else None,
        failed=len(repeats) - len(enough),
    )


def self_preference(
    answers: Iterable[JudgedAnswer], family: str, clustered: bool = False, confidence: float = 0.95
) -> SelfPreference:
    """Whether a judge of `family` is more lenient with wrong answers of its own family's models.

    Only wrong answers with a verdict count; `unsure` is not passing. The interval of the difference joins the two
    shares' own intervals (R. G. Newcombe, Statistics in Medicine 17, 1998, 873-890, method 10; for any intervals: G. Y.
    Zou and A. Donner, Statistics in Medicine 27, 2008, 1693-1702), Wilson's or with `clustered` those that know the
    answers' groups. It takes the two shares as independent: where both families answer the same questions they
    rise and fall together, and the interval is too wide rather than too narrow.

    None with a reason where one side has no wrong answer.

    >>> wrong = [JudgedAnswer(family=f, truth="incorrect", verdict=v) for f, v in
    ...     [("gpt", "correct")] * 30 + [("gpt", "incorrect")] * 20 + [("qwen", "correct"), ("qwen", "incorrect")] * 50]
    >>> found = self_preference(wrong, "gpt").difference
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.1, -0.07, 0.26)
    """
    wrong = [one for one in answers if one.truth == "incorrect" and one.verdict is not None]
    own, others = (
        leniency([one for one in wrong if (one.family == family) is at_home], clustered, confidence)
        for at_home in (True, False)
    )
    return SelfPreference(family=family, own=own, others=others, difference=difference(own, others))


def leniency(wrong: Sequence[JudgedAnswer], clustered: bool, confidence: float) -> Figure:
    """The share of wrong answers that were called correct."""
    groups = [one.group for one in wrong] if clustered else None
    return share([int(one.verdict == "correct") for one in wrong], groups, confidence)


def difference(first: Figure, second: Figure) -> Figure:
    """first - second for two independent shares, with Newcombe's hybrid interval; n is the smaller n."""
    n = min(first.n, second.n)
    if first.value is None or second.value is None:
        return missing(n, "no wrong answers with a verdict on one of the two sides", first.confidence)
    value = first.value - second.value
    if first.low is None or first.high is None or second.low is None or second.high is None:
        reason = first.reason or second.reason
        return Figure(value=value, low=None, high=None, n=n, confidence=first.confidence, reason=reason)
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Figure(value=value, low=value - below, high=value + above, n=n, confidence=first.confidence)


def alike(labels: Sequence[VerdictLabel]) -> float:
    """The share of pairs among two or more labels that are the same."""
    count = len(labels)
    return sum(k * (k - 1) for k in Counter(labels).values()) / (count * (count - 1))


def grouped(items: Iterable[ItemT], groups: Mapping[ItemT, Hashable] | None) -> list[Hashable] | None:
    """Each item's group, None where no groups are given."""
    return None if groups is None else [groups[item] for item in items]
