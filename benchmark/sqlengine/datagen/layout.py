"""The tables that are to be filled: parents first, their keys and foreign keys by position, and values by column.

Promises: values honour the declared kinds and the CHECK conditions on one column alone.
Does not: make rows (`draft.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from benchmark.sqlengine.datagen.facts import Facts, Place, facts_of_checks, words_of
from benchmark.sqlengine.datagen.values import Look, fitted, look_of, plain
from benchmark.sqlengine.results import Cell, Row
from benchmark.sqlengine.schema import Schema, Table

#: The rows of each table, by its name in lower case.
Rows = dict[str, list[Row]]
#: Which rows (of some columns of a table) satisfy its CHECK conditions number i, j, ...
Checker = Callable[["Slots", Sequence[int], Sequence[str], Sequence[Row]], list[bool]]
_MOST_VALUES, _MOST_SEEN, _MOST_TABLES, _MOST_COLUMNS = 28, 5, 16, 60


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: these columns hold NULLs or a row's values there. Columns by position among those filled."""

    columns: tuple[int, ...]
    table: str
    there: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slots:
    """One table as it is filled: the columns that get values, and what must hold of them."""

    table: Table
    columns: tuple[str, ...]  # in lower case
    names: tuple[str, ...]  # as the DDL writes them
    nullable: tuple[bool, ...]
    keys: tuple[tuple[int, ...], ...]
    references: tuple[Reference, ...]
    looks: tuple[Look, ...]
    pools: tuple[tuple[Cell, ...], ...]
    #: CHECK conditions that need more than one column, by their place among the table's.
    wide_checks: tuple[int, ...]
    #: Whether a CHECK condition allows a column no other values than those of its pool.
    checked: tuple[bool, ...]
    #: The place of each column, by its name.
    at: Mapping[str, int]
    #: Sets of columns whose values are looked up: keys, and what other tables refer to.
    watched: tuple[tuple[int, ...], ...] = ()
    #: Columns that matter; the others hold the values of `template` in every row.
    active: tuple[int, ...] = ()
    template: tuple[Cell, ...] = ()


Layout = Mapping[str, Slots]


def needed(tables: set[str], schema: Schema) -> list[str]:
    """The tables and those that they refer to, parents before children as far as there is such an order."""
    found = set(tables) & set(schema.tables)
    waiting = list(found)
    while waiting:
        for key in schema.tables[waiting.pop()].foreign_keys:
            if key.table in schema.tables and key.table not in found:
                found.add(key.table)
                waiting.append(key.table)
    order: list[str] = []
    left = [name for name in schema.tables if name in found]
    while left:
        ready = next((name for name in left if _parents(schema.tables[name]) <= {*order, name}), left[0])
        left.remove(ready)
        order.append(ready)
    return order


def layout_of(names: list[str], schema: Schema, facts: Facts, seen: Rows, passing: Checker) -> Layout:
    """The layout of some tables. `seen` holds sampled rows of all their columns; empty for more than can be filled."""
    tables = [schema.tables[name] for name in names]
    if len(tables) > _MOST_TABLES or any(len(table.columns) > _MOST_COLUMNS for table in tables):
        return {}
    facts_of_checks(facts, tables, schema)
    classes = _classes(facts.meetings + [pair for table in tables for pair in _key_meetings(table)])
    looks = {place: look for table in tables for place, look in _looks(table, seen.get(table.name.lower(), []))}
    samples = {place: column for table in tables for place, column in _samples(table, seen)}
    pools = {place: _pool(look, [place, *classes.get(place, [])], facts, samples) for place, look in looks.items()}
    made = {table.name.lower(): _slots(table, looks, pools, passing, schema) for table in tables}
    made = {name: _as_parents_allow(slots, made) for name, slots in made.items()}
    wanted = [(reference.table, reference.there) for slots in made.values() for reference in slots.references]
    return {
        name: _activated(slots, tuple(dict.fromkeys([*slots.keys, *(p for t, p in wanted if t == name)])), facts)
        for name, slots in made.items()
    }


def _as_parents_allow(slots: Slots, made: Layout) -> Slots:
    """The same table; a column that refers to one with a CHECK condition takes that one's values alone."""
    pools, checked = list(slots.pools), list(slots.checked)
    for reference in slots.references:
        for here, there in zip(reference.columns, reference.there, strict=True):
            parent = made.get(reference.table, slots)
            if parent.checked[there] and not checked[here]:
                pools[here], checked[here] = parent.pools[there], True
    return replace(slots, pools=tuple(pools), checked=tuple(checked))


def _activated(slots: Slots, watched: tuple[tuple[int, ...], ...], facts: Facts) -> Slots:
    """The same table; columns that no statement names, and no key, are told from the others."""
    bound = {p for positions in watched for p in positions} | {p for r in slots.references for p in r.columns}
    checked = {node.name.lower() for check in slots.table.checks for node in check.find_all(exp.Identifier)}
    active = tuple(
        p
        for p, column in enumerate(slots.columns)
        if facts.every_column
        or p in bound
        or words_of(column) <= facts.words
        or column in checked
        or not slots.pools[p]
    )
    template = tuple(map(_simplest, slots.looks, slots.pools))
    return replace(slots, watched=watched, active=active, template=template)


def _simplest(look: Look, pool: tuple[Cell, ...]) -> Cell:
    first = plain(look)[0]
    return first if first in pool else pool[0] if pool else None


def _slots(
    table: Table,
    looks: dict[Place, Look],
    pools: dict[Place, tuple[Cell, ...]],
    passing: Checker,
    schema: Schema,
) -> Slots:
    name = table.name.lower()
    filled = [column for column in table.columns if not column.generated]
    columns = tuple(column.name.lower() for column in filled)
    at = {column: position for position, column in enumerate(columns)}
    references = []
    for key in table.foreign_keys:
        there = [column.name.lower() for column in schema.tables[key.table].columns if not column.generated]
        if set(key.columns) <= set(at) and set(key.references) <= set(there):
            positions = tuple(there.index(column) for column in key.references)
            references.append(Reference(tuple(at[column] for column in key.columns), key.table, positions))
    keys = tuple(tuple(sorted(at[c] for c in unique)) for unique in table.uniques if unique <= set(at))
    alone = [_only_column(table, number) for number in range(len(table.checks))]
    slots = Slots(
        table,
        columns,
        tuple(column.name for column in filled),
        tuple(not column.not_null and column.name.lower() not in table.primary_key for column in filled),
        keys,
        tuple(references),
        tuple(looks[name, column] for column in columns),
        (),
        tuple(number for number, column in enumerate(alone) if column is None),
        tuple(column in alone for column in columns),
        at,
    )
    kept = tuple(
        _passing(slots, column, [n for n, only in enumerate(alone) if only == column], pools[name, column], passing)
        for column in columns
    )
    return replace(slots, pools=kept)


def _passing(
    slots: Slots, column: str, checks: list[int], pool: tuple[Cell, ...], passing: Checker
) -> tuple[Cell, ...]:
    if not checks:
        return pool
    kept = passing(slots, checks, [column], [(value,) for value in pool])
    return tuple(value for value, good in zip(pool, kept, strict=True) if good)


def _only_column(table: Table, number: int) -> str | None:
    """The one column that a CHECK condition speaks of, or None for several."""
    words = {node.name.lower() for node in table.checks[number].find_all(exp.Identifier)}
    found = [column.name.lower() for column in table.columns if column.name.lower() in words]
    return found[0] if len(found) == 1 else None


def _pool(look: Look, places: list[Place], facts: Facts, samples: dict[Place, list[Cell]]) -> tuple[Cell, ...]:
    """Constants and their neighbours first, then values that were seen, then plain ones."""
    found: dict[tuple[type, Cell], None] = {}
    constants = [value for place in places for value in facts.constants.get(place, [])]
    for value in dict.fromkeys(constants):
        for fit in fitted(value, look):
            found.setdefault((type(fit), fit))
    seen = [value for place in places for value in samples.get(place, [])[:_MOST_SEEN]]
    fits = (fit for value in seen for fit in _as_seen(value, look))
    loose = (fit for value in facts.loose[:4] for fit in list(fitted(value, look))[:1])
    for source in (fits, loose, plain(look)):
        for fit in source:
            if len(found) < _MOST_VALUES:
                found.setdefault((type(fit), fit))
    return tuple(value for _, value in found)[: 2 * _MOST_VALUES]


def _as_seen(value: Cell, look: Look) -> list[Cell]:
    if value is None:
        return []
    if look in ("text", "any") and isinstance(value, str):
        return [value] if len(value) <= 60 else []
    return list(fitted(value, look))[:1]


def _looks(table: Table, rows: list[Row]) -> list[tuple[Place, Look]]:
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(table.columns)
    name = table.name.lower()
    return [
        ((name, column.name.lower()), look_of(column.kind, seen))
        for column, seen in zip(table.columns, cells, strict=True)
    ]


def _samples(table: Table, seen: Rows) -> list[tuple[Place, list[Cell]]]:
    rows = seen.get(table.name.lower(), [])
    name = table.name.lower()
    return [
        ((name, column.name.lower()), list(dict.fromkeys(row[position] for row in rows)))
        for position, column in enumerate(table.columns)
    ]


def _classes(meetings: list[tuple[Place, Place]]) -> dict[Place, list[Place]]:
    """For each column, those that it meets directly."""
    found: dict[Place, list[Place]] = {}
    for a, b in dict.fromkeys(meetings):
        found.setdefault(a, []).append(b)
        found.setdefault(b, []).append(a)
    return found


def _key_meetings(table: Table) -> list[tuple[Place, Place]]:
    name = table.name.lower()
    return [
        ((name, here), (key.table, there))
        for key in table.foreign_keys
        for here, there in zip(key.columns, key.references, strict=True)
    ]


def _parents(table: Table) -> set[str]:
    return {key.table for key in table.foreign_keys}
