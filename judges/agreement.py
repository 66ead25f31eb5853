"""How far judges agree with each other: raw, Cohen's kappa, Fleiss' kappa and Krippendorff's alpha.

Promises: a coefficient that is not defined (one vote, a single label throughout) is None with the reason; the same
votes and seed give the same intervals, whatever the order of the items. Labels are nominal: any hashable value, None
being no vote. Does not: say who is right. Judges can agree and err together; `judges.calibrate` measures that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmark.stats.bootstrap import degrees_of_freedom, expanded, resampled_means
from benchmark.stats.clustered import FloatArray, IntArray, numbered
from benchmark.stats.intervals import check_confidence, wilson
from judges.figures import Figure, Item, missing

ItemT = TypeVar("ItemT", bound=Item)

#: Draws in which a coefficient is undefined, as a share of all, up to which its interval is made from the others.
UNDEFINED_DRAWS = 0.05
ONE_LABEL = "every vote is the same label: agreement beyond chance is not defined"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAgreement:
    """Two judges, on the items that both voted on."""

    judges: tuple[str, str]
    raw: Figure
    kappa: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A panel's agreement. `unanimous` and `fleiss` speak of the items that all judges voted on, `alpha` of those with
    two votes or more; `items` counts all, `groups` their clusters."""

    judges: tuple[str, ...]
    items: int
    groups: int
    pairs: tuple[PairAgreement, ...]
    unanimous: Figure
    fleiss: Figure
    alpha: Figure


class Statistic(NamedTuple):
    """A coefficient as a function of sums over items, so that a bootstrap is a matter of weighting them.

    `columns` has shape (items, c); `value` takes sums of shape (draws, c) to (draws,), NaN where it is not defined.
    `n` items count; `is_share` says that it is the share of some of them.
    """

    columns: FloatArray
    value: Callable[[FloatArray], FloatArray]
    n: int
    is_share: bool = False


def agreement(
    verdicts: Mapping[str, Mapping[ItemT, Hashable]],
    groups: Mapping[ItemT, Hashable] | None = None,
    draws: int = 2_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Agreement:
    """Every coefficient of a panel; `verdicts` is judge, then item, then label (None or no entry: no vote).

    * raw: the share of items with the same label; `unanimous` is that over all judges.
    * Cohen's kappa of two judges: (p_o - p_e)/(1 - p_e), p_e from each judge's own shares of labels (J. Cohen,
      Educational and Psychological Measurement 20, 1960, 37-46).
    * Fleiss' kappa: the same for all judges, p_e from the pooled shares (J. L. Fleiss, Psychological Bulletin 76,
      1971, 378-382).
    * Krippendorff's alpha, nominal: 1 - D_o/D_e over all pairs of votes on an item; votes may be missing (K.
      Krippendorff, "Content Analysis", 4th ed. 2018, chapter 12).

    Intervals are bootstrap percentiles over clusters: `groups` names each item's (its database), else items are drawn.
    The percentiles are moved outwards for few clusters as in `benchmark.stats.bootstrap`. There is none with one
    cluster, where no draw differs from another (the shares then get Wilson's), or where the coefficient is not defined
    in more than 5% of the draws. They are the spread over other items, with these judges.

    Raises ValueError for fewer than two judges and KeyError for an item without a group where groups are given.

    >>> found = agreement({"a": {1: "x", 2: "y", 3: "x", 4: None}, "b": {1: "x", 2: "y", 3: "y", 4: "x"}})
    >>> round(found.pairs[0].raw.value, 3), found.pairs[0].kappa.value, found.alpha.n
    (0.667, 0.4, 3)
    """
    check_confidence(confidence)
    if len(verdicts) < 2:
        raise ValueError("agreement needs two judges or more")
    items = sorted({item for labels in verdicts.values() for item in labels}, key=repr)
    codes, kinds = coded([[labels.get(item) for item in items] for labels in verdicts.values()])
    clusters = numbered(range(len(items)) if groups is None else [groups[item] for item in items], len(items))
    pairs = list(combinations(range(len(verdicts)), 2))
    statistics = [made(codes[:, pair], kinds) for pair in pairs for made in (raw_share, cohen)]
    statistics += [raw_share(codes, kinds), fleiss(codes, kinds), krippendorff(codes, kinds)]
    figures = bootstrapped(statistics, clusters, draws, seed, confidence)
    names = list(verdicts)
    return Agreement(
        judges=tuple(names),
        items=len(items),
        groups=clusters[1],
        pairs=tuple(
            PairAgreement(judges=(names[i], names[j]), raw=figures[2 * k], kappa=figures[2 * k + 1])
            for k, (i, j) in enumerate(pairs)
        ),
        unanimous=figures[-3],
        fleiss=figures[-2],
        alpha=figures[-1],
    )


def coded(votes: list[list[Hashable]]) -> tuple[IntArray, int]:
    """Votes (judge, item) as numbers of shape (items, judges), -1 for None, and how many labels there are."""
    numbers: dict[Hashable, int] = {}
    rows = [[-1 if vote is None else numbers.setdefault(vote, len(numbers)) for vote in row] for row in votes]
    return np.array(rows, dtype=np.int64).reshape(len(rows), -1).T, max(1, len(numbers))


def counted(codes: IntArray, kinds: int) -> FloatArray:
    """How many votes each item has for each label, shape (items, labels)."""
    return np.stack([np.equal(codes, kind).sum(axis=1) for kind in range(kinds)], axis=1).astype(np.float64)


def complete(codes: IntArray) -> NDArray[np.bool_]:
    """Whether every judge voted on an item, shape (items,)."""
    return np.asarray(np.all(codes >= 0, axis=1), dtype=np.bool_)


def raw_share(codes: IntArray, kinds: int) -> Statistic:
    """The share of the items rated by all whose votes are all the same."""
    rated = complete(codes)
    same = rated & np.equal(codes, codes[:, :1]).all(axis=1)
    columns = np.stack([same, rated], axis=1).astype(np.float64)
    return Statistic(columns, lambda sums: ratio(sums[:, 0], sums[:, 1]), int(rated.sum()), is_share=True)


def cohen(codes: IntArray, kinds: int) -> Statistic:
    """Cohen's kappa of two judges from the sums of their table, whose cells are the columns."""
    rated = complete(codes)
    cells = np.zeros((len(codes), kinds * kinds))
    cells[np.flatnonzero(rated), codes[rated, 0] * kinds + codes[rated, 1]] = 1

    def value(sums: FloatArray) -> FloatArray:
        table = sums.reshape(-1, kinds, kinds)
        n, same = table.sum(axis=(1, 2)), np.trace(table, axis1=1, axis2=2)
        chance = (table.sum(axis=1) * table.sum(axis=2)).sum(axis=1)
        return ratio(n * same - chance, n * n - chance, n * n)

    return Statistic(cells, value, int(rated.sum()))


def fleiss(codes: IntArray, kinds: int) -> Statistic:
    """Fleiss' kappa over the items rated by all J judges."""
    judges = codes.shape[1]
    rated = complete(codes)
    votes = counted(codes, kinds) * rated[:, None]
    columns = np.column_stack([rated, (votes * (votes - 1)).sum(axis=1), votes])

    def value(sums: FloatArray) -> FloatArray:
        total, chance = sums[:, 0] * judges, (sums[:, 2:] ** 2).sum(axis=1)
        return ratio(sums[:, 1] * total / (judges - 1) - chance, total**2 - chance, total**2)

    return Statistic(columns, value, int(rated.sum()))


def krippendorff(codes: IntArray, kinds: int) -> Statistic:
    """Krippendorff's nominal alpha over the items with two votes or more."""
    votes = counted(codes, kinds)
    cast = votes.sum(axis=1)
    paired = cast >= 2
    votes = votes * paired[:, None]
    apart = (votes * (cast[:, None] - votes)).sum(axis=1) / np.maximum(1, cast - 1)

    def value(sums: FloatArray) -> FloatArray:
        total = sums[:, 1:].sum(axis=1)
        expected = total**2 - (sums[:, 1:] ** 2).sum(axis=1)
        return 1 - ratio((total - 1) * sums[:, 0], expected, total**2)

    return Statistic(np.column_stack([apart, votes]), value, int(paired.sum()))


def ratio(above: FloatArray, below: FloatArray, scale: FloatArray | None = None) -> FloatArray:
    """above / below, NaN where `below` is 0 but for rounding against `scale`."""
    zero = below <= 1e-12 * (np.ones_like(below) if scale is None else np.maximum(scale, 1))
    return np.where(zero, math.nan, above / np.where(zero, 1, below))


def bootstrapped(
    statistics: list[Statistic], clusters: tuple[IntArray, int], draws: int, seed: int, confidence: float
) -> list[Figure]:
    """Each statistic with its interval, all from the same draws; `clusters` is `numbered`'s."""
    codes, count = clusters
    columns = np.concatenate([statistic.columns for statistic in statistics], axis=1)
    sums = np.zeros((count, columns.shape[1]))
    np.add.at(sums, codes, columns)
    drawn = count * resampled_means(sums, np.ones(count), draws, seed).T
    levels = expanded(confidence, count, degrees_of_freedom(codes, count)) if count >= 2 else None
    ends = np.cumsum([statistic.columns.shape[1] for statistic in statistics])[:-1]
    parts = zip(
        statistics, np.split(columns.sum(axis=0)[None], ends, axis=1), np.split(drawn, ends, axis=1), strict=True
    )
    return [figure(statistic, total, sample, levels, confidence) for statistic, total, sample in parts]


def figure(
    statistic: Statistic, total: FloatArray, drawn: FloatArray, levels: tuple[float, float] | None, confidence: float
) -> Figure:
    """One statistic's value from its sums (1, c), and its interval from those of the draws (draws, c)."""
    if statistic.n < 2:
        return missing(
            statistic.n, f"{statistic.n} items with the votes that it takes: at least 2 are needed", confidence
        )
    value = float(statistic.value(total)[0])
    if math.isnan(value):
        return missing(statistic.n, ONE_LABEL, confidence)
    found = Figure(value=value, low=None, high=None, n=statistic.n, confidence=confidence)
    if levels is None:
        return replace(found, reason="all items share one group: nothing shows how much groups differ")
    values = statistic.value(drawn)
    defined = values[~np.isnan(values)]
    if defined.size < (1 - UNDEFINED_DRAWS) * values.size:
        return replace(found, reason=f"not defined in {1 - defined.size / values.size:.0%} of the bootstrap draws")
    low, high = np.quantile(defined, levels).tolist()
    if high - low > 1e-12:
        return replace(found, low=min(low, value), high=max(high, value))
    if statistic.is_share:
        low, high = wilson(round(value * statistic.n), statistic.n, confidence)
        return replace(found, low=low, high=high, reason="no draw differs: Wilson's interval over items")
    return replace(found, reason="no draw of the bootstrap differs from another: it has no interval to give")
