"""Rules for IN, EXISTS, INTERSECT and EXCEPT: all of them are semi-joins or anti-joins, and some are joins.

Promises: as everywhere, the same bag of rows. IN becomes EXISTS only where NULL and FALSE count alike, and NOT IN only
where neither side can be NULL.
"""

from __future__ import annotations

from dataclasses import replace

from benchmark.sqlengine.canonical.blocks import has_own_aggregates, has_windows, is_simple
from benchmark.sqlengine.canonical.expressions import has_aggregate
from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import NULL, TRUE, Block, E, Query, SetOp, aliases, all_of, columns, substitute
from benchmark.sqlengine.canonical.merging import no_duplicates

_ONE: E = ("num", "1")


def in_as_exists(block: Block, context: Context) -> Query:
    """x IN (SELECT y …) in a WHERE is EXISTS (SELECT 1 … AND x = y)."""
    where = tuple(_exists_of(e, context) or e for e in block.where)
    return replace(block, where=where) if where != block.where else block


def _exists_of(e: E, context: Context) -> E | None:
    if e[0] == "or":
        parts = tuple(_exists_of(x, context) or x for x in e[1:])
        return ("or", *parts) if parts != e[1:] else None
    if e[0] == "insub":
        inner = _membership(e, context)
        return ("exists", inner) if inner else None
    if e[0] == "not" and e[1][0] == "insub":
        query, sides = e[1][1], e[1][2:]
        if isinstance(query, Block) and all(map(context.not_null, (*sides, *query.select))):
            inner = _membership(e[1], context)
            return ("not", ("exists", inner)) if inner else None
    return None


def _membership(e: E, context: Context) -> Block | None:
    """The rows of a subquery that equal the left side."""
    query, sides = e[1], e[2:]
    if not isinstance(query, Block) or query.limited or has_own_aggregates(query) or has_windows(query):
        return None
    if len(sides) != len(query.select):
        return None
    equal = tuple(("=", side, own) for side, own in zip(sides, query.select, strict=True))
    return Block((_ONE,), query.sources, query.outer, (*query.where, *equal))


def bare_exists(e: E, context: Context) -> E | None:
    """What EXISTS selects, orders, groups and limits does not matter."""
    if e[0] not in ("exists", "insub") or not isinstance(e[1], Block):
        return None
    query = e[1]
    if query.distinct and not query.limited:
        query = replace(query, distinct=False)
    if e[0] == "insub":
        return ("insub", query, *e[2:]) if query is not e[1] else None
    if query.offset is not None or (query.limit is not None and not _positive(query.limit)) or query.having:
        return None
    if query.group is None and any(map(has_aggregate, query.select)):
        return TRUE
    made = Block((_ONE,), query.sources, query.outer, query.where)
    return ("exists", made) if made != e[1] else None


def _positive(e: E) -> bool:
    return e[0] == "num" and e[1].isdigit() and int(e[1]) > 0


def exists_as_join(block: Block, context: Context) -> Query:
    """EXISTS is a join where it can match one row only, or where duplicates do not matter or cannot be."""
    if has_windows(block):
        return block
    for e in block.where:
        if e[0] != "exists" or not isinstance(e[1], Block) or not _mergeable(e[1], block):
            continue
        once = _matches_once(e[1], context)
        if once or (block.distinct and not has_own_aggregates(block)):
            return _joined(block, e)
        if is_simple(block) and not block.order and block.sources and no_duplicates(block, context, block.select):
            return replace(_joined(block, e), distinct=True)
    return block


def _mergeable(inner: Block, block: Block) -> bool:
    own = {source.alias for source in (*inner.sources, *(j.source for j in inner.outer))}
    there = {source.alias for source in (*block.sources, *(j.source for j in block.outer))}
    return is_simple(inner) and not own & there


def _joined(block: Block, e: E) -> Block:
    inner = e[1]
    where = tuple(other for other in block.where if other is not e)
    return replace(
        block,
        sources=(*block.sources, *inner.sources),
        outer=(*block.outer, *inner.outer),
        where=(*where, *inner.where),
    )


def _matches_once(inner: Block, context: Context) -> bool:
    """Whether the conditions fix a key of each source by what is outside."""
    fixed: list[E] = []
    own = {source.alias for source in inner.sources}
    for e in inner.where:
        if e[0] == "=":
            for a, b in ((e[1], e[2]), (e[2], e[1])):
                if a[0] == "col" and a[1] in own and not aliases(b) & own and not context.collated(a):
                    fixed.append(a)
    return bool(inner.sources) and not inner.outer and no_duplicates(inner, context, fixed)


def left_join_without_match(block: Block, context: Context) -> Query:
    """LEFT JOIN … WHERE its key IS NULL keeps the rows without a match: NOT EXISTS."""
    for join in block.outer:
        alias = join.source.alias
        tests = [e for e in block.where if e[0] == "is" and e[2] == NULL and e[1][0] == "col" and e[1][1] == alias]
        sure = [e for e in tests if alias in context.tables and context.tables[alias].not_null(e[1][2])]
        if not sure:
            continue
        where = tuple(e for e in block.where if e not in tests)
        rest = replace(block, outer=tuple(other for other in block.outer if other is not join), where=where)
        gone = {e: NULL for e in columns(rest) if e[1] == alias}
        unmatched = ("not", ("exists", Block((_ONE,), (join.source,), where=join.on)))
        made: Block = substitute(rest, gone)
        return replace(made, where=(*made.where, unmatched))
    return block


def same_row_exists(block: Block, context: Context) -> Query:
    """EXISTS (the row itself AND c) is c, and NOT EXISTS is NOT c, where a key says that it is the row itself."""
    for e in block.where:
        negated = e[0] == "not" and e[1][0] == "exists"
        inner = e[1][1] if negated else e[1] if e[0] == "exists" else None
        if not isinstance(inner, Block) or len(inner.sources) != 1 or not is_simple(inner) or inner.outer:
            continue
        condition = _on_itself(inner, block, context)
        if condition is None:
            continue
        if negated and not context.not_null(condition):
            continue
        where = tuple(other for other in block.where if other is not e)
        return replace(block, where=(*where, ("not", condition) if negated else condition))
    return block


def _on_itself(inner: Block, block: Block, context: Context) -> E | None:
    own = inner.sources[0]
    for twin in block.sources:
        if not isinstance(own.of, str) or twin.of != own.of or twin.alias == own.alias:
            continue
        for found in context.keys(own.alias):
            pairs = [("=", *sorted((e, ("col", twin.alias, e[2])))) for e in found]
            given = {(c[0], *sorted(c[1:])) if c[0] == "=" else c: c for c in inner.where}
            if found and all(pair in given for pair in pairs):
                rest = [c for c in inner.where if c not in [given[pair] for pair in pairs]]
                known = {e: ("col", twin.alias, e[2]) for e in columns(inner) if e[1] == own.alias}
                condition: E = substitute(all_of(rest), known)
                return condition
    return None


def set_operation_as_filter(query: SetOp, context: Context) -> Query:
    """a INTERSECT b and a EXCEPT b are SELECT DISTINCT a WHERE (NOT) EXISTS a row of b that IS the same."""
    if query.kind == "union" or query.all or len(query.branches) != 2:
        return query
    left, right = query.branches
    if not isinstance(left, Block) or not isinstance(right, Block) or query.order or query.limited:
        return query
    for branch in (left, right):
        if branch.limited or has_own_aggregates(branch) or has_windows(branch):
            return query
    pairs = list(zip(left.select, right.select, strict=True))
    if not all(
        context.kind(a) == context.kind(b) != "any" and not (context.collated(a) or context.collated(b))
        for a, b in pairs
    ):
        return query
    equal = [_same(a, b, context) for a, b in pairs]
    match: E = ("exists", Block((_ONE,), right.sources, right.outer, (*right.where, *equal)))
    kept = match if query.kind == "intersect" else ("not", match)
    return replace(left, distinct=True, where=(*left.where, kept), order=(), names=query.names)


def _same(a: E, b: E, context: Context) -> E:
    """IS, which is = where one side is never NULL."""
    return ("=", a, b) if context.not_null(a) or context.not_null(b) else ("is", a, b)
