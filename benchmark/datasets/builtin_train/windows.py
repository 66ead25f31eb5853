"""Window functions over values: running totals, neighbours, shares, gaps; and what ranks needs of windows.

Promises: the order inside a window is total where a tie would change the answer, and the request says how.
Does not: frame windows by anything but their default.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from collections.abc import Sequence

from benchmark.datasets.builtin_train import metrics, phrases
from benchmark.datasets.builtin_train.phrases import Draft
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Row, World

_REQUESTS = (
    "{lead} Show {cols}{order}.",
    "{lead} {Cols}{order}.",
    "{lead} Columns are {cols}{order}.",
    "{lead} Output {cols}{order}.",
    "{lead} I need {cols}{order}.",
    "{lead} Give {cols}{order}.",
    "{lead} I want to see {cols}{order}, please.",
)


def asked(source: Source, world: World, lead: str, says: Sequence[str], order: str = "") -> str:
    """A request that first says what is computed, then which columns are wanted."""
    cols = phrases.listing(list(dict.fromkeys(says)))
    frame = source.choice(_REQUESTS)
    filled = {"{lead}": lead, "{cols}": cols, "{Cols}": phrases.capital(cols), "{order}": f", {order}" if order else ""}
    for place, words in filled.items():
        frame = frame.replace(place, words)
    return phrases.opened(source, world.domain, frame)


def pick(world: World, source: Source, *kinds: str) -> tuple[Table, Column, str, list[Row], str] | None:
    """A table, a column of these kinds, WHERE and words for leaving out its missing values, and the rows left."""
    usable = [(t, c) for t in _single(world) for c in t.of(*kinds) if len(world.rows[t.name]) > 4]
    if not usable:
        return None
    table, column = source.choice(usable)
    rows = [row for row in world.rows[table.name] if row[column.id] is not None]
    if len(rows) == len(world.rows[table.name]):
        return table, column, "", rows, ""
    without = source.pick(f" Leave out {table.many} {column.part.none}.", f" Ignore {table.many} {column.part.none}.")
    return table, column, f" WHERE {column.name} IS NOT NULL", rows, without


def _single(world: World) -> list[Table]:
    """The tables whose key is one column, so that it settles every tie."""
    return [table for table in world.tables.values() if len(table.keys) == 1]


def part(source: Source, table: Table, rows: list[Row], column: Column) -> Column | None:
    """A column that divides the rows into several parts, one of them of several rows."""
    usable = [c for c in table.of("category", "ref", "year") if c is not column]
    usable = [c for c in usable if all(row[c.id] is not None for row in rows)]
    usable = [c for c in usable if 1 < len({row[c.id] for row in rows}) < len(rows)]
    return source.choice(usable) if usable else None


def keyed(source: Source, table: Table) -> Column:
    """What identifies a row in the answer."""
    return table.label if table.label.kind == "name" and source.chance(50) else table.key[0]


def sequence(world: World, source: Source) -> tuple[Table, Column, list[Row]] | None:
    """A table and a date of it that is never missing: the order of a running total."""
    usable = [(t, c) for t in _single(world) for c in t.of("date") if not c.nullable]
    if not usable:
        return None
    table, date = source.choice(usable)
    return table, date, world.rows[table.name]


def running(world: World, source: Source) -> Draft | None:
    """A running total or a running count in order of date, over all rows or within parts."""
    found = sequence(world, source)
    numbers = [c for c in found[0].of("number") if c.part.add] if found else []
    if found is None or not numbers:
        return None
    table, date, rows = found
    number, key = source.choice(numbers), table.key[0]
    where, without = "", ""
    if number.nullable:
        where, without = f" WHERE {number.name} IS NOT NULL", f" Leave out {table.many} {number.part.none}."
        rows = [row for row in rows if row[number.id] is not None]
    group = part(source, table, rows, number) if source.chance(45) else None
    spread = [*([group.name] if group else []), date.name, key.name]
    over = f"{f'PARTITION BY {group.name} ' if group else ''}ORDER BY {date.name}, {key.name}"
    columns = list(dict.fromkeys([*([group.name] if group else []), key.name, date.name, number.name]))
    ordered = source.chance(40)
    order = f" ORDER BY {', '.join(spread)}" if ordered else ""
    alias = source.pick("running_total", f"cumulative_{number.name}", "so_far")
    sql = f"SELECT {', '.join(columns)}, SUM({number.name}) OVER ({over}) AS {alias} FROM {table.name}{where}{order};"
    each = f", separately for each {group.say}" if group else ""
    lead = source.pick(
        f"Show how the {number.say} of the {table.many} adds up over time{each}: a running total in order of"
        f" {date.say},"
        f" {key.say} deciding on equal dates.",
        f"I want a running total of {number.say} over the {table.many}{each}, going by {date.say} and then {key.say}.",
        f"Give every {table.one} with the cumulative {number.say} up to and including it{each}, by"
        f" {date.say}; {table.many}"
        f" of one day are taken in order of {key.say}.",
    )
    says = [*([group.say] if group else []), key.say, date.say, number.say, "running total"]
    words = f"in order of {phrases.listing([*([group.say] if group else []), date.say, key.say])}" if ordered else ""
    return Draft(asked(source, world, lead + without, says, words), sql, f"Adds up {number.say} by {date.say}{each}.")


def neighbour(world: World, source: Source) -> Draft | None:
    """The value of the row before or after, or the change against it, within parts."""
    found = sequence(world, source)
    if found is None:
        return None
    table, date, rows = found
    usable = [c for c in table.of("number", "date") if not c.nullable and (c.kind == "number" or c is date)]
    group = part(source, table, rows, date)
    if group is None or not usable:
        return None
    column, key = source.choice(usable), table.key[0]
    before = source.chance(65)
    function, word = ("LAG", "previous") if before else ("LEAD", "next")
    over = f"OVER (PARTITION BY {group.name} ORDER BY {date.name}, {key.name})"
    shown = list(dict.fromkeys([group.name, key.name, date.name, column.name]))
    change = column.kind == "number" and before and source.chance(55)
    if change:
        expression, alias, say = f"{column.name} - LAG({column.name}) {over}", "change", "change"
        tells = f"the change in {column.say} against the previous {table.one} of the same {group.say}"
    else:
        expression, alias = f"{function}({column.name}) {over}", f"{word}_{column.name}"
        say = f"{word} {column.say}"
        tells = f"the {column.say} of the {word} {table.one} of the same {group.say}"
    edge = "first" if before else "last"
    sql = f"SELECT {', '.join(shown)}, {expression} AS {alias} FROM {table.name};"
    lead = source.pick(
        f"For every {table.one} I want {tells}, by {date.say} and then {key.say}; it stays empty for the {edge} one.",
        f"Put {tells} next to each {table.one}. Go by {date.say}, then {key.say}; empty for the {edge}.",
        f"Going by {date.say} (equal dates by {key.say}), list the {table.many} with {tells}, nothing for the"
        f" {edge} one.",
    )
    says = [group.say, key.say, date.say, column.say, say]
    return Draft(asked(source, world, lead, says), sql, f"Looks at the {word} {table.one} of each {group.say}.")


def share(world: World, source: Source) -> Draft | None:
    """Each value as a percentage of its part's total, or of the whole."""
    found = pick(world, source, "number")
    if found is None or not found[1].part.add:
        return None
    table, column, where, rows, without = found
    group = part(source, table, rows, column) if source.chance(70) else None
    totals = metrics.grouped(rows, group).values() if group else [rows]
    if any(not metrics.aggregate_value(column, group_rows) for group_rows in totals):
        return None
    key = keyed(source, table)
    over = f"PARTITION BY {group.name}" if group else ""
    alias = source.pick("share_pct", "pct", f"pct_of_{group.name}" if group else "pct_of_all")
    columns = list(dict.fromkeys([*([group.name] if group else []), key.name, column.name]))
    sql = (
        f"SELECT {', '.join(columns)}, {column.name} * 100.0 / SUM({column.name}) OVER ({over}) AS {alias} "
        f"FROM {table.name}{where};"
    )
    total = f"the total of its {group.say}" if group else f"the total of all {table.many}"
    lead = source.pick(
        f"What percentage (0 to 100, not rounded) of {total} does the {column.say} of each {table.one} make up?",
        f"Show the {column.say} of every {table.one} also as a percentage of {total}, 0 to 100 and unrounded.",
        f"How big is the share of each {table.one} in {total}, by {column.say}, as an unrounded percentage?",
    )
    says = [*([group.say] if group else []), key.say, column.say, "percentage"]
    return Draft(asked(source, world, lead + without, says), sql, f"Divides each {column.say} by {total}.")


def gap(world: World, source: Source) -> Draft | None:
    """How far each value is from the best or the average of its part."""
    found = pick(world, source, "number")
    if found is None:
        return None
    table, column, where, rows, without = found
    group = part(source, table, rows, column)
    if group is None:
        return None
    key = keyed(source, table)
    over = f"OVER (PARTITION BY {group.name})"
    expression, alias, tells = source.pick(
        (f"MAX({column.name}) {over} - {column.name}", "below_top", f"its distance to the highest of its {group.say}"),
        (f"{column.name} - MIN({column.name}) {over}", "above_low", f"its distance from the lowest of its {group.say}"),
        (f"{column.name} - AVG({column.name}) {over}", "diff_from_avg",
         f"its difference from the average of its {group.say} (negative if it is below)"),
        (f"AVG({column.name}) {over}", f"avg_{column.name}", f"the average {column.say} of its {group.say}"),
    )  # fmt: skip
    sql = f"SELECT {group.name}, {key.name}, {column.name}, {expression} AS {alias} FROM {table.name}{where};"
    lead = source.pick(
        f"For each {table.one}, show its {column.say} and {tells}.",
        f"Compare the {column.say} of every {table.one} with the others of the same {group.say}: {tells}.",
        f"List all {table.many} with their {column.say} and, for each, {tells}.",
    )
    says = [group.say, key.say, column.say, "that " + source.pick("figure", "value", "number")]
    return Draft(asked(source, world, lead + without, says), sql, f"Compares each {column.say} within its {group.say}.")


def per_day(world: World, source: Source) -> Draft | None:
    """One line a group with its count, and the share of all or the running count."""
    usable = [(t, c) for t in world.tables.values() for c in t.of("category", "date", "year") if not c.nullable]
    usable = [(t, c) for t, c in usable if 1 < len({r[c.id] for r in world.rows[t.name]}) < len(world.rows[t.name])]
    if not usable:
        return None
    table, column = source.choice(usable)
    alias = f"{metrics.snake(table.one)}_count"
    if column.kind in ("date", "year"):
        expression, other = f"SUM(COUNT(*)) OVER (ORDER BY {column.name})", "so_far"
        tells = f"the cumulative number of {table.many} up to and including it"
    else:
        expression, other = "COUNT(*) * 100.0 / SUM(COUNT(*)) OVER ()", "pct_of_all"
        tells = f"its percentage of all {table.many} (0 to 100, unrounded)"
    sql = (
        f"SELECT {column.name}, COUNT(*) AS {alias}, {expression} AS {other} FROM {table.name} GROUP BY {column.name};"
    )
    lead = source.pick(
        f"One row for each {column.say} with the number of {table.many} and {tells}.",
        f"For each {column.say}, count the {table.many} and add {tells}.",
        f"By {column.say}, show how many {table.many} there are, together with {tells}.",
    )
    return Draft(phrases.opened(source, world.domain, lead), sql, f"Counts {table.many} per {column.say} and compares.")
