"""Several answers to each item: pass@k, the answer that most samples agree on, and how much chance moves the accuracy.

Promises: estimators are unbiased for the number of samples that is there; items are the unit, in their clusters.
Does not: compare results itself; samples agree where the execution score kept the same hash of a result.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmark.stats.clustered import Estimate, clustered_mean
from benchmark.types import Score

METRIC = "execution"
#: pass@k is told for these k, as far as there are samples.
KS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFigures:
    """What several samples an item say. `pass_at` maps k to an estimate; `samples` is the fewest that any item has.

    `majority` is the accuracy of the result that most samples of an item return. `spread` is the standard deviation of
    the accuracies of single samples, NaN below two: what another seed alone moves.
    """

    samples: int
    pass_at: Mapping[int, Estimate] = field(default_factory=dict)
    majority: Estimate | None = None
    spread: float = math.nan


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


def sample_figures(scores: Iterable[Score], groups: Mapping[str, str]) -> SampleFigures | None:
    """The figures of a run's execution scores, `groups` being each item's cluster; None with one sample an item."""
    items: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        if score.metric == METRIC and score.value is not None and score.example_id in groups:
            items[score.example_id].append(score)
    fewest = min(map(len, items.values()), default=0)
    if fewest < 2:
        return None
    clusters = [groups[one] for one in items]
    counts = [(len(of), sum(score.value == 1 for score in of)) for of in items.values()]
    ks = [k for k in KS if k <= fewest]
    return SampleFigures(
        samples=fewest,
        pass_at={k: clustered_mean([pass_at_k(n, right, k) for n, right in counts], clusters) for k in ks},
        majority=clustered_mean([most_agreed(_answers(of)) for of in items.values()], clusters),
        spread=_spread(items.values(), fewest),
    )


def _answers(scores: Sequence[Score]) -> list[tuple[str | None, float]]:
    ordered = sorted(scores, key=lambda score: score.sample)
    return [(score.evidence.get("result"), score.value or 0.0) for score in ordered]


def _spread(items: Iterable[Sequence[Score]], samples: int) -> float:
    """The standard deviation of the accuracies of sample 0, sample 1 and so on."""
    totals, n = [0.0] * samples, 0
    for scores in items:
        n += 1
        for score in scores:
            if score.sample < samples:
                totals[score.sample] += score.value or 0.0
    means = [total / n for total in totals]
    middle = math.fsum(means) / samples
    return math.sqrt(math.fsum((mean - middle) ** 2 for mean in means) / (samples - 1))
