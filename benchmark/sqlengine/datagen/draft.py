"""One database under construction: rows are added one by one, each made to fit the keys and foreign keys.

Promises: every row that is kept honours types, keys, NOT NULL and foreign keys among the rows kept, and the CHECK
conditions that the caller's function can tell.
Does not: aim at anything; what a row must hold is given (`witness.py`), the rest is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from benchmark.sqlengine.datagen.layout import Layout, Reference, Rows, Slots
from benchmark.sqlengine.results import Cell, Row

#: Whether a whole row of a table satisfies the CHECK conditions that need several columns.
Accepts = Callable[[Slots, Row], bool]
_NULL_RATES = (0.0, 0.0, 0.15, 0.4)
_POOL_SIZES = (1, 2, 2, 3, 5, 99)
_DEEPEST = 6


class Draft:
    """A database that grows. `spread` is how many values a column draws from: few make ties and matches."""

    def __init__(self, layout: Layout, rng: Random, accepts: Accepts, most_rows: int = 14) -> None:
        self.layout = layout
        self.rng = rng
        self.rows: Rows = {name: [] for name in layout}
        self._accepts = accepts
        self._most_rows = most_rows
        self._taken: dict[tuple[str, tuple[int, ...]], set[Row]] = {}
        self._pools: dict[tuple[str, int], tuple[Cell, ...]] = {}
        self._null_rate = _NULL_RATES[int(rng.random() * len(_NULL_RATES))]
        self._spread = _POOL_SIZES[int(rng.random() * len(_POOL_SIZES))]

    def add(self, table: str, fixed: Mapping[str, Cell], depth: int = 0) -> Row | None:
        """Add a row that holds `fixed`, and the parents that it needs. None where no such row can be added."""
        slots = self.layout[table]
        if len(self.rows[table]) >= self._most_rows or depth > _DEEPEST:
            return None
        row = self._drawn(table, slots, fixed)
        if row is None:
            return None
        free = [column not in fixed for column in slots.columns]
        for reference in slots.references:
            if not self._refer(table, slots, reference, row, free, depth):
                return None
        for key in slots.keys:
            if not self._unique(table, key, row, free, slots):
                return None
        if len(slots.references) > 0 and slots.keys and not all(self._holds(table, r, row) for r in slots.references):
            return None  # a key that shares a column with a foreign key took another value
        made = tuple(row)
        if None in made and not all(
            nullable or cell is not None for nullable, cell in zip(slots.nullable, made, strict=True)
        ):
            return None
        if slots.wide_checks and not self._accepts(slots, made):
            return None
        for positions in slots.watched:
            if (cells := picked(made, positions)) is not None:
                self._taken.setdefault((table, positions), set()).add(cells)
        self.rows[table].append(made)
        return made

    def free_number(self, table: str, key: tuple[int, ...]) -> int:
        """A number that no row of the table has in a key of one column."""
        taken = self._taken.get((table, key), set())
        number = len(taken) + 1
        while (number,) in taken:
            number += 1
        return number

    def _drawn(self, table: str, slots: Slots, fixed: Mapping[str, Cell]) -> list[Cell] | None:
        """A row with what is fixed and the rest drawn; None where a column that needs a value has none."""
        random, rate = self.rng.random, self._null_rate
        row = list(slots.template)
        for position in slots.active:
            column, nullable = slots.columns[position], slots.nullable[position]
            value = fixed.get(column)
            if value is None and (not nullable or column not in fixed):
                if nullable and rate and random() < rate:
                    row[position] = None
                    continue
                value = self._value(table, slots, position)
                if value is None and not nullable:
                    return None
            elif value is not None and slots.checked[position] and value not in slots.pools[position]:
                return None
            row[position] = value
        return row

    def _value(self, table: str, slots: Slots, position: int) -> Cell:
        pool = self._pools.get((table, position))
        if pool is None:
            pool = slots.pools[position]
            if len(pool) > self._spread:
                pool = tuple(pool[int(self.rng.random() * len(pool))] for _ in range(self._spread))
            self._pools[table, position] = pool
        return pool[int(self.rng.random() * len(pool))] if pool else None

    def _refer(
        self, table: str, slots: Slots, reference: Reference, row: list[Cell], free: list[bool], depth: int
    ) -> bool:
        """Make a foreign key hold: with a parent that is there, a new one, the row itself, or NULL."""
        cells = picked(row, reference.columns)
        if cells is None or cells in self._taken.get((reference.table, reference.there), ()):
            return True
        parents = self.rows[reference.table]
        loose = all(free[position] for position in reference.columns)
        if loose and parents and self.rng.random() < 0.8:
            parent = parents[int(self.rng.random() * len(parents))]
            there = picked(parent, reference.there)
            if there is not None:
                for position, value in zip(reference.columns, there, strict=True):
                    row[position] = value
                return True
        if reference.table != table:
            names = self.layout[reference.table].columns
            wanted = {names[there]: cell for there, cell in zip(reference.there, cells, strict=True)}
            if self.add(reference.table, wanted, depth + 1) is not None:
                return True
        elif cells == picked(row, reference.there):
            return True
        nullable = [position for position in reference.columns if slots.nullable[position]]
        for position in nullable[:1]:
            row[position] = None
        return bool(nullable)

    def _holds(self, table: str, reference: Reference, row: list[Cell]) -> bool:
        cells = picked(row, reference.columns)
        if cells is None or cells in self._taken.get((reference.table, reference.there), ()):
            return True
        return reference.table == table and cells == picked(row, reference.there)

    def _unique(self, table: str, key: tuple[int, ...], row: list[Cell], free: list[bool], slots: Slots) -> bool:
        """Make a key hold, by another value in a column that may still change."""
        taken = self._taken.get((table, key))
        if taken is None:
            return True
        for attempt in range(12):
            cells = picked(row, key)
            if cells is None or cells not in taken:
                return True
            referring = {position for reference in slots.references for position in reference.columns}
            loose = [position for position in key if free[position] and position not in referring]
            if not loose:
                loose = [position for position in key if free[position]]
                if not loose or attempt > 6:
                    return False
            position = loose[attempt % len(loose)]
            row[position] = self._other(table, slots, key, position, attempt)
        return False

    def _other(self, table: str, slots: Slots, key: tuple[int, ...], position: int, attempt: int) -> Cell:
        pool = slots.pools[position]
        for reference in slots.references:
            if position in reference.columns and self.rows[reference.table]:
                parents = self.rows[reference.table]
                return parents[attempt % len(parents)][reference.there[reference.columns.index(position)]]
        if slots.looks[position] == "integer" and len(key) == 1 and not slots.table.checks:
            return self.free_number(table, key)
        if slots.looks[position] == "text" and attempt > 5 and not slots.table.checks:
            return f"k{len(self.rows[table])}{attempt}"
        return pool[int(self.rng.random() * len(pool))] if pool else None


def picked(row: Sequence[Cell], positions: tuple[int, ...]) -> Row | None:
    """The cells at some positions; None if one of them is NULL: then no key binds them."""
    if len(positions) == 1:
        cell = row[positions[0]]
        return None if cell is None else (cell,)
    cells = tuple([row[position] for position in positions])
    return None if None in cells else cells
