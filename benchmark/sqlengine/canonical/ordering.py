"""Rules for ORDER BY, LIMIT and OFFSET.

Promises: the same rows in the same order, up to the ties that the keys leave open.
"""

from __future__ import annotations

from dataclasses import replace

from benchmark.sqlengine.canonical.blocks import closure, has_own_aggregates
from benchmark.sqlengine.canonical.expressions import has_aggregate
from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import Block, E, Key, Query, SetOp
from benchmark.sqlengine.canonical.predicates import number


def unordered(query: Query) -> Query:
    """A query of which only the bag of rows counts: its ORDER BY goes, unless a LIMIT needs it."""
    return replace(query, order=()) if query.order and not query.limited else query


def needless_keys(query: Query, context: Context) -> Query:
    """A key that is constant, or that earlier keys determine, decides nothing."""
    if not query.order:
        return query
    kept: list[Key] = []
    for item in query.order:
        default = Key(item.value, item.desc, not item.desc)
        item = default if context.not_null(item.value) and isinstance(query, Block) else item
        before: list[E] = [k.value for k in kept]
        if item.value in before or (isinstance(query, Block) and item.value[0] in ("num", "str", "null", "bool")):
            continue
        if isinstance(query, Block) and kept and _decided(item.value, before, query, context):
            continue
        kept.append(item)
    order = tuple(kept)
    return replace(query, order=order) if order != query.order else query


def _decided(value: E, before: list[E], block: Block, context: Context) -> bool:
    known = closure(before, block, context)
    if block.group is not None:
        return bool(block.group) and set(block.group) <= known
    return not has_aggregate(value) and value in known


def limits(query: Query, context: Context) -> Query:
    """OFFSET 0 is none, a negative LIMIT is none in SQLite, and one row needs neither order nor LIMIT."""
    if query.offset == ("num", "0"):
        query = replace(query, offset=None)
    if (
        query.limit is not None
        and context.dialect == "sqlite"
        and query.limit[0] == "num"
        and query.limit[1].startswith("-")
    ):
        query = replace(query, limit=None)
    if isinstance(query, SetOp) or query.group is not None or not has_own_aggregates(query):
        return query
    value = number(query.limit) if query.limit is not None and query.limit[0] == "num" else None
    if query.offset is None and (query.limit is None or (value is not None and value >= 1)):
        return replace(query, order=(), limit=None)
    return query
