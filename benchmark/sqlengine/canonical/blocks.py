"""What is certain about a whole SELECT: whether it groups, what its columns determine, whether its answer is arbitrary.

Promises: as in `facts.py`: yes only where it is certain on every database that honours the schema.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmark.sqlengine.canonical.expressions import has_aggregate, has_window, is_aggregate
from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import LEAVES, Block, E, Outer, columns


def has_own_aggregates(block: Block) -> bool:
    """Whether a block groups, with or without GROUP BY."""
    return block.group is not None or any(
        map(has_aggregate, (*block.select, *block.having, *(k.value for k in block.order)))
    )


def has_windows(block: Block) -> bool:
    """Whether a window function is in the select list or the order."""
    return any(map(has_window, (*block.select, *(k.value for k in block.order))))


def is_simple(block: Block) -> bool:
    """Whether a block only joins, filters and projects."""
    return not (block.distinct or block.limited or block.having or has_own_aggregates(block) or has_windows(block))


def closure(start: Iterable[E], block: Block, context: Context) -> set[E]:
    """The columns (and other expressions) determined by `start` within one row of a block's join: keys, equalities."""
    known = set(start)
    rules = [(key, source.alias) for source in block.sources for key in context.keys(source.alias)]
    rules += [(key, join.source.alias) for join in block.outer for key in context.keys(join.source.alias)]
    equal = [e for e in block.where if e[0] == "="]
    mentioned = set(columns(block))
    grown = True
    while grown:
        before = len(known)
        for _, a, b in equal:
            for x, y in ((a, b), (b, a)):
                literal = x[0] in ("num", "str")
                if literal or (x in known and context.same_kind(a, b)):
                    known.add(y)
        for join in block.outer:
            if _fixed(join, known, context):
                known |= {e for e in mentioned if e[1] == join.source.alias}
        for found, alias in rules:
            if found <= known:
                known |= {e for e in mentioned if e[1] == alias} | found
                table = context.tables.get(alias)
                if table:
                    known |= {("col", alias, column.name.lower()) for column in table.columns}
        grown = len(known) > before
    return known


def _fixed(join: Outer, known: set[E], context: Context) -> bool:
    """Whether the matching row of a LEFT JOIN is determined: its key equals what is known, and no more is asked."""
    alias = join.source.alias
    if any(e not in known for condition in join.on for e in columns(condition) if e[1] != alias):
        return False
    equal = set()
    for e in join.on:
        if e[0] == "=":
            equal |= {
                a
                for a, b in ((e[1], e[2]), (e[2], e[1]))
                if a[0] == "col" and a[1] == alias and not any(c[1] == alias for c in columns(b))
            }
    return any(found <= equal for found in context.keys(alias))


def is_arbitrary(block: Block, context: Context) -> bool:
    """Whether a grouped block reads a column, outside its aggregates, that its groups do not determine."""
    if not has_own_aggregates(block):
        return False
    own = {source.alias for source in block.sources} | {join.source.alias for join in block.outer}
    group = list(block.group or ())
    items = (*block.select, *block.having, *(k.value for k in block.order))
    loose = {e for item in items for e in outside_aggregates(item, group) if e[1] in own}
    return bool(loose) and not loose <= closure(group, block, context)


def outside_aggregates(item: Any, grouped: list[E] | None = None) -> list[E]:
    """The columns of an expression that are in no aggregate and in no grouped expression."""
    if grouped and item in grouped:
        return []
    if not isinstance(item, tuple):
        return list(columns(item))
    if item[0] == "col":
        return [item]
    if item[0] in LEAVES or is_aggregate(item):
        return []
    return [e for x in item[1:] for e in outside_aggregates(x, grouped)]
