"""Rules that take nested queries apart: derived tables merged, wrappers removed, empty results recognised.

Promises: the same bag of rows, and where a LIMIT cuts, the same rows may be cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from benchmark.sqlengine.canonical.blocks import closure, has_own_aggregates, has_windows, is_arbitrary, is_simple
from benchmark.sqlengine.canonical.expressions import has_aggregate
from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import (
    FALSE,
    NULL,
    Block,
    E,
    Key,
    Outer,
    Query,
    SetOp,
    Source,
    columns,
    holds_query,
    substitute,
    width,
)

_MOST_BRANCHES = 4


def merge_derived(block: Block, context: Context) -> Query:
    """A derived table that only joins, filters and projects becomes part of the query around it."""
    for source in block.sources:
        inner = source.of
        if not isinstance(inner, Block) or not is_simple(inner) or _holds_queries(inner.select):
            continue
        if inner.order and block.limited and not block.order:
            continue  # undefined, but the engines cut in the inner order
        sources = tuple(s for s in block.sources if s is not source) + inner.sources
        rest = replace(block, sources=sources, outer=(*inner.outer, *block.outer), where=(*inner.where, *block.where))
        made: Query = substitute(rest, _outputs(source.alias, inner))
        return made
    return block


def merge_outer_derived(block: Block, context: Context) -> Query:
    """The same on the right of a LEFT JOIN, for one filtered table of which only columns are read."""
    for place, join in enumerate(block.outer):
        inner = join.source.of
        if not isinstance(inner, Block) or not is_simple(inner) or len(inner.sources) != 1 or inner.outer:
            continue
        known = _outputs(join.source.alias, inner)
        read = [e for e in columns(block) if e[1] == join.source.alias]
        if any(known[e][0] != "col" or known[e][1] != inner.sources[0].alias for e in read):
            continue
        merged = Outer(inner.sources[0], (*inner.where, *join.on))
        context.outer.add(inner.sources[0].alias)
        joins = (*block.outer[:place], merged, *block.outer[place + 1 :])
        made: Query = substitute(replace(block, outer=joins), known)
        return made
    return block


def _outputs(alias: str, inner: Block) -> dict[E, E]:
    return {("col", alias, str(place)): e for place, e in enumerate(inner.select)}


def _holds_queries(items: Iterable[E]) -> bool:
    return any(map(holds_query, items))


def merge_wrapper(block: Block, context: Context) -> Query:
    """A query that only filters and projects a grouped, distinct or limited derived table is that table, adapted."""
    if len(block.sources) != 1 or block.outer or not isinstance(block.sources[0].of, Block):
        return block
    source, inner = block.sources[0], block.sources[0].of
    if block.distinct or has_own_aggregates(block) or has_windows(block) or _holds_queries(inner.select):
        return block
    if inner.order and block.limited and not block.order:
        return block
    if has_own_aggregates(inner) and _holds_queries((*block.select, *block.where, *(k.value for k in block.order))):
        return block
    known = _outputs(source.alias, inner)
    whole = substitute(block, known)
    if (_one_row(inner) and not any(map(has_aggregate, whole.select))) or is_arbitrary(inner, context):
        return block
    if inner.limited:
        if block.where or block.limited or (block.order and whole.order != inner.order):
            return block
        if inner.distinct and not _reads_all(block, source, inner):
            return block
        limited: Block = replace(inner, select=whole.select, names=block.names)
        return limited
    if inner.distinct and not _reads_all(block, source, inner):
        return block
    if block.where and (has_windows(inner) or (inner.group is None and has_own_aggregates(inner))):
        return block
    if inner.distinct and any(key.value not in whole.select for key in whole.order):
        return block
    made = replace(
        inner, select=whole.select, names=block.names, order=whole.order, limit=block.limit, offset=block.offset
    )
    if inner.group is not None:
        return replace(made, having=(*inner.having, *whole.where))
    return replace(made, where=(*inner.where, *whole.where))


def _reads_all(block: Block, source: Source, inner: Block) -> bool:
    """Whether every column of a derived table is in the select list: then DISTINCT before is DISTINCT after."""
    return {("col", source.alias, str(place)) for place in range(len(inner.select))} <= set(block.select)


def wrapped_set_operation(block: Block, context: Context) -> Query:
    """`SELECT * FROM (a UNION b)` is `a UNION b`, ordered as the outer query says."""
    if len(block.sources) != 1 or block.outer or not isinstance(block.sources[0].of, SetOp):
        return block
    source, inner = block.sources[0], block.sources[0].of
    identity = tuple(("col", source.alias, str(place)) for place in range(len(block.select)))
    if sorted(block.select) != sorted(identity) or block.where or block.distinct or block.group is not None:
        return block
    if inner.order and block.limited and not block.order:
        return block
    if inner.limited or len(identity) != width(inner) or block.having or (block.select != identity and block.order):
        return block
    if any(key.value not in identity for key in block.order):
        return block
    order = tuple(Key(("num", str(identity.index(k.value) + 1)), k.desc, k.nulls_first) for k in block.order)
    places = [int(e[2]) for e in block.select]
    branches = tuple(_permuted(branch, places) for branch in inner.branches)
    if None in branches:
        return block
    kept = [branch for branch in branches if branch is not None]
    return replace(inner, branches=tuple(kept), order=order, limit=block.limit, offset=block.offset, names=block.names)


def _permuted(query: Query, places: list[int]) -> Query | None:
    """A branch with its columns in another order."""
    if places == sorted(places):
        return query
    if isinstance(query, SetOp):
        branches = [_permuted(branch, places) for branch in query.branches]
        if query.order or query.limited or None in branches:
            return None
        return replace(query, branches=tuple(branch for branch in branches if branch is not None))
    names = tuple(query.names[place] for place in places) if query.names else ()
    return replace(query, select=tuple(query.select[place] for place in places), names=names)


def push_into_union_all(block: Block, context: Context) -> Query:
    """A filter, projection or join of a UNION ALL is the UNION ALL of its branches' filters, projections and joins."""
    if not is_simple(block) or block.order or _holds_queries((*block.select, *block.where)):
        return block
    for place, source in enumerate(block.sources):
        inner = source.of
        if not isinstance(inner, SetOp) or not inner.all or inner.kind != "union" or inner.limited:
            continue
        if not alike(inner, context):
            continue
        if len(inner.branches) > _MOST_BRANCHES or any(
            not isinstance(s.of, str) for s in block.sources if s is not source
        ):
            continue
        branches = []
        for branch in inner.branches:
            sources = (*block.sources[:place], Source(source.alias, branch), *block.sources[place + 1 :])
            branches.append(context.renamed(replace(block, sources=sources)))
        return SetOp("union", True, tuple(branches), names=block.names)
    return block


def alike(query: SetOp, context: Context) -> bool:
    """Whether each column is of one known kind in all branches: then no branch's values are converted to another's."""
    blocks = [branch for branch in query.branches if isinstance(branch, Block)]
    kinds = [{context.kind(block.select[place]) for block in blocks} for place in range(width(query))]
    return len(blocks) == len(query.branches) and all(len(found) == 1 and found != {"any"} for found in kinds)


def empty_result(block: Block, context: Context) -> Query:
    """Nothing comes of a condition that is never true, or of a join with nothing; all such queries are one."""
    empty = FALSE in block.where or FALSE in block.having
    empty = empty or any(isinstance(s.of, Block) and FALSE in s.of.where and not _one_row(s.of) for s in block.sources)
    if block.limit == ("num", "0"):
        return Block(tuple(NULL for _ in block.select), where=(FALSE,), names=block.names)
    if not empty:
        return block
    if not _one_row(block):
        return Block(tuple(NULL for _ in block.select), where=(FALSE,), names=block.names)
    if FALSE in block.where and (block.sources or block.outer):
        gone = dict.fromkeys(columns(block), NULL)
        made: Block = substitute(replace(block, sources=(), outer=(), where=(FALSE,)), gone)
        return replace(made, order=())
    return block


def _one_row(block: Block) -> bool:
    """Whether a block has an aggregate and no GROUP BY: it gives a row even of nothing."""
    return block.group is None and any(map(has_aggregate, (*block.select, *block.having)))


def no_duplicates(block: Block, context: Context, start: Iterable[E]) -> bool:
    """Whether rows of a block's join that agree on `start` are one row."""
    known = closure(start, block, context)
    joined = (*block.sources, *(join.source for join in block.outer))
    return all(any(found <= known for found in context.keys(source.alias)) for source in joined)
