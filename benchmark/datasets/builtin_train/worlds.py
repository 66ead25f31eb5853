"""Databases of the train split: a domain's tables with rows drawn from its pools.

Promises: keys are unique, references hold, most parents have children and one has none, categories repeat.
Does not: know SQL beyond the script that creates a world; questions are asked elsewhere.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from benchmark.datasets.builtin_train.schemas import Column, Domain, Table, sql_type
from benchmark.datasets.builtin_train.source import Source

Cell = None | int | str | Decimal
#: Cells by 'table.column'; the row of a join has the cells of all its tables.
Row = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class World:
    """One database: the domain, its tables as they are here, their rows, and the script that makes them."""

    domain: Domain
    tables: dict[str, Table]
    rows: dict[str, list[Row]]
    script: str

    def children(self, parent: Table) -> list[Column]:
        """The columns of other tables that refer to this one."""
        return [ref for table in self.tables.values() for ref in table.of("ref") if ref.part.to == parent.name]

    def parent(self, ref: Column) -> Table:
        """The table that a column refers to."""
        return self.tables[ref.part.to or ""]

    def refs(self) -> list[Column]:
        """All columns that refer to another table."""
        return [ref for table in self.tables.values() for ref in table.of("ref")]

    def paths(self) -> list[tuple[Column, Column]]:
        """Two joins that begin at one table: to a parent and on to its parent, or to two parents."""
        pairs = [(first, second) for first in self.refs() for second in self.refs() if first is not second]
        up = [(first, second) for first, second in pairs if first.part.to == second.table]
        wide = [(a, b) for a, b in pairs if a.table == b.table and a.part.to != b.part.to]
        return up + wide

    def leaves(self) -> list[Table]:
        """The tables that no other table refers to."""
        return [table for table in self.tables.values() if not self.children(table)]

    def joined(self, child: Table, *refs: Column) -> list[Row]:
        """The rows of `child` joined to the parents of the given columns, one after the other."""
        rows = self.rows[child.name]
        for ref in refs:
            key = self.parent(ref).key[0].id
            parents = {row[key]: row for row in self.rows[ref.part.to or ""]}
            rows = [{**row, **parents[row[ref.id]]} for row in rows if row[ref.id] in parents]
        return rows


def make_world(domain: Domain, number: int) -> World:
    """The `number`th database of a domain."""
    source = Source("world", domain.name, number)
    tables = _variant(domain, source) if number else {table.name: table for table in domain.tables}
    rows: dict[str, list[Row]] = {}
    for table in tables.values():
        rows[table.name] = _rows(table, tables, rows, source)
    lines = [_create(table, tables) for table in tables.values()]
    lines += [_insert(table, rows[table.name]) for table in tables.values()]
    return World(domain, tables, rows, "\n".join(lines))


def new_cell(world: World, column: Column, place: int, source: Source) -> Cell:
    """A value for a row that is not there yet; `place` tells several of them apart. None if the values are used up."""
    used = {row[column.id] for row in world.rows[column.table]}
    if isinstance(column.part.key, int):
        return column.part.key + len(used) + place
    if column.kind == "ref":
        parent = world.parent(column)
        return source.choice([row[parent.key[0].id] for row in world.rows[parent.name]])
    if column.part.after:
        return None
    if column.texts:
        left = column.texts if column.kind == "category" else [text for text in column.texts if text not in used]
        return left[source.below(len(left)) if column.kind == "category" else place] if len(left) > place else None
    return _cell(column, [], source)


def literal(cell: Cell) -> str:
    """A value as SQL writes it.

    >>> literal("O'Hara"), literal(Decimal("8.50")), literal(None)
    ("'O''Hara'", '8.50', 'NULL')
    """
    if cell is None:
        return "NULL"
    if isinstance(cell, str):
        quoted = cell.replace("'", "''")
        return f"'{quoted}'"
    return str(cell)


def _variant(domain: Domain, source: Source) -> dict[str, Table]:
    """The domain's tables, now and then without one that nothing refers to, or without a column."""
    tables = {table.name: table for table in domain.tables}
    referred = {ref.part.to for table in domain.tables for ref in table.of("ref")}
    leaves = [table.name for table in domain.tables if table.name not in referred]
    if len(tables) > 3 and len(leaves) > 1 and source.chance(20):
        tables.pop(source.choice(leaves))
    return {name: _without_a_column(table, source) for name, table in tables.items()}


def _without_a_column(table: Table, source: Source) -> Table:
    fixed = {*table.keys, *(table.calc or ())[:2], *(column.part.after for column in table.columns)}
    spare = [column for column in table.of("category", "number", "text", "year", "flag") if column.name not in fixed]
    if len(table.columns) < 5 or len(spare) < 2 or not source.chance(45):
        return table
    dropped = source.choice(spare)
    return replace(table, columns=tuple(column for column in table.columns if column is not dropped))


def _rows(table: Table, tables: dict[str, Table], rows: dict[str, list[Row]], source: Source) -> list[Row]:
    is_parent = any(ref.part.to == table.name for other in tables.values() for ref in other.of("ref"))
    refs = len(table.of("ref"))
    size = 5 + source.below(2) if not refs else 6 + source.below(3) if is_parent else 8 + source.below(3)
    limits = [len(column.texts) for column in table.of("key", "name", "text") if column.texts]
    size = min([size, *limits])
    places = {length: sorted(source.sample(range(length), size)) for length in sorted(set(limits))}
    cells: dict[str, list[Cell]] = {}
    for column in table.columns:
        if column.kind in ("key", "name", "text") and column.texts:
            cells[column.id] = _listed(column, places[len(column.texts)], source)
        elif not column.part.after:
            cells[column.id] = _cells(column, size, rows, tables, source)
    for column in table.columns:
        if column.part.after:
            cells[column.id] = _later(column, cells[f"{table.name}.{column.part.after}"], source)
    made = [{column.id: cells[column.id][place] for column in table.columns} for place in range(size)]
    if len(table.keys) == 1:
        return made
    return list({tuple(row[key.id] for key in table.key): row for row in made}.values())


def _cells(
    column: Column, size: int, rows: dict[str, list[Row]], tables: dict[str, Table], source: Source
) -> list[Cell]:
    part = column.part
    if isinstance(part.key, int):
        return [part.key + place for place in range(size)]
    made = [_cell(column, options, source) for options in [_options(column, size, rows, tables, source)] * size]
    return _with_gaps(made, source) if column.nullable else made


def _listed(column: Column, places: list[int], source: Source) -> list[Cell]:
    """Unique texts; lists of one length are read at the same places, so that a code goes with its name."""
    made: list[Cell] = [column.texts[place] for place in places]
    return _with_gaps(made, source) if column.nullable else made


def _options(
    column: Column, size: int, rows: dict[str, list[Row]], tables: dict[str, Table], source: Source
) -> list[Cell]:
    """What a column may hold in this world: few enough values that they repeat, and not every parent."""
    if column.kind == "ref":
        parent = tables[column.part.to or ""]
        keys = [row[parent.key[0].id] for row in rows[parent.name]]
        return source.kept(keys, max(3, len(keys) - 1 - source.below(2)))
    return list(source.kept(column.texts, 3 + (size > 7) - source.below(2))) if column.texts else []


def _cell(column: Column, options: list[Cell], source: Source) -> Cell:
    part = column.part
    if options:
        return source.choice(options)
    if part.num:
        low, high, step = (Decimal(str(bound)) for bound in part.num)
        number = low + step * source.below(int((high - low) / step) + 1)
        return number.quantize(Decimal(1).scaleb(-column.decimals)) if column.decimals else int(number)
    if part.year:
        return part.year[0] + source.below(part.year[1] - part.year[0] + 1)
    if part.date:
        first, last = (date.fromisoformat(day) for day in part.date.split(".."))
        return str(first + timedelta(source.below((last - first).days + 1)))
    return source.below(2)


def _later(column: Column, starts: list[Cell], source: Source) -> list[Cell]:
    first, last = (int(days) for days in (column.part.date or "1..30").split(".."))
    days = [date.fromisoformat(str(start)) + timedelta(first + source.below(last - first + 1)) for start in starts]
    made: list[Cell] = [str(day) for day in days]
    return _with_gaps(made, source) if column.nullable else made


def _with_gaps(cells: list[Cell], source: Source) -> list[Cell]:
    """One to three of them, never most, are missing."""
    gaps = source.sample(range(len(cells)), 1 + source.below(max(1, len(cells) // 3)))
    return [None if place in gaps else cell for place, cell in enumerate(cells)]


def _create(table: Table, tables: dict[str, Table]) -> str:
    lines = [_definition(column, table, tables) for column in table.columns]
    lines += [f"PRIMARY KEY ({', '.join(table.keys)})"] * (len(table.keys) > 1)
    return f"CREATE TABLE {table.name} ({', '.join(lines)});"


def _definition(column: Column, table: Table, tables: dict[str, Table]) -> str:
    text = f"{column.name} {sql_type(column, tables)}"
    if table.keys == (column.name,):
        return f"{text} PRIMARY KEY"
    must = column.kind == "name" or (not column.nullable and len(column.name) % 3 == 0 and len(table.keys) == 1)
    text += " NOT NULL" if must else ""
    if column.kind == "ref":
        text += f" REFERENCES {column.part.to}({tables[column.part.to or ''].keys[0]})"
    return text


def _insert(table: Table, rows: list[Row]) -> str:
    shown = (f"({', '.join(literal(row[column.id]) for column in table.columns)})" for row in rows)
    return f"INSERT INTO {table.name} VALUES {', '.join(shown)};"
