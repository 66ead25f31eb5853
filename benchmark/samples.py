"""Several answers to each item: pass@k, the answer that most samples agree on, and how much chance moves the accuracy.

Promises: estimators are unbiased for the number of samples that is there; items are the unit, in their clusters.
Does not: compare results itself; samples agree where the execution score kept the same hash of a result.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmark.stats.clustered import Estimate, clustered_mean
from benchmark.stats.components import Components, components
from benchmark.types import Score

METRIC = "execution"
#: pass@k is told for these k, as far as there are samples.
KS = (1, 2, 5, 10, 20, 50, 100)


class Sampled(NamedTuple):
    """One answer to an item: its value, and the hash of its result, None where it did not run."""

    example_id: str
    sample: int
    value: float
    result: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFigures:
    """What several samples an item say. `pass_at` maps k to an estimate.

    `majority` is the accuracy of the result that most samples of an item return; `spread` says what another seed moves.
    """

    pass_at: Mapping[int, Estimate]
    majority: Estimate
    spread: Components

    @property
    def samples(self) -> int:
        """The fewest that any item has."""
        return self.spread.draws


def pass_at_k(n: int, right: int, k: int) -> float:
    """The chance that one of k samples is right, from n of which `right` are.

    M. Chen et al., Evaluating Large Language Models Trained on Code, 2021, equation 1. Raises ValueError for k above n.

    >>> round(pass_at_k(10, 3, 1), 4), round(pass_at_k(10, 3, 2), 4), pass_at_k(4, 3, 2)
    (0.3, 0.5333, 1.0)
    """
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} cannot be had from {n} samples")
    return 1.0 - math.comb(n - right, k) / math.comb(n, k)


def most_agreed(answers: Sequence[tuple[str | None, float]]) -> float:
    """The value of the answer whose result most of the others share, the earliest of equals; 0 where none ran.

    An answer is (hash of its result, or None where it did not run; its value).
    """
    ran = [(result, value) for result, value in answers if result is not None]
    if not ran:
        return 0.0
    counts = Counter(result for result, _ in ran)
    return max(ran, key=lambda answer: counts[answer[0]])[1]


def sampled(scores: Iterable[Score]) -> list[Sampled]:
    """The execution scores that have a value, without their evidence."""
    return [
        Sampled(score.example_id, score.sample, score.value, score.evidence.get("result"))
        for score in scores
        if score.metric == METRIC and score.value is not None
    ]


def sample_figures(answers: Iterable[Sampled], groups: Mapping[str, str]) -> SampleFigures | None:
    """The figures of a run's answers, `groups` being each item's cluster; None with one sample an item.

    Answers to items that are not in `groups` are left out.
    """
    items: dict[str, list[Sampled]] = defaultdict(list)
    for answer in answers:
        if answer.example_id in groups:
            items[answer.example_id].append(answer)
    fewest = min(map(len, items.values()), default=0)
    if fewest < 2:
        return None
    clusters = [groups[one] for one in items]
    ordered = [sorted(of, key=lambda answer: answer.sample) for of in items.values()]
    counts = [(len(of), sum(answer.value == 1 for answer in of)) for of in ordered]
    return SampleFigures(
        pass_at={
            k: clustered_mean([pass_at_k(n, right, k) for n, right in counts], clusters) for k in KS if k <= fewest
        },
        majority=clustered_mean([most_agreed([(one.result, one.value) for one in of]) for of in ordered], clusters),
        spread=components([[of[draw].value for of in ordered] for draw in range(fewest)], clusters),
    )
