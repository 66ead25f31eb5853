"""Rules for GROUP BY, HAVING, DISTINCT and aggregates, most of them by what a key determines.

Promises: the same bag of rows. A block that reads a column which its groups do not determine is left as it is: what it
answers is the engine's choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmark.sqlengine.canonical.blocks import closure, has_own_aggregates, has_windows, is_simple, outside_aggregates
from benchmark.sqlengine.canonical.expressions import has_aggregate, is_aggregate
from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import (
    LEAVES,
    NULL,
    Block,
    E,
    Key,
    Query,
    Source,
    columns,
    holds_query,
    key,
    walk,
)
from benchmark.sqlengine.canonical.merging import no_duplicates

_CONSTANTS = frozenset({"num", "str", "null", "bool"})
_STAR: E = ("count", ("star",))


def having_as_where(block: Block, context: Context) -> Query:
    """A condition on the group's own columns can be asked of the rows."""
    if not block.group:
        return block
    known = set(block.group)
    moved = tuple(
        e for e in block.having
        if not has_aggregate(e) and set(outside_aggregates(e, list(block.group))) <= known and not holds_query(e)
    )  # fmt: skip
    if not moved:
        return block
    having = tuple(e for e in block.having if e not in moved)
    return replace(block, having=having, where=(*block.where, *moved))


def rows_in_a_group(block: Block, context: Context) -> Query:
    """A group has a row at least: HAVING COUNT(*) >= 1 asks nothing."""
    if not block.group:
        return block
    always = [e for e in block.having if e[0] == "<=" and e[2] == _STAR and e[1] in (("num", "1"), ("num", "0"))]
    return replace(block, having=tuple(e for e in block.having if e not in always)) if always else block


def grouped_by_key(block: Block, context: Context) -> Query:
    """What the rest of the group's columns determine does not split it: GROUP BY id, name is GROUP BY id."""
    if block.group is None:
        return block
    kept = [e for e in dict.fromkeys(block.group) if e[0] not in _CONSTANTS]
    known = closure(kept, block, context)
    candidates = set(kept)
    for source in (*block.sources, *(join.source for join in block.outer)):
        found = sorted(
            (sorted(k, key=key) for k in context.keys(source.alias) if k <= known), key=lambda k: [*map(key, k)]
        )
        candidates |= set(found[0]) if found else set()
    fixed = closure((), block, context)
    chosen = sorted(candidates - fixed, key=key, reverse=True)
    for e in list(chosen):
        rest = [x for x in chosen if x != e]
        determined = closure(rest, block, context)
        if e in determined or (e[0] != "col" and set(columns(e)) <= determined and not holds_query(e)):
            chosen = rest
    made = tuple(sorted(chosen, key=key))
    return replace(block, group=made) if made != block.group else block


def group_without_aggregates(block: Block, context: Context) -> Query:
    """GROUP BY without aggregates is DISTINCT where all of the group is selected, and nothing where rows are groups."""
    if block.group is None or block.having or has_windows(block):
        return block
    if any(map(has_aggregate, (*block.select, *(k.value for k in block.order)))):
        return block
    if block.sources and no_duplicates(block, context, block.group):
        return replace(block, group=None)
    if block.group and set(block.group) <= closure(block.select, block, context):
        return replace(block, group=None, distinct=True)
    return block


def aggregates_of_one_row(block: Block, context: Context) -> Query:
    """Where each group is one row, SUM(x), MIN(x) and MAX(x) are x, and COUNT(*) is 1."""
    if not block.group or not block.sources or context.mixed or has_windows(block):
        return block
    if not no_duplicates(block, context, block.group):
        return block
    changed = _map_values(block, lambda e: _of_one_row(e, context))
    rest = (*changed.select, *changed.having, *(k.value for k in changed.order))
    if any(map(has_aggregate, rest)):
        return block
    return replace(changed, group=None, having=(), where=(*block.where, *changed.having))


def _map_values(block: Block, change: Callable[[E], E]) -> Block:
    """A block with what it selects, asks of its groups and orders by changed."""
    return replace(
        block,
        select=tuple(map(change, block.select)),
        having=tuple(map(change, block.having)),
        order=tuple(Key(change(k.value), k.desc, k.nulls_first) for k in block.order),
    )


def _of_one_row(e: Any, context: Context) -> Any:
    if not isinstance(e, tuple) or e[0] in LEAVES:
        return e
    name = e[0].split(" ")[0]
    if name in ("min", "max") or (name == "sum" and context.kind(e[1]) in ("integer", "real")):
        return e[1]
    if name == "count":
        return ("num", "1") if e[1][0] == "star" else ("case", ("num", "0"), ("isnt", e[1], NULL), ("num", "1"))
    if is_aggregate(e) or e[0].startswith("Window:"):
        return e
    return (e[0], *(_of_one_row(x, context) for x in e[1:]))


def needless_distinct(block: Block, context: Context) -> Query:
    """DISTINCT on rows that a key, or their groups, tell apart already."""
    if not block.distinct:
        return block
    if block.group is not None:
        done = set(block.group) <= closure(block.select, block, context)
    elif has_own_aggregates(block):
        done = True
    else:
        done = no_duplicates(block, context, block.select)
    return replace(block, distinct=False) if done else block


def distinct_inside(block: Block, context: Context) -> Query:
    """Under a DISTINCT, or where the result has no duplicates, a derived table's own DISTINCT moves outward."""
    if has_own_aggregates(block) or has_windows(block) or block.limited:
        return block
    for place, source in enumerate(block.sources):
        inner = source.of
        if not isinstance(inner, Block) or not inner.distinct or inner.limited or has_own_aggregates(inner):
            continue
        if block.distinct or (len(block.sources) > 1 and no_duplicates(block, context, block.select)):
            bare = Source(source.alias, replace(inner, distinct=False))
            context.derived[source.alias] = bare.of if isinstance(bare.of, Block) else inner  # no key any more
            return replace(block, distinct=True, sources=(*block.sources[:place], bare, *block.sources[place + 1 :]))
    return block


def count_of_distinct(block: Block, context: Context) -> Query:
    """COUNT(*) FROM (SELECT DISTINCT x …) is COUNT(DISTINCT x) where x is never NULL."""
    if block.select != (_STAR,) or block.group is not None or block.where or block.outer or len(block.sources) != 1:
        return block
    inner = block.sources[0].of
    if not isinstance(inner, Block) or not inner.distinct or not is_simple(replace(inner, distinct=False)):
        return block
    if len(inner.select) != 1 or not context.not_null(inner.select[0]) or block.having or block.limited or block.order:
        return block
    return replace(inner, distinct=False, select=(("count distinct", inner.select[0]),), order=(), names=block.names)


def aggregates_of_distinct(block: Block, context: Context) -> Query:
    """COUNT(DISTINCT x) and SUM(DISTINCT x) where a key says that no two rows of a group share x."""
    items = (*block.select, *block.having, *(k.value for k in block.order))
    found = {e for item in items for e in walk(item) if e[0].endswith(" distinct")}
    unique = {e for e in found if block.sources and no_duplicates(block, context, (*(block.group or ()), e[1]))}
    if not unique:
        return block
    known = {e: (e[0].split(" ")[0], e[1]) for e in unique}

    def plain(e: Any) -> Any:
        if not isinstance(e, tuple) or e[0] in LEAVES:
            return e
        return known[e] if e in known else (e[0], *map(plain, e[1:]))

    return _map_values(block, plain)
