"""The form in which rules see a query: expressions as nested tuples, select blocks as records with sets of conditions.

Promises: immutable values with structural equality; an expression is `(op, *operands)`, and whatever sqlglot can
write can be held. Names are resolved: a column is `("col", alias, name)` and an alias is used by one source only.
Does not: know about dialects (`read.py`, `write.py`) or about what is sound (the rules).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

#: `(op, *operands)`. Leaves hold strings; other operands are expressions or queries.
E: TypeAlias = tuple[Any, ...]

LEAVES = frozenset({"col", "num", "str", "null", "bool", "star", "word"})
TRUE: E = ("bool", "true")
FALSE: E = ("bool", "false")
NULL: E = ("null",)
COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})


class Key(NamedTuple):
    """One ORDER BY key. `nulls_first` is what the engine does, whether or not the text says it."""

    value: E
    desc: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A table (by name, in lower case) or a derived table, under an alias. A derived table's columns are `0`, `1`, …"""

    alias: str
    of: str | Query


@dataclass(frozen=True, slots=True)
class Outer:
    """A source that is LEFT JOINed on conditions, all of which must hold."""

    source: Source
    on: tuple[E, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One SELECT: the product of `sources`, each `outer` LEFT JOINed in turn, filtered, grouped, projected, ordered.

    `group` is None for a query without GROUP BY; an aggregate then makes the whole input one group.
    """

    select: tuple[E, ...]
    sources: tuple[Source, ...] = ()
    outer: tuple[Outer, ...] = ()
    where: tuple[E, ...] = ()
    group: tuple[E, ...] | None = None
    having: tuple[E, ...] = ()
    distinct: bool = False
    order: tuple[Key, ...] = ()
    limit: E | None = None
    offset: E | None = None
    names: tuple[str, ...] = ()

    @property
    def limited(self) -> bool:
        return self.limit is not None or self.offset is not None


@dataclass(frozen=True, slots=True)
class SetOp:
    """UNION, INTERSECT or EXCEPT of branches; ORDER BY keys are positions, as `("num", "1")`."""

    kind: str
    all: bool
    branches: tuple[Query, ...]
    order: tuple[Key, ...] = ()
    limit: E | None = None
    offset: E | None = None
    names: tuple[str, ...] = ()

    @property
    def limited(self) -> bool:
        return self.limit is not None or self.offset is not None


Query: TypeAlias = Block | SetOp


def is_query(value: object) -> bool:
    """Whether an operand is a nested query."""
    return isinstance(value, (Block, SetOp))


def width(query: Query) -> int:
    """How many columns a query gives."""
    while isinstance(query, SetOp):
        query = query.branches[0]
    return len(query.select)


def all_of(conditions: tuple[E, ...] | list[E]) -> E:
    """Conditions as one expression."""
    return TRUE if not conditions else conditions[0] if len(conditions) == 1 else ("and", *conditions)


def conjuncts(e: E) -> tuple[E, ...]:
    """The conditions that all must hold for `e` to hold."""
    if e == TRUE:
        return ()
    return tuple(part for operand in e[1:] for part in conjuncts(operand)) if e[0] == "and" else (e,)


def operands(e: E) -> tuple[Any, ...]:
    """The expressions and queries directly under an expression."""
    return () if e[0] in LEAVES else e[1:]


def walk(value: Any) -> Iterator[E]:
    """Every expression at and under an expression or query, nested queries included."""
    if isinstance(value, tuple):
        yield value
        if value[0] not in LEAVES:
            for operand in value[1:]:
                yield from walk(operand)
    elif value is not None:
        for e in parts(value):
            yield from walk(e)
        for nested in subqueries(value):
            yield from walk(nested)


def holds_query(e: E) -> bool:
    """Whether a query is nested in an expression."""
    return any(is_query(part) for x in walk(e) for part in x[1:])


def parts(query: Query) -> Iterator[E]:
    """The expressions that a query itself holds."""
    yield from (key.value for key in query.order)
    yield from (e for e in (query.limit, query.offset) if e is not None)
    if isinstance(query, Block):
        yield from query.select
        yield from query.where
        yield from query.group or ()
        yield from query.having
        for join in query.outer:
            yield from join.on


def subqueries(query: Query) -> Iterator[Query]:
    """Derived tables and branches; not what is nested in expressions."""
    if isinstance(query, SetOp):
        yield from query.branches
        return
    for source in (*query.sources, *(join.source for join in query.outer)):
        if not isinstance(source.of, str):
            yield source.of


def columns(value: Any) -> Iterator[E]:
    """Every column mentioned at or under an expression or query."""
    return (e for e in walk(value) if e[0] == "col")


def aliases(value: Any) -> frozenset[str]:
    """Aliases of the columns mentioned."""
    return frozenset(e[1] for e in columns(value))


def map_query(query: Query, change: Callable[[E], E], nested: Callable[[Query], Query]) -> Query:
    """The query with `change` applied to its own expressions and `nested` to derived tables and branches."""
    order = tuple(Key(change(key.value), key.desc, key.nulls_first) for key in query.order)
    if isinstance(query, SetOp):
        return replace(query, branches=tuple(map(nested, query.branches)), order=order)
    return replace(
        query,
        select=tuple(map(change, query.select)),
        sources=tuple(_map_source(source, nested) for source in query.sources),
        outer=tuple(Outer(_map_source(j.source, nested), tuple(map(change, j.on))) for j in query.outer),
        where=tuple(map(change, query.where)),
        group=None if query.group is None else tuple(map(change, query.group)),
        having=tuple(map(change, query.having)),
        order=order,
    )


def _map_source(source: Source, nested: Callable[[Query], Query]) -> Source:
    return source if isinstance(source.of, str) else Source(source.alias, nested(source.of))


def substitute(value: Any, known: dict[E, E]) -> Any:
    """The same expression or query with some columns replaced, nested queries included."""
    if isinstance(value, tuple):
        if value[0] == "col":
            return known.get(value, value)
        if value[0] in LEAVES:
            return value
        return (value[0], *(substitute(operand, known) for operand in value[1:]))
    if value is None:
        return None
    return map_query(value, lambda e: substitute(e, known), lambda q: substitute(q, known))


@lru_cache(maxsize=20_000)
def key(e: E) -> str:
    """A text that orders expressions: equal texts, equal expressions."""
    if e[0] in LEAVES:
        return f"{e[0]} {' '.join(e[1:])!r}"
    return f"{e[0]}({', '.join(key(x) if isinstance(x, tuple) else repr(x) for x in e[1:])})"


def sort_expressions(items: Any) -> tuple[E, ...]:
    """Expressions in the order of their texts, each once."""
    return tuple(sorted(dict.fromkeys(items), key=key))
