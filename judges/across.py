"""What several runs say of a judge together: its error rates over all of them, and whether it favours its own family.

Promises: the same question in several runs is one cluster; error rates that differ between runs are said beside the
pooled ones; what cannot be told has its reason. Does not: correct an accuracy by pooled rates; each run has its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.types import VerdictLabel
from judges.bias import JudgedAnswer, SelfPreference, self_preference
from judges.cautions import FEW_LABELS
from judges.families import family_of
from judges.figures import Figure, share

Key = tuple[str, int]

#: Below this p-value two runs are said to differ.
DIFFER = 0.05
#: Draws for that p-value.
DRAWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRun:
    """One run for a comparison: what judges said, what is true of its answers, and the group of each example.

    `model` is the spec of the answering model, `dataset` a fingerprint; `digest` is that of the verdicts.
    """

    run_id: str
    model: str
    dataset: str
    digest: str
    said: Mapping[str, Mapping[Key, VerdictLabel | None]]
    truth: Mapping[Key, VerdictLabel]
    groups: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """One judge over all runs: sensitivity and specificity, from `right` and `wrong` labelled answers.

    `p_sensitivity` and `p_specificity` are p-values for "the same in every run", None where a test has nothing to go
    on. `warnings` say what forbids to correct a run by the pooled rates.
    """

    judge: str
    runs: int
    right: int
    wrong: int
    sensitivity: Figure
    specificity: Figure
    p_sensitivity: float | None
    p_specificity: float | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFamily:
    """Whether a judge lets more wrong answers pass from models of its own maker, in figures and in a sentence.

    `own_runs` and `other_runs` are compared; `unknown_runs` are left out, for their models' maker is not known.
    """

    judge: str
    found: SelfPreference
    own_runs: tuple[str, ...]
    other_runs: tuple[str, ...]
    unknown_runs: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """What one `--calibrate` found over its runs. `runs` maps each to the digest of the verdicts that were measured."""

    runs: Mapping[str, str]
    source: str
    pooled: tuple[Pooled, ...]
    own_family: tuple[OwnFamily, ...]


def across(runs: Sequence[JudgedRun], source: str) -> Across:
    """Compare the judges over runs that were measured by one `source`. Nothing is pooled over a single run."""
    judges = sorted({judge for run in runs for judge in run.said})
    clusters = clusters_of(runs)
    own = (own_family(judge, runs, clusters) for judge in judges)
    return Across(
        runs={run.run_id: run.digest for run in runs},
        source=source,
        pooled=tuple(found for judge in judges if (found := pooled(judge, runs, clusters)) is not None),
        own_family=tuple(found for found in own if found is not None),
    )


Clusters = Mapping[tuple[str, str], Hashable]


def clusters_of(runs: Iterable[JudgedRun]) -> Clusters:
    """Where each example (dataset, id) belongs, in every run alike: its database, or itself where there is but one."""
    groups = {(run.dataset, example): group for run in runs for example, group in run.groups.items()}
    several = len(set(groups.values())) > 1
    return {key: (key[0], group) if several else key for key, group in groups.items()}


def pooled(judge: str, runs: Sequence[JudgedRun], clusters: Clusters) -> Pooled | None:
    """A judge's error rates over all runs that it judged and that have labels; None for fewer than two.

    The intervals are `judges.figures.share`'s over clusters: what several runs say of one question is not independent.
    """
    asked = [run for run in runs if any(item in run.truth for item in run.said.get(judge, ()))]
    if len(asked) < 2:
        return None
    hits = {label: [list(_hits(judge, run, label, clusters)) for run in asked] for label in ("correct", "incorrect")}
    right, wrong = (_over(hits[label]) for label in ("correct", "incorrect"))
    tests = {label: homogeneity([[hit for hit, _ in one] for one in found]) for label, found in hits.items()}
    named = [run.run_id for run in asked]
    warnings = [
        text
        for name, label in (("sensitivity", "correct"), ("specificity", "incorrect"))
        if (text := _differs(name, named, [[hit for hit, _ in one] for one in hits[label]], tests[label]))
    ]
    if min(right.n, wrong.n) < FEW_LABELS * len(asked) and not warnings:
        warnings.append(
            f"{right.n} right and {wrong.n} wrong labelled answers over {len(asked)} runs are too few to see whether "
            "its error rates differ between them"
        )
    return Pooled(
        judge=judge,
        runs=len(asked),
        right=right.n,
        wrong=wrong.n,
        sensitivity=right,
        specificity=wrong,
        p_sensitivity=tests["correct"],
        p_specificity=tests["incorrect"],
        warnings=tuple(warnings),
    )


def homogeneity(outcomes: Sequence[Sequence[int]], draws: int = DRAWS, seed: int = 0) -> float | None:
    """The p-value for "one rate in all runs", from 0/1 outcomes by run; None without two runs and two outcomes.

    Pearson's chi-squared statistic, with its distribution given both margins (the outcomes dealt to the runs at random:
    R. A. Fisher's conditioning) simulated by `draws` draws, so that few errors do no harm. It takes answers as
    independent: where runs share their questions they are more alike than that, and differences are found later.

    >>> homogeneity([[1] * 50 + [0] * 50, [1] * 90 + [0] * 10]) < 0.001, homogeneity([[1, 1], [1, 1, 1]])
    (True, None)
    """
    sizes = np.array([len(one) for one in outcomes if one])
    hits = np.array([sum(one) for one in outcomes if one])
    if len(sizes) < 2 or not 0 < hits.sum() < sizes.sum():
        return None
    expected = sizes * hits.sum() / sizes.sum()

    def statistic(found: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.asarray(((np.asarray(found) - expected) ** 2 / sizes).sum(axis=-1), dtype=np.float64)

    drawn = statistic(np.random.default_rng(seed).multivariate_hypergeometric(sizes, int(hits.sum()), size=draws))
    return float((1 + (drawn >= statistic(hits) * (1 - 1e-12)).sum()) / (1 + draws))


def own_family(judge: str, runs: Sequence[JudgedRun], clusters: Clusters) -> OwnFamily | None:
    """A judge's leniency with its own maker's models and with others; None where none of its own answered."""
    family = family_of(judge)
    asked = {run.run_id: run for run in runs if judge in run.said}
    makers = {name: family_of(run.model) for name, run in asked.items()}
    if family is None or family not in makers.values():
        return None
    answers = [
        one for name, run in asked.items() if (maker := makers[name]) for one in _answers(judge, run, maker, clusters)
    ]
    found = self_preference(answers, family, clustered=True)
    own = tuple(name for name, maker in makers.items() if maker == family)
    others = tuple(name for name, maker in makers.items() if maker not in (family, None))
    unknown = tuple(name for name, maker in makers.items() if maker is None)
    datasets = {asked[name].dataset for name in (*own, *others)}
    sentence = _sentence(judge, found, bool(others)) + (_ELSEWHERE if len(datasets) > 1 else "")
    if unknown:
        sentence += f" Left out, for nobody knows who made their models: {', '.join(unknown)}."
    return OwnFamily(
        judge=judge,
        found=found,
        own_runs=own,
        other_runs=others,
        unknown_runs=unknown,
        sentence=sentence,
    )


_ELSEWHERE = " The runs are on different datasets, which may differ in how hard wrong answers are to see."


def _sentence(judge: str, found: SelfPreference, others: bool) -> str:
    apart = found.difference
    who = f"{judge} ({found.family})"
    if not others:
        return f"Whether {who} favours its own family cannot be told: no other family's run is among those given."
    if apart.value is None:
        side = "its own family" if not found.own.n else "other families"
        return f"Whether {who} favours its own family cannot be told: no wrong answer of {side} has a verdict."
    rates = (
        f"{who} lets {found.own.value:.1%} of {found.own.n} wrong answers of its own family pass, and "
        f"{found.others.value:.1%} of {found.others.n} of others"
    )
    if apart.low is None or apart.high is None:
        return f"{rates}; how sure that is cannot be told: {apart.reason}."
    ends = f"{100 * apart.value:+.1f} points, 95% interval {100 * apart.low:+.1f} to {100 * apart.high:+.1f}"
    if apart.low > 0:
        return f"{rates} ({ends}): it is more lenient with its own family, or that one's errors are harder to see."
    if apart.high < 0:
        return f"{rates} ({ends}): it is stricter with its own family, or that one's errors are easier to see."
    return f"{rates} ({ends}): these answers do not show that it favours either."


def _answers(judge: str, run: JudgedRun, maker: str, clusters: Clusters) -> Iterable[JudgedAnswer]:
    for item, label in run.truth.items():
        if item in run.said[judge]:
            group = clusters[run.dataset, item[0]]
            yield JudgedAnswer(family=maker, truth=label, verdict=run.said[judge][item], group=group)


def _hits(judge: str, run: JudgedRun, label: str, clusters: Clusters) -> Iterable[tuple[int, Hashable]]:
    """For each answer whose truth is `label`: whether the judge got it right (`unsure` is not correct), its cluster."""
    for item, verdict in run.said[judge].items():
        if verdict is not None and run.truth.get(item) == label:
            yield int((verdict == "correct") == (label == "correct")), clusters[run.dataset, item[0]]


def _over(found: Sequence[Sequence[tuple[int, Hashable]]]) -> Figure:
    every = [one for run in found for one in run]
    return share([hit for hit, _ in every], [group for _, group in every])


def _differs(name: str, runs: Sequence[str], outcomes: Sequence[Sequence[int]], p: float | None) -> str:
    """The warning that a rate differs between runs; '' where it does not, or nobody knows."""
    if p is None or p >= DIFFER:
        return ""
    rates = [(sum(one) / len(one), run) for run, one in zip(runs, outcomes, strict=True) if one]
    (low, at_low), (high, at_high) = min(rates), max(rates)
    return (
        f"its {name} differs between runs, from {low:.1%} ({at_low}) to {high:.1%} ({at_high}), p {p:.4f}: "
        "a run corrected by the pooled rate would come out wrong; use each run's own"
    )
