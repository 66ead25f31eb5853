"""What is certain about expressions: never NULL, of which kind, rejecting NULLs, determined by which columns.

Promises: `False` or `any` wherever it is not certain. Facts hold for every database that honours the schema: cells of
their declared types, keys, NOT NULL and foreign keys kept.
Does not: change anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from benchmark.sqlengine.canonical.expressions import has_aggregate
from benchmark.sqlengine.canonical.ir import (
    COMPARISONS,
    LEAVES,
    NULL,
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
    width,
)
from benchmark.sqlengine.schema import Kind, Table

#: Operators and functions that are NULL as soon as one operand is, and else never in SQLite or DuckDB.
STRICT = frozenset({"+", "-", "*", "||", "neg", "=", "<>", "<", "<=", ">", ">=", "like", "not"})
_COMPARING = COMPARISONS | {"is", "isnt", "in", "between", "insub"}
#: Kinds that SQLite compares without converting one to the other.
_FAMILIES: dict[str, str] = {"integer": "number", "real": "number", "boolean": "number", "text": "text"}
_COMPARABLE: frozenset[Kind] = frozenset({"integer", "text", "date", "timestamp", "boolean", "real"})


@dataclass(slots=True)
class Context:
    """What the rules may ask about one statement. `outer` and `derived` are brought up to date before each pass."""

    dialect: str
    tables: dict[str, Table]
    outer: set[str] = field(default_factory=set)
    derived: dict[str, Query] = field(default_factory=dict)
    fired: set[str] = field(default_factory=set)
    #: Whether SQLite compares values of different or unknown kinds somewhere: then a column's affinity matters, and no
    #: rule may put a column in the place of a value without one, or the other way round.
    mixed: bool = False
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
        self.mixed = self.dialect == "sqlite" and any(map(self._compares_kinds, walk(query)))

    def _compares_kinds(self, e: E) -> bool:
        if e[0] not in _COMPARING:
            return False
        sides: tuple[E, ...] = e[1:]
        if e[0] == "insub":
            sides = (*e[2:], *e[1].select) if isinstance(e[1], Block) else (NULL, ("word",))
        families = {_FAMILIES.get(self.kind(side), "") for side in sides if side != NULL}
        return len(families) > 1 or "" in families

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
        if op in STRICT or op in ("and", "or", "between", "in"):
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
        if query.group is None and any(map(has_aggregate, (*query.select, *query.having))):
            return e[0] in ("num", "str", "count", "count distinct")  # the one row may be of nothing
        return self.not_null(e)

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
        """Whether two columns that are equal are the same value in every respect.

        For numbers that may be floats only where both are declared alike: SQLite keeps 1.0 in a DECIMAL column as 1.
        """
        if not (self.plain(a) and self.plain(b)) or self.kind(a) != self.kind(b):
            return False
        return self.kind(a) != "real" or (self._declared(a) == self._declared(b) != "")

    def base(self, e: E) -> bool:
        """Whether an expression is a column of a table itself: in SQLite it then has that column's affinity."""
        return e[0] == "col" and e[1] in self.tables

    def _declared(self, e: E) -> str:
        column = self.tables[e[1]].column(e[2]) if self.base(e) else None
        return column.declared if column else ""

    def keys(self, alias: str) -> list[frozenset[E]]:
        """Sets of columns that tell the rows of a source apart."""
        if alias in self.tables:
            return [frozenset(("col", alias, name) for name in key) for key in self.tables[alias].keys]
        inner = self.derived.get(alias)
        if isinstance(inner, SetOp):
            whole = frozenset(("col", alias, str(i)) for i in range(width(inner)))
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
