"""Making a counterexample small: rows go while the difference stays, then values become plain.

Promises: of the result no single row can go, as long as time was left (a row goes with those that refer to it);
the same counterexample always shrinks to the same one.
Does not: know what a difference is; the caller's test says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmark.sqlengine.datagen.layout import Layout, Rows, Slots
from benchmark.sqlengine.datagen.values import plain
from benchmark.sqlengine.results import Cell, Row

#: Whether the rows still show the difference.
Test = Callable[[Rows], bool]
_MOST_CELLS = 48

Item = tuple[str, int]


def shrunk(rows: Rows, layout: Layout, test: Test, late: Callable[[], bool]) -> Rows:
    """A smaller database on which `test` holds; the same one where nothing can go. Stops early when `late`."""
    rows = _unbound(rows, layout, test, late)
    size = max(1, sum(map(len, rows.values())) // 2)
    while size:
        smaller = _without_some(rows, layout, test, late, size)
        if smaller is None:
            size = 0 if late() else size // 2
        else:
            rows = smaller
            size = min(size, max(1, sum(map(len, rows.values())) // 2)) if any(rows.values()) else 0
    return _plainer(rows, layout, test, late)


def _unbound(rows: Rows, layout: Layout, test: Test, late: Callable[[], bool]) -> Rows:
    """The same rows, with NULL in foreign keys that the difference does not need: their parents may then go."""
    for table, slots in layout.items():
        bound = {p for reference in slots.references for p in reference.columns if slots.nullable[p]}
        if not bound or late():
            continue
        loose = [tuple(None if p in bound else cell for p, cell in enumerate(row)) for row in rows.get(table, [])]
        if loose != rows.get(table, []) and test(rows | {table: loose}):
            rows = rows | {table: loose}
    return rows


def _without_some(rows: Rows, layout: Layout, test: Test, late: Callable[[], bool], size: int) -> Rows | None:
    """The rows after one pass over runs of `size` rows, or None if no run could go."""
    found: Rows | None = None
    items = _items(rows, layout)
    start = 0
    while start < len(items) and not late():
        smaller = without(rows, layout, set(items[start : start + size]))
        if test(smaller):
            found = rows = smaller
            items = _items(rows, layout)
        else:
            start += size
    return found


def _items(rows: Rows, layout: Layout) -> list[Item]:
    """Every row, children before parents."""
    return [(table, n) for table in reversed(list(layout)) for n in range(len(rows.get(table, [])))]


def without(rows: Rows, layout: Layout, gone: set[Item]) -> Rows:
    """The database without some rows, and without those that refer to them alone."""
    kept = {table: [row for n, row in enumerate(found) if (table, n) not in gone] for table, found in rows.items()}
    lost = {table: [row for n, row in enumerate(found) if (table, n) in gone] for table, found in rows.items()}
    while any(lost.values()):
        orphans: Rows = {table: [] for table in rows}
        for table, found in kept.items():
            for row in found:
                if _lost_a_parent(row, layout[table], kept, lost):
                    orphans[table].append(row)
        for table, found in orphans.items():
            kept[table] = [row for row in kept[table] if row not in found]
        lost = orphans
    return kept


def _lost_a_parent(row: Row, slots: Slots, kept: Rows, lost: Rows) -> bool:
    for reference in slots.references:
        cells = tuple(row[position] for position in reference.columns)
        if None in cells or not lost.get(reference.table):
            continue
        if any(_picked(parent, reference.there) == cells for parent in lost[reference.table]) and not any(
            _picked(parent, reference.there) == cells for parent in kept[reference.table]
        ):
            return True
    return False


def _plainer(rows: Rows, layout: Layout, test: Test, late: Callable[[], bool]) -> Rows:
    """The same rows, with plain values wherever the difference does not need the others."""
    for tried, (table, n, position) in enumerate(_cells(rows, layout)):
        if tried >= _MOST_CELLS or late():
            break
        for value in _plain_values(layout[table], position, rows[table][n][position]):
            row = rows[table][n]
            changed = (*row[:position], value, *row[position + 1 :])
            simpler = rows | {table: [*rows[table][:n], changed, *rows[table][n + 1 :]]}
            if test(simpler):
                rows = simpler
                break
    return rows


def _cells(rows: Rows, layout: Layout) -> Iterator[tuple[str, int, int]]:
    """The places of cells that are bound by no key and no foreign key, of this table or another."""
    bound = {(name, p) for name, slots in layout.items() for key in slots.keys for p in key}
    for name, slots in layout.items():
        for reference in slots.references:
            bound |= {(name, p) for p in reference.columns} | {(reference.table, p) for p in reference.there}
    for table, found in rows.items():
        for n in range(len(found)):
            yield from ((table, n, p) for p in _worth(layout[table]) if (table, p) not in bound)


def _worth(slots: Slots) -> list[int]:
    """Columns in the order in which their values are made plain: those that no statement names come last."""
    return [*slots.active, *(p for p in range(len(slots.columns)) if p not in slots.active)]


def _plain_values(slots: Slots, position: int, value: Cell) -> list[Cell]:
    pool = slots.pools[position]
    simple = [other for other in plain(slots.looks[position])[:2] if other in pool]
    return simple[: simple.index(value)] if value in simple else simple[:1]


def _picked(row: Row, positions: tuple[int, ...]) -> Row:
    return tuple(row[position] for position in positions)
