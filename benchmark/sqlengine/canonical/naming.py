"""The last step: aliases and orders that do not depend on how a statement was written.

Promises: two forms that differ only in aliases, in the order of sources, of conditions or of a union's branches become
one. Tables that occur twice are tried in every order, and the least text wins; beyond `_MOST_ORDERS` they stay as
they are, which can lose a proof but never make a wrong one.
Does not: change what is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, islice, permutations, product
from typing import Any

from benchmark.sqlengine.canonical.blocks import is_arbitrary
from benchmark.sqlengine.canonical.facts import Context, rename
from benchmark.sqlengine.canonical.grouping import grouped_by_key
from benchmark.sqlengine.canonical.ir import (
    LEAVES,
    Block,
    E,
    Key,
    Outer,
    Query,
    SetOp,
    Source,
    aliases,
    is_query,
    key,
    map_query,
    sort_expressions,
    substitute,
    width,
)
from benchmark.sqlengine.canonical.joins import equal_columns
from benchmark.sqlengine.canonical.merging import alike

_MOST_ORDERS = 24
_COMMUTATIVE = frozenset({"=", "<>", "is", "isnt", "+", "*"})


def named(query: Query, context: Context, depth: int = 0, *, free: bool = False) -> Query:
    """The query under canonical names. `free`: its columns may change places."""
    if isinstance(query, SetOp):
        return _named_branches(query, context, depth, free=free)
    query = replace(query, names=())
    found = [_settled(block, context, depth, free=free) for block in _orders(_inner_first(query, context, depth))]
    return found[0] if len(found) == 1 else min(found, key=repr)


def _inner_first(block: Block, context: Context, depth: int) -> Block:
    """Derived tables named; they see nothing around them."""
    return replace(
        block,
        sources=tuple(_named_source(source, context, depth) for source in block.sources),
        outer=tuple(Outer(_named_source(join.source, context, depth), join.on) for join in block.outer),
    )


def _named_source(source: Source, context: Context, depth: int) -> Source:
    return source if isinstance(source.of, str) else Source(source.alias, named(source.of, context, depth + 1))


def _orders(block: Block) -> Iterator[Block]:
    """The block with its inner sources in every order that their texts leave open."""
    ranked = sorted(block.sources, key=lambda source: repr(source.of))
    ties = [list(group) for _, group in groupby(ranked, key=lambda source: repr(source.of))]
    choices = product(*(permutations(group) for group in ties))
    for choice in islice(choices, _MOST_ORDERS):
        yield replace(block, sources=tuple(source for group in choice for source in group))


def _settled(block: Block, context: Context, depth: int, *, free: bool) -> Block:
    """A block whose sources are in their final order: names given, and everything else sorted by them."""
    letter = chr(ord("a") + depth % 26)
    local = Context(context.dialect, {}, mixed=context.mixed)
    known: dict[str, str] = {}
    for source in block.sources:
        known[source.alias] = f"{letter}{len(known) + 1}"
    ordered: list[Outer] = []
    waiting = list(block.outer)
    while waiting:
        names = {join.source.alias for join in waiting}
        ready = [j for j in waiting if not (names - {j.source.alias}) & aliases(("and", *j.on))] or waiting
        first = min(ready, key=lambda join: _masked(join, known))
        waiting.remove(first)
        ordered.append(first)
        known[first.source.alias] = f"{letter}{len(known) + 1}"
    for source in (*block.sources, *(join.source for join in ordered)):
        if source.alias in context.tables:
            local.tables[known[source.alias]] = context.tables[source.alias]
        if not isinstance(source.of, str):
            local.derived[known[source.alias]] = source.of
    local.outer |= {known[join.source.alias] for join in ordered}
    block = rename(replace(block, outer=tuple(ordered)), known)
    block = _sorted_block(block, context, depth)
    chosen = equal_columns(block, local)
    if not isinstance(chosen, Block):
        return block
    if chosen.group is not None and not is_arbitrary(chosen, local):
        grouped = grouped_by_key(chosen, local)
        chosen = grouped if isinstance(grouped, Block) else chosen
    chosen = _sorted_block(chosen, context, depth)
    return replace(chosen, select=tuple(sorted(chosen.select, key=key))) if free else chosen


def _masked(join: Outer, known: dict[str, str]) -> str:
    """What a LEFT JOIN says, with names that are given already and `?` for its own."""
    names = {**known, join.source.alias: "?"}
    on = tuple(_masked_names(e, names) for e in join.on)
    return repr((join.source.of, sorted(map(key, on))))


def _masked_names(e: E, names: dict[str, str]) -> E:
    known = {("col", alias, name): ("col", names.get(alias, alias), name) for alias, name in _columns(e)}
    changed: E = substitute(e, known)
    return changed


def _columns(e: Any) -> set[tuple[str, str]]:
    if isinstance(e, tuple):
        if e[0] == "col":
            return {(e[1], e[2])}
        return set() if e[0] in LEAVES else {pair for x in e[1:] for pair in _columns(x)}
    return set()


def _sorted_block(block: Block, context: Context, depth: int) -> Block:
    changed = map_query(block, lambda e: _sorted(e, context, depth), lambda q: q)
    if not isinstance(changed, Block):
        return block
    return replace(
        changed,
        where=sort_expressions(changed.where),
        having=sort_expressions(changed.having),
        group=None if changed.group is None else sort_expressions(changed.group),
        outer=tuple(Outer(join.source, sort_expressions(join.on)) for join in changed.outer),
    )


def _sorted(e: Any, context: Context, depth: int) -> Any:
    """An expression with the operands of what commutes in the order of their texts, nested queries named."""
    if is_query(e):
        return named(e, context, depth + 1)
    if e[0] in LEAVES:
        return e
    made = (e[0], *(_sorted(x, context, depth) for x in e[1:]))
    if made[0] in ("and", "or"):
        return (made[0], *sort_expressions(made[1:]))
    if made[0] in _COMMUTATIVE and len(made) == 3 and key(made[2]) < key(made[1]):
        return (made[0], made[2], made[1])
    return made


def _named_branches(query: SetOp, context: Context, depth: int, *, free: bool) -> SetOp:
    branches = [named(branch, context, depth) for branch in query.branches]
    order = query.order
    wide = width(branches[0])
    if free and not any(isinstance(branch, SetOp) for branch in branches):
        blocks = [branch for branch in branches if isinstance(branch, Block)]
        places = sorted(range(wide), key=lambda i: sorted(key(block.select[i]) for block in blocks))
        branches = [replace(block, select=tuple(block.select[i] for i in places)) for block in blocks]
        order = tuple(Key(("num", str(places.index(int(k.value[1]) - 1) + 1)), k.desc, k.nulls_first) for k in order)
    if query.kind in ("union", "intersect") and (depth == 0 or alike(query, context)):
        branches.sort(key=repr)
    return replace(query, branches=tuple(branches), order=order, names=())
