"""What is certain about expressions: never NULL, of which kind, rejecting NULLs, determined by which columns.

Promises: `False` or `any` wherever it is not certain. Facts hold for every database that honours the schema: cells of
their declared types, keys, NOT NULL and foreign keys kept.
Does not: change anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from benchmark.sqlengine.canonical.expressions import has_aggregate, has_window, is_aggregate
from benchmark.sqlengine.canonical.ir import (
    COMPARISONS,
    LEAVES,
    Block,
    E,
    Outer,
    Query,
    SetOp,
    Source,
    columns,
    is_query,
    parts,
    subqueries,
    substitute,
    walk,
)
from benchmark.sqlengine.schema import Kind, Table

#: Operators and functions that are NULL as soon as one operand is, and else never in SQLite or DuckDB.
_STRICT = frozenset({"+", "-", "*", "||", "neg", "=", "<>", "<", "<=", ">", ">=", "like", "not"})
#: Those that are NULL when an operand is, and maybe in other cases too (division by zero, a text out of range).
_NULL_IN_NULL_OUT = _STRICT | {"/", "%", "cast", "between", "Lower:this", "Upper:this", "Abs:this", "Length:this",
                               "Trim:this", "Round:this", "Round:this,decimals"}  # fmt: skip
_COMPARABLE: frozenset[Kind] = frozenset({"integer", "text", "date", "timestamp", "boolean", "real"})


@dataclass(slots=True)
class Context:
    """What the rules may ask about one statement. `outer` and `derived` are brought up to date before each pass."""

    dialect: str
    tables: dict[str, Table]
    outer: set[str] = field(default_factory=set)
    derived: dict[str, Query] = field(default_factory=dict)
    fired: set[str] = field(default_factory=set)
    made: int = 0

    def renamed(self, block: Block) -> Block:
        """A copy of a block whose own sources have new aliases, so that two copies are never taken for one."""
        known: dict[str, str] = {}
        for source in (*block.sources, *(join.source for join in block.outer)):
            self.made += 1
            known[source.alias] = f"n{self.made}"
            if source.alias in self.tables:
                self.tables[known[source.alias]] = self.tables[source.alias]
            if not isinstance(source.of, str):
                self.derived[known[source.alias]] = source.of
        self.outer |= {known[join.source.alias] for join in block.outer}
        return rename(block, known)

    def refresh(self, query: Query) -> None:
        """Note the sources of a statement as it is now."""
        self.outer.clear()
        self.derived.clear()
        self._note(query)

    def _note(self, query: Query) -> None:
        if isinstance(query, Block):
            for join in query.outer:
                self.outer.add(join.source.alias)
            for source in (*query.sources, *(join.source for join in query.outer)):
                if not isinstance(source.of, str):
                    self.derived[source.alias] = source.of
        for nested in subqueries(query):
            self._note(nested)
        for e in parts(query):
            self._note_expression(e)

    def _note_expression(self, e: Any) -> None:
        if is_query(e):
            self._note(e)
        elif e[0] not in LEAVES:
            for operand in e[1:]:
                self._note_expression(operand)

    def not_null(self, e: E) -> bool:
        """Whether an expression is never NULL."""
        op = e[0]
        if op == "col":
            return self._column_not_null(e)
        if op in ("num", "str", "bool", "star", "exists", "count", "count distinct", "is", "isnt", "istrue", "isfalse"):
            return True
        if op == "coalesce":
            return any(map(self.not_null, e[1:]))
        if op == "case":
            return self.not_null(e[1]) and all(map(self.not_null, e[3::2]))
        if op in _STRICT or op in ("and", "or", "between", "in"):
            return all(map(self.not_null, e[1:]))
        return False

    def _column_not_null(self, e: E) -> bool:
        alias, name = e[1:]
        if alias in self.outer:
            return False
        if alias in self.tables:
            return self.tables[alias].not_null(name)
        inner = self.derived.get(alias)
        return inner is not None and self._output_not_null(inner, int(name))

    def _output_not_null(self, query: Query, place: int) -> bool:
        if isinstance(query, SetOp):
            return all(self._output_not_null(branch, place) for branch in query.branches)
        e = query.select[place]
        if e[0] in ("sum", "min", "max", "avg") and query.group:
            return self.not_null(e[1])
        return self.not_null(e) and (query.group != () or not has_aggregate(e) or e[0].startswith("count"))

    def kind(self, e: E) -> Kind:
        """The kind of values of an expression."""
        op = e[0]
        if op == "col":
            return self._column_kind(e)
        if op == "num":
            return "integer" if e[1].lstrip("-").isdigit() else "real"
        if op == "str":
            return "text"
        if op in ("count", "count distinct"):
            return "integer"
        if op in ("min", "max", "neg", "sum"):
            return self.kind(e[1])
        if op in ("+", "-", "*"):
            kinds = {self.kind(x) for x in e[1:]}
            return "integer" if kinds == {"integer"} else "real" if kinds <= {"integer", "real"} else "any"
        return "real" if op == "avg" else "any"

    def _column_kind(self, e: E) -> Kind:
        alias, name = e[1:]
        if alias in self.tables:
            column = self.tables[alias].column(name)
            return column.kind if column else "any"
        inner = self.derived.get(alias)
        while isinstance(inner, SetOp):
            kinds = {self._output_kind(branch, int(name)) for branch in inner.branches}
            return kinds.pop() if len(kinds) == 1 else "any"
        return self._output_kind(inner, int(name)) if inner is not None else "any"

    def _output_kind(self, query: Query, place: int) -> Kind:
        return self.kind(query.select[place]) if isinstance(query, Block) else "any"

    def plain(self, e: E) -> bool:
        """Whether equality with this column is identity: its kind is known, and it is compared byte by byte."""
        if e[0] != "col" or self.kind(e) not in _COMPARABLE:
            return False
        return not self.collated(e)

    def collated(self, e: Any) -> bool:
        """Whether an expression touches a column with a collation of its own, or one that is not known."""
        for column in columns(e):
            alias, name = column[1:]
            while alias in self.derived:
                inner = self.derived[alias]
                source = inner.select[int(name)] if isinstance(inner, Block) else None
                if source is None or source[0] != "col":
                    break
                alias, name = source[1:]
            found = self.tables[alias].column(name) if alias in self.tables else None
            if alias not in self.derived and (found is None or found.collated):
                return True
        return False

    def same_kind(self, a: E, b: E) -> bool:
        """Whether two columns that are equal are the same value in every respect."""
        return self.plain(a) and self.plain(b) and self.kind(a) == self.kind(b)

    def keys(self, alias: str) -> list[frozenset[E]]:
        """Sets of columns that tell the rows of a source apart."""
        if alias in self.tables:
            return [frozenset(("col", alias, name) for name in key) for key in self.tables[alias].keys]
        inner = self.derived.get(alias)
        if isinstance(inner, SetOp):
            whole = frozenset(("col", alias, str(i)) for i in range(len(inner.names)))
            return [whole] if not inner.all else []
        if inner is None:
            return []
        places = {e: ("col", alias, str(i)) for i, e in enumerate(inner.select)}
        found = []
        if inner.distinct:
            found.append(frozenset(places.values()))
        if inner.group == () or (inner.group is None and any(map(has_aggregate, inner.select))):
            found.append(frozenset())  # one row
        elif inner.group is not None and all(e in places for e in inner.group):
            found.append(frozenset(places[e] for e in inner.group))
        elif inner.group is None and len(inner.sources) == 1 and not inner.outer:
            for key in self.keys(inner.sources[0].alias):
                if all(e in places for e in key):
                    found.append(frozenset(places[e] for e in key))
        return found


def rename(block: Block, known: Mapping[str, str]) -> Block:
    """A block with other aliases for its own sources, wherever they are read."""
    read = {e: ("col", known[e[1]], e[2]) for e in columns(block) if e[1] in known}
    changed: Block = substitute(block, read)
    return replace(
        changed,
        sources=tuple(Source(known[s.alias], s.of) for s in changed.sources),
        outer=tuple(Outer(Source(known[j.source.alias], j.source.of), j.on) for j in changed.outer),
    )


def rejects_null(condition: E, alias: str) -> bool:
    """Whether a condition cannot be true for a row in which every column of `alias` is NULL."""
    op = condition[0]
    if op == "and":
        return any(rejects_null(x, alias) for x in condition[1:])
    if op == "or":
        return all(rejects_null(x, alias) for x in condition[1:])
    if op == "not":
        return _is_null_with(condition[1], alias) or _rejects_not_null(condition[1], alias)
    if op in COMPARISONS or op in ("like", "between"):
        return any(_is_null_with(x, alias) for x in condition[1:3]) or _is_null_with(condition, alias)
    if op == "in":
        return _is_null_with(condition[1], alias)
    if op == "insub":
        return any(_is_null_with(x, alias) for x in condition[2:])
    return op == "istrue" and rejects_null(condition[1], alias)


def _rejects_not_null(e: E, alias: str) -> bool:
    """For `NOT (x IS NULL)`."""
    if e[0] == "is" and e[2] == ("null",):
        return _is_null_with(e[1], alias)
    return e[0] in ("in", "insub") and any(_is_null_with(x, alias) for x in (e[1:2] if e[0] == "in" else e[2:]))


def _is_null_with(e: Any, alias: str) -> bool:
    """Whether an expression is NULL when every column of `alias` is."""
    if not isinstance(e, tuple):
        return False
    if e[0] == "col":
        return bool(e[1] == alias)
    if e[0] == "null":
        return True
    return e[0] in _NULL_IN_NULL_OUT and any(_is_null_with(x, alias) for x in e[1:])


def has_own_aggregates(block: Block) -> bool:
    """Whether a block groups, with or without GROUP BY."""
    return block.group is not None or any(map(has_aggregate, (*block.select, *block.having, *(k.value for k in block.order))))


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
                if x in known or x[0] in ("num", "str"):
                    if context.same_kind(a, b) or x[0] in ("num", "str"):
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
    """Whether the matching row of a LEFT JOIN is determined: its key equals what is known, and nothing else is asked."""
    alias = join.source.alias
    if any(e not in known for condition in join.on for e in columns(condition) if e[1] != alias):
        return False
    equal = set()
    for e in join.on:
        if e[0] == "=":
            equal |= {a for a, b in ((e[1], e[2]), (e[2], e[1])) if a[0] == "col" and a[1] == alias and not any(c[1] == alias for c in columns(b))}
    return any(found <= equal for found in context.keys(alias))


def is_arbitrary(block: Block, context: Context) -> bool:
    """Whether a grouped block reads a column, outside its aggregates, that its groups do not determine."""
    if not has_own_aggregates(block):
        return False
    read = [e for item in (*block.select, *block.having, *(k.value for k in block.order)) for e in outside_aggregates(item)]
    own = {source.alias for source in block.sources} | {join.source.alias for join in block.outer}
    loose = [e for e in read if e[1] in own and e not in (block.group or ())]
    if not loose:
        return False
    grouped = [item for item in block.group or () if item[0] != "col"]
    if any(_covers(item, grouped) for item in (*block.select, *(k.value for k in block.order))):
        loose = [e for item in (*block.select, *(k.value for k in block.order)) for e in outside_aggregates(item, grouped)
                 if e[1] in own and e not in (block.group or ())]  # fmt: skip
    return bool(loose) and not set(loose) <= closure(block.group or (), block, context)


def _covers(item: E, grouped: list[E]) -> bool:
    return any(x in grouped for x in walk(item))


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
