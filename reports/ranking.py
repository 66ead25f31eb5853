"""Ranks that the data support: a paired cluster bootstrap over all pairs, Holm's correction, rank intervals.

Promises: the same runs give the same ranks, in whatever order they or their items come; a run that lacks too many items
is not ranked, and does not take items away from the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from benchmark.stats.bootstrap import Comparison, bootstrap_differences
from benchmark.stats.clustered import is_binary
from benchmark.stats.paired import discordant, mcnemar_exact
from benchmark.stats.ranks import holm, rank_intervals
from reports.board import Pair, Ranking
from reports.figures import Rank
from reports.reading import FloatArray, Items

DRAWS = 10_000
LEVEL = 0.05
#: A run with fewer values than this share of the fullest run's is not ranked.
ENOUGH = 0.9


def rank_runs(values: Mapping[str, FloatArray], items: Items) -> tuple[dict[str, Rank], Ranking | None]:
    """Ranks by run id, and what they rest on, from each run's headline values by item (n,), NaN for none.

    A run that nothing can be compared with has no rank.
    """
    counts = {run: int((~np.isnan(found)).sum()) for run, found in values.items()}
    most = max(counts.values(), default=0)
    ranked = [run for run in sorted(values) if counts[run] and counts[run] >= ENOUGH * most]
    if not ranked:
        return {}, None
    table, groups = common_items([values[run] for run in ranked], items)
    clusters = len(set(groups))
    by_item = clusters == 1
    found = bootstrap_differences(table, range(len(groups)) if by_item else groups, draws=DRAWS)
    pairs = pairs_of(found, ranked, table)
    places = {run: place for place, run in enumerate(ranked)}
    spans = rank_intervals(len(ranked), [(places[p.upper], places[p.lower]) for p in pairs if p.separated])
    ranks = {run: Rank(best=best, worst=worst) for run, (best, worst) in zip(ranked, spans, strict=True)}
    return ranks if pairs else {}, Ranking(
        items=len(groups),
        clusters=clusters,
        by_item=by_item,
        draws=DRAWS,
        unranked=tuple(run for run in sorted(values) if run not in places),
        pairs=pairs,
    )


def common_items(rows: Sequence[FloatArray], items: Items) -> tuple[FloatArray, list[str]]:
    """The values (runs, items) of the items that every run has a value for, by id, and those items' groups."""
    table = np.stack(rows)
    shared = set(np.flatnonzero(np.isfinite(table).all(axis=0)).tolist())
    order = [place for _, place in sorted(items.places.items()) if place in shared]
    return table[:, order], [items.groups[place] for place in order]


def pairs_of(found: Sequence[Comparison], runs: Sequence[str], table: FloatArray) -> tuple[Pair, ...]:
    """The pairs with the better run first, in the order of the better and then of the worse run's id.

    A pair's p is the larger one of the bootstrap's and, for values of 0 and 1, of exact McNemar's: the one knows about
    clusters, the other about few items that tell two runs apart. `table` is what `found` was computed from.
    """
    adjusted = holm([max(one.p_value, _exact(table[one.first], table[one.second])) for one in found])
    return tuple(
        _pair(comparison, p, runs[comparison.first], runs[comparison.second])
        for comparison, p in zip(found, adjusted, strict=True)
    )


def _exact(first: FloatArray, second: FloatArray) -> float:
    """Exact McNemar's p; 0 where values are neither 0 nor 1, so that the bootstrap's stands."""
    return mcnemar_exact(*discordant(first, second)) if is_binary(first) and is_binary(second) else 0.0


def _pair(comparison: Comparison, p: float, first: str, second: str) -> Pair:
    difference, low, high = (getattr(comparison.difference, name) for name in ("value", "low", "high"))
    if difference > 0:  # of second - first
        first, second = second, first
    else:
        difference, low, high = abs(difference), -high, -low
    return Pair(
        upper=first,
        lower=second,
        difference=difference,
        low=low,
        high=high,
        p_value=p,
        separated=not math.isnan(p) and p < LEVEL and difference > 0,
    )
