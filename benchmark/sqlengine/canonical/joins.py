"""Rules for joins: outer joins that are inner, joins that add nothing, a table joined with itself, equal columns.

Promises: the same bag of rows on every database that honours the schema's keys, NOT NULL and foreign keys.
"""

from __future__ import annotations

from dataclasses import replace

from benchmark.sqlengine.canonical.blocks import has_own_aggregates, outside_aggregates
from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import (
    FALSE,
    NULL,
    Block,
    E,
    Outer,
    Query,
    Source,
    aliases,
    columns,
    key,
    substitute,
)
from benchmark.sqlengine.canonical.nulls import rejects_null


def outer_join_that_is_inner(block: Block, context: Context) -> Query:
    """A LEFT JOIN whose missing rows the WHERE turns away, or for which a foreign key rules them out, is a JOIN."""
    for join in block.outer:
        alias = join.source.alias
        if any(rejects_null(e, alias) for e in block.where) or _always_matches(join, block, context):
            rest = tuple(other for other in block.outer if other is not join)
            context.outer.discard(alias)
            return replace(block, sources=(*block.sources, join.source), outer=rest, where=(*block.where, *join.on))
    return block


def _always_matches(join: Outer, block: Block, context: Context) -> bool:
    """Whether the conditions are one foreign key of an inner source that is never NULL."""
    pairs = [_sides(e, join.source.alias) for e in join.on]
    if not pairs or not isinstance(join.source.of, str) or None in pairs:
        return False
    inner = {source.alias for source in block.sources if isinstance(source.of, str)}
    for alias in inner & context.tables.keys():
        for foreign in context.tables[alias].foreign_keys:
            wanted = {(("col", alias, a), b) for a, b in zip(foreign.columns, foreign.references, strict=True)}
            found = {(pair[0], pair[1][2]) for pair in pairs if pair}
            if wanted == found and foreign.table == join.source.of and all(context.not_null(e) for e, _ in wanted):
                return True
    return False


def _sides(e: E, alias: str) -> tuple[E, E] | None:
    """An equality as (other side, column of `alias`)."""
    if e[0] != "=":
        return None
    for own, other in ((e[1], e[2]), (e[2], e[1])):
        if own[0] == "col" and own[1] == alias and alias not in aliases(other):
            return other, own
    return None


def outer_join_for_nothing(block: Block, context: Context) -> Query:
    """A LEFT JOIN that matches one row at most, and whose columns nobody reads, adds nothing."""
    for join in block.outer:
        alias = join.source.alias
        rest = replace(block, outer=tuple(other for other in block.outer if other is not join))
        if alias in aliases(rest):
            continue
        equal = {pair[1] for e in join.on if (pair := _sides(e, alias))}
        if any(found <= equal for found in context.keys(alias)):
            return rest
    return block


def outer_join_that_never_matches(block: Block, context: Context) -> Query:
    """A LEFT JOIN ON FALSE gives NULLs."""
    for join in block.outer:
        if FALSE in join.on or _is_empty(join.source.of):
            rest = replace(block, outer=tuple(other for other in block.outer if other is not join))
            gone = {e: NULL for e in columns(rest) if e[1] == join.source.alias}
            made: Query = substitute(rest, gone)
            return made
    return block


def _is_empty(query: str | Query) -> bool:
    return isinstance(query, Block) and FALSE in query.where and query.group is None


def parent_for_nothing(block: Block, context: Context) -> Query:
    """A join along a foreign key to a row that nobody reads only asks that the foreign key is not NULL."""
    place = {e: i for i, group in enumerate(equal_groups(block, context)) for e in group}
    for parent in block.sources:
        for known in _children_of(parent, block, context):
            if all(a in place and place[a] == place.get(b) for a, b in known.items()):
                sources = tuple(source for source in block.sources if source is not parent)
                rest: Query = substitute(replace(block, sources=sources), known)
                if parent.alias not in aliases(rest):
                    return rest
    return block


def _children_of(parent: Source, block: Block, context: Context) -> list[dict[E, E]]:
    """For each foreign key of another inner source to a key of `parent`: its key's columns and what refers to them."""
    found = []
    table = context.tables.get(parent.alias)
    for child in block.sources:
        if child is parent or child.alias not in context.tables or table is None:
            continue
        for foreign in context.tables[child.alias].foreign_keys:
            if foreign.table == parent.of and frozenset(foreign.references) in table.uniques:
                pairs = zip(foreign.references, foreign.columns, strict=True)
                found.append({("col", parent.alias, b): ("col", child.alias, a) for b, a in pairs})
    return found


def same_row_twice(block: Block, context: Context) -> Query:
    """A table joined with itself on a key is the table once."""
    groups = equal_groups(block, context)
    place = {e: i for i, group in enumerate(groups) for e in group}
    for i, first in enumerate(block.sources):
        for second in block.sources[i + 1 :]:
            if not isinstance(first.of, str) or first.of != second.of:
                continue
            for found in context.keys(first.alias):
                twins = [(e, ("col", second.alias, e[2])) for e in found]
                if found and all(a in place and place[a] == place.get(b) for a, b in twins):
                    return _unite(block, first.alias, second.alias)
    return block


def _unite(block: Block, kept: str, gone: str) -> Query:
    sources = tuple(source for source in block.sources if source.alias != gone)
    known = {e: ("col", kept, e[2]) for e in columns(block) if e[1] == gone}
    made: Query = substitute(replace(block, sources=sources), known)
    return made


def equal_groups(block: Block, context: Context) -> list[set[E]]:
    """Columns of inner sources, and literals, that the WHERE makes equal; only where equal means the same value."""
    inner = {source.alias for source in block.sources}
    groups: list[set[E]] = []
    for e in block.where:
        if e[0] != "=" or e[1] == e[2] or not all(_stands_for_itself(x, inner, context) for x in e[1:]):
            continue
        a, b = e[1:]
        literal = not context.mixed and (_fits(a, b, context) or _fits(b, a, context))
        if not (literal or context.same_kind(a, b)):
            continue
        touched = [group for group in groups if a in group or b in group]
        groups = [group for group in groups if group not in touched] + [{a, b}.union(*touched)]
    return groups


def _stands_for_itself(e: E, inner: set[str], context: Context) -> bool:
    return e[0] in ("num", "str") or (e[0] == "col" and e[1] in inner and context.plain(e))


def _fits(column: E, literal: E, context: Context) -> bool:
    """Whether a column that equals a literal is that literal."""
    if column[0] != "col":
        return False
    wanted = {"integer": "num", "text": "str"}.get(context.kind(column))
    return literal[0] == wanted and (wanted == "str" or literal[1].lstrip("-").isdigit())


def equal_columns(block: Block, context: Context) -> Query:
    """What is equal to a literal, or to another column, is written as that everywhere but in the equality itself."""
    groups = equal_groups(block, context)
    if not groups or _may_be_of_nothing(block):
        return block
    known: dict[E, E] = {}
    kept: list[E] = []
    for group in groups:
        literals = sorted((e for e in group if e[0] != "col"), key=key)
        if len(literals) > 1:
            return replace(block, where=(FALSE,))
        chosen = literals[0] if literals else min(group, key=key)
        for e in sorted(group - {chosen}, key=key):
            known[e] = chosen
            kept.append(("=", *sorted((chosen, e), key=key)))
    members = set().union(*groups)
    others = [e for e in block.where if not (e[0] == "=" and e[1] != e[2] and e[1] in members and e[2] in members)]
    rest: Query = substitute(replace(block, where=tuple(others)), known)
    if not isinstance(rest, Block):
        return rest
    return replace(rest, where=tuple(dict.fromkeys((*rest.where, *kept))))


def _may_be_of_nothing(block: Block) -> bool:
    """Whether a block gives a row even of no rows, and reads a column in it: that is NULL then, whatever it equals."""
    if block.group is not None or not has_own_aggregates(block):
        return False
    return any(outside_aggregates(e) for e in (*block.select, *block.having, *(k.value for k in block.order)))
