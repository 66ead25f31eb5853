"""Rules for UNION and UNION ALL.

Promises: the same bag of rows; branches may change places, because no order is promised without ORDER BY.
"""

from __future__ import annotations

from dataclasses import replace

from benchmark.sqlengine.canonical.blocks import has_own_aggregates, has_windows
from benchmark.sqlengine.canonical.facts import Context, rename
from benchmark.sqlengine.canonical.ir import FALSE, Block, Query, SetOp, all_of
from benchmark.sqlengine.canonical.ranges import contradictory


def flat_union(query: SetOp, context: Context) -> Query:
    """UNION is associative; inside a UNION, ALL and DISTINCT do not matter; a branch of nothing goes."""
    if query.kind != "union":
        return query
    found: list[Query] = []
    for branch in query.branches:
        nested = isinstance(branch, SetOp) and branch.kind == "union" and not branch.limited and not branch.order
        found += (
            branch.branches if isinstance(branch, SetOp) and nested and (branch.all or not query.all) else (branch,)
        )
    if not query.all:
        found = [replace(b, distinct=False) if isinstance(b, Block) and not b.limited else b for b in found]
    found = [b for b in found if not _is_nothing(b)] or found[:1]
    if not query.all:
        found = list(dict.fromkeys(found))
    if len(found) == 1 and not query.order and not query.limited:
        only = found[0]
        if query.all or isinstance(only, SetOp):
            return only
        return replace(only, distinct=True) if not only.limited else replace(query, branches=(only, only))
    return replace(query, branches=tuple(found)) if tuple(found) != query.branches and len(found) > 1 else query


def _is_nothing(query: Query) -> bool:
    return isinstance(query, Block) and query.where == (FALSE,) and not query.sources and not has_own_aggregates(query)


def union_as_or(query: SetOp, context: Context) -> Query:
    """Branches that differ in their WHERE only are one query with OR: under UNION, or where no row passes twice."""
    if query.kind != "union" or query.order or query.limited:
        return query
    for i, first in enumerate(query.branches):
        for j in range(i + 1, len(query.branches)):
            merged = _merged(first, query.branches[j], context, disjoint=query.all)
            if merged is None:
                continue
            rest = (*query.branches[:i], *query.branches[i + 1 : j], *query.branches[j + 1 :])
            if rest:
                return replace(query, branches=(merged, *rest))
            return merged if query.all else replace(merged, distinct=True)
    return query


def _merged(first: Query, second: Query, context: Context, *, disjoint: bool) -> Block | None:
    if not isinstance(first, Block) or not isinstance(second, Block):
        return None
    for branch in (first, second):
        if branch.limited or branch.outer or branch.distinct or has_own_aggregates(branch) or has_windows(branch):
            return None
    tables = [source.of for source in first.sources]
    if len(set(tables)) < len(tables) or sorted(map(str, tables)) != sorted(str(s.of) for s in second.sources):
        return None
    if not all(isinstance(of, str) for of in tables) or not tables:
        return None
    known = {s.alias: next(f.alias for f in first.sources if f.of == s.of) for s in second.sources}
    aligned = rename(second, known)
    if aligned.select != first.select:
        return None
    if disjoint and not contradictory((*first.where, *aligned.where), context):
        return None
    shared = tuple(e for e in first.where if e in aligned.where)
    left, right = (all_of([e for e in b.where if e not in shared]) for b in (first, aligned))
    return replace(first, where=(*shared, ("or", left, right)), order=())
