"""Data manipulation: INSERT, UPDATE and DELETE in one table.

Promises: a write changes some rows and not all; references still hold afterwards, and numbers keep their digits.
Does not: delete rows that others refer to, or change keys.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from decimal import Decimal

from benchmark.datasets.builtin_train import conditions, phrases
from benchmark.datasets.builtin_train.naming import PLAIN
from benchmark.datasets.builtin_train.phrases import Draft
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Cell, Row, World, literal, new_cell


def fresh(world: World, source: Source, table: Table, place: int) -> Row | None:
    """A row that the table does not have yet; None if its keys or names are used up."""
    if len(table.keys) > 1:
        return None
    row: Row = {}
    for column in table.columns:
        cell = new_cell(world, column, place, source)
        if cell is None and not column.nullable:
            return None
        row[column.id] = None if column.nullable and source.chance(30) else cell
    return row


def values(row: Row, table: Table) -> str:
    """A row as VALUES writes it."""
    return f"({', '.join(literal(row[column.id]) for column in table.columns)})"


def told(source: Source, row: Row, table: Table) -> str:
    """A row in words: 'hive code H09, type National, no queen year on record'."""
    parts = []
    for column in table.columns:
        cell = row[column.id]
        if cell is None:
            parts.append(source.pick(f"{column.say} not known yet", f"no {column.say} yet"))
        elif column.kind == "flag":
            parts.append(f"{column.say} {cell}")
        elif column.kind == "date":
            parts.append(f"{column.say} {phrases.day(source, str(cell))}")
        else:
            unit = (
                f" {column.part.unit}".replace(" %", "%")
                if column.part.unit and column.part.unit not in column.say
                else ""
            )
            parts.append(f"{column.say} {cell}{unit}")
    return phrases.listing(parts)


def insert(world: World, source: Source) -> Draft | None:
    """One new row."""
    table = source.choice(list(world.tables.values()))
    row = fresh(world, source, table, 0)
    if row is None:
        return None
    listed = f" ({', '.join(column.name for column in table.columns)})"
    words = told(source, row, table)
    request = source.pick(
        f"Please add {phrases.article(table.one)}: {words}.",
        f"Enter a new {table.one} with {words}.",
        f"We have a new {table.one} to record - {words}.",
        f"Log this {table.one}: {words}.",
        f"Insert one {table.one}, {words}.",
        f"Put {phrases.article(table.one)} on record with {words}.",
    )
    sql = f"INSERT INTO {table.name}{listed} VALUES {values(row, table)};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Inserts one {table.one}.")


def insert_two(world: World, source: Source) -> Draft | None:
    """Two new rows in one statement."""
    table = source.choice(list(world.tables.values()))
    rows = [fresh(world, source, table, place) for place in (0, 1)]
    first, second = rows
    if first is None or second is None or len(table.columns) > 5:
        return None
    listed = f" ({', '.join(column.name for column in table.columns)})"
    words = [told(source, row, table) for row in (first, second)]
    request = source.pick(
        f"Two {table.many} are missing, please enter both. The first: {words[0]}. The second: {words[1]}.",
        f"Add these two {table.many}. One has {words[0]}; the other has {words[1]}.",
        f"Record two {table.many}: {words[0]}; and {words[1]}.",
    )
    sql = f"INSERT INTO {table.name}{listed} VALUES {values(first, table)}, {values(second, table)};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Inserts two {table.many}.")


def other_value(source: Source, world: World, table: Table, column: Column, rows: list[Row]) -> Cell:
    """A value that a column may hold and that none of the rows has."""
    for place in range(8):
        cell = new_cell(world, column, place, source)
        if cell is not None and all(row[column.id] != cell for row in rows):
            return cell
    return None


def settable(table: Table) -> list[Column]:
    """The columns that a request may change."""
    return [c for c in table.of("category", "number", "date", "year") if c.name not in table.keys and not c.part.after]


def set_one(world: World, source: Source) -> Draft | None:
    """New values for the row with a key or a name."""
    table = source.choice(list(world.tables.values()))
    row, by = source.choice(world.rows[table.name]), source.choice([table.key[0], table.label])
    columns = source.sample(settable(table), source.pick(1, 1, 2))
    cells = [other_value(source, world, table, column, [row]) for column in columns]
    if not columns or None in cells or len(table.keys) > 1:
        return None
    sets = ", ".join(f"{column.name} = {literal(cell)}" for column, cell in zip(columns, cells, strict=True))
    pairs = list(zip(columns, cells, strict=True))
    said = phrases.listing([f"the {column.say} to {with_unit(source, column, cell)}" for column, cell in pairs])
    now = phrases.listing([f"{column.say} {with_unit(source, column, cell)}" for column, cell in pairs])
    name = str(row[by.id]) if by.kind == "name" else f"{table.one} {row[by.id]}"
    request = source.pick(
        f"Set {said} for {name}.",
        f"Please correct {name}: {now}.",
        f"{phrases.capital(name)} now has {now}. Please change that.",
        f"Update {name} with {now}.",
        f"Change {said} in the record of {name}.",
    )
    sql = f"UPDATE {table.name} SET {sets} WHERE {by.name} = {literal(row[by.id])};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Changes one {table.one}.")


def with_unit(source: Source, column: Column, cell: Cell) -> str:
    """A value as a request says it: with its unit, a date in one of two ways."""
    if column.kind == "date":
        return phrases.day(source, str(cell))
    unit = column.part.unit if column.kind == "number" and column.part.unit not in column.say else ""
    return f"{cell}{unit}" if unit.startswith("%") else f"{cell} {unit}".strip()


def set_where(world: World, source: Source) -> Draft | None:
    """One new value for all rows that pass one or two conditions."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    found = conditions.some(source, rows, table.columns, source.pick(1, 2, 2))
    if found is None:
        return None
    column = next(iter(source.sample([c for c in settable(table) if all(c is not f.column for f in found)], 1)), None)
    if column is None or column.kind == "date":
        return None
    blank = column.nullable and source.chance(35)
    kept = conditions.kept(rows, found)
    cell = None if blank else other_value(source, world, table, column, kept)
    if (cell is None and not blank) or (blank and any(row[column.id] is None for row in kept)):
        return None
    who = conditions.who(table, found)
    value = with_unit(source, column, cell)
    request = (
        source.pick(
            f"Blank the {column.say} of all {who.many}.",
            f"The {column.say} of the {who.many} is wrong and not known. Empty it.",
            f"Remove the {column.say}, but not the rows, for all {who.many}.",
        )
        if blank
        else source.pick(
            f"Set the {column.say} of all {who.many} to {value}.",
            f"Please change the {column.say} to {value} for every {who.one}.",
            f"From today the {who.many} get the {column.say} {value}.",
            f"All {who.many} should have {column.say} {value}; update them.",
        )
    )
    sql = f"UPDATE {table.name} SET {column.name} = {literal(cell)}{PLAIN.where(found)};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Updates the {who.many}.")


def shift(world: World, source: Source) -> Draft | None:
    """A number raised or lowered by an amount or a percentage, for rows that pass a condition."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    numbers = [c for c in table.of("number") if not c.nullable and c.part.num]
    if not numbers:
        return None
    column = source.choice(numbers)
    found = conditions.some(source, rows, [c for c in table.columns if c is not column], source.pick(1, 1, 2))
    if found is None:
        return None
    cells = [Decimal(str(row[column.id])) for row in conditions.kept(rows, found)]
    percent = source.chance(35)
    up = source.chance(60)
    step = Decimal(str((column.part.num or (0, 0, 1))[2])) * source.pick(1, 2, 4, 10)
    factor = (
        source.pick(Decimal("1.1"), Decimal("1.2"), Decimal("1.05"))
        if up
        else source.pick(Decimal("0.9"), Decimal("0.5"))
    )
    new = [cell * factor for cell in cells] if percent else [cell + step if up else cell - step for cell in cells]
    if any(-int(value.normalize().as_tuple().exponent) > column.decimals or value < 0 for value in new) or 0 in cells:
        return None
    who = conditions.who(table, found)
    amount = f"{abs(int((factor - 1) * 100))} percent" if percent else with_unit(source, column, _plain(step, column))
    verb = "Raise" if up else "Lower"
    expression = (
        f"{column.name} * {factor}" if percent else f"{column.name} {'+' if up else '-'} {_plain(step, column)}"
    )
    request = source.pick(
        f"{verb} the {column.say} of all {who.many} by {amount}.",
        f"The {column.say} of the {who.many} has to go {'up' if up else 'down'} by {amount}. Please put that in.",
        f"Please {verb.lower()} the {column.say} by {amount} for every {who.one}.",
        f"For the {who.many}, {'add' if up else 'take'} {amount} {'to' if up else 'off'} the {column.say}.",
    )
    sql = f"UPDATE {table.name} SET {column.name} = {expression}{PLAIN.where(found)};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Changes the {column.say} of the {who.many}.")


def _plain(step: Decimal, column: Column) -> Decimal:
    return step.quantize(Decimal(1).scaleb(-column.decimals))


def fill(world: World, source: Source) -> Draft | None:
    """A value for the rows that lack one."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    columns = [c for c in table.of("category", "number") if any(row[c.id] is None for row in rows)]
    if not columns:
        return None
    column = source.choice(columns)
    cell = new_cell(world, column, 0, source)
    absent = conditions.missing(source, column, absent=True)
    who = conditions.who(table, [absent])
    value = with_unit(source, column, cell)
    request = source.pick(
        f"Give all {who.many} the {column.say} {value}.",
        f"Where the {column.say} of {phrases.article(table.one)} is missing, enter {value}.",
        f"Fill in the {column.say} {value} for the {who.many}.",
        f"Use {value} as the {column.say} of every {who.one}.",
    )
    sql = f"UPDATE {table.name} SET {column.name} = {literal(cell)}{PLAIN.where([absent])};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Fills in missing values of {column.say}.")


def remove(world: World, source: Source) -> Draft | None:
    """Delete the rows that pass conditions, from a table that nothing refers to."""
    table = source.choice(world.leaves())
    found = conditions.some(source, world.rows[table.name], table.columns, source.pick(1, 2, 2))
    if found is None:
        return None
    sql = f"DELETE FROM {table.name}{PLAIN.where(found)};"
    who = conditions.who(table, found)
    return Draft(remove_words(world, source, who), sql, f"Deletes the {who.many}.")


def remove_words(world: World, source: Source, who: phrases.Who) -> str:
    """A request to delete rows."""
    request = source.pick(
        f"Delete all {who.many}.",
        f"Please remove every {who.one}.",
        f"Get rid of the {who.many}.",
        f"Clear out the {who.many}; everything else stays.",
        f"The {who.many} were entered by mistake, so take them out.",
        f"Purge the {who.many}.",
    )
    return phrases.opened(source, world.domain, request)
