"""Aggregation over one table: GROUP BY with and without HAVING, classes, and conditional sums.

Promises: groups have more than one row somewhere, and a WHERE or HAVING changes the answer.
Does not: join; see multijoins.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from benchmark.datasets.builtin_train import bounds, conditions, groups, metrics, phrases
from benchmark.datasets.builtin_train.conditions import Condition
from benchmark.datasets.builtin_train.metrics import Metric
from benchmark.datasets.builtin_train.naming import PLAIN
from benchmark.datasets.builtin_train.phrases import Draft
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Row, World


def grouping(source: Source, table: Table, rows: list[Row]) -> Column | None:
    """A column of the table that makes two groups or more, one of them of several rows, and is never missing."""
    usable = []
    for column in table.of("category", "ref", "year"):
        values = [row[column.id] for row in rows]
        if None not in values and 1 < len(set(values)) < len(values):
            usable.append(column)
    return source.choice(usable) if usable else None


def by_group(world: World, source: Source) -> Draft | None:
    """Metrics by group; filtered before, after, or both."""
    table = source.choice([t for t in world.tables.values() if len(t.columns) > 3] or list(world.tables.values()))
    rows = world.rows[table.name]
    found = conditions.some(source, rows, table.columns, 1) if source.chance(40) else []
    rows = conditions.kept(rows, found or [])
    column = grouping(source, table, rows)
    if column is None or found is None or any(c.column is column for c in found):
        return None
    made = list(metrics.grouped(rows, column).values())
    chosen = metrics.choose(source, PLAIN, table, size=1 + source.below(2))
    return _report(world, source, table, column, found, made, chosen)


def _report(
    world: World,
    source: Source,
    table: Table,
    column: Column,
    found: list[Condition],
    made: list[list[Row]],
    chosen: list[Metric],
) -> Draft | None:
    bound = groups.bounded(source, made, chosen, such=bool(found)) if source.chance(90 if not found else 75) else None
    kept = [rows for rows in made if bound is None or groups.passes(rows, bound)]
    order = groups.order(source, kept, chosen, column.name, column.say, percent=40)
    having = f" HAVING {bound[1].on(bound[0].sql)}" if bound else ""
    listed = ", ".join(metric.listed for metric in chosen)
    sql = (
        f"SELECT {column.name}, {listed} FROM {table.name}{PLAIN.where(found)} "
        f"GROUP BY {column.name}{having}{order.sql};"
    )
    content = groups.what(conditions.who(table, found), chosen, table.many)
    question = groups.ask(source, world, column.say, content, bound[1] if bound else None, order)
    return Draft(question, sql, f"Groups {table.many} by {column.say}{' and filters the groups' if bound else ''}.")


def distinct_values(world: World, source: Source) -> Draft | None:
    """How many different values each group has."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    column = grouping(source, table, rows)
    others = [c for c in table.of("category", "ref", "date") if c is not column]
    if column is None or not others:
        return None
    chosen = [metrics.distinct(PLAIN, source.choice(others))]
    made = list(metrics.grouped(rows, column).values())
    if all(chosen[0].value(group) == len(group) for group in made):
        return None
    chosen = [metrics.count(table), *chosen] if source.chance(40) else chosen
    return _report(world, source, table, column, [], made, chosen)


def split_count(world: World, source: Source) -> Draft | None:
    """The rows of each group, and how many of them have one value of a category."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    column = grouping(source, table, rows)
    marks = [c for c in table.of("category", "flag") if c is not column]
    made = conditions.on(source, rows, source.choice(marks)) if column and marks else None
    if column is None or made is None or not conditions.needed(rows, [made]):
        return None
    test = made.sql(made.column.name)
    alias = source.pick("matching", "of_which", "that_kind", "selected")
    order = source.pick("", f" ORDER BY {column.name}")
    sql = (
        f"SELECT {column.name}, COUNT(*) AS all_{metrics.snake(table.many)}, "
        f"SUM(CASE WHEN {test} THEN 1 ELSE 0 END) AS {alias} FROM {table.name} GROUP BY {column.name}{order};"
    )
    who = conditions.who(table, [made]).many
    request = source.pick(
        f"For each {column.say}, give the number of {table.many} and how many of these are {who}",
        f"By {column.say}, count all {table.many} and separately the {who}",
        f"Per {column.say}: the number of {table.many}, and the number of {who} among them",
        f"I need {column.say}, how many {table.many} there are, and how many of them are {who}",
    )
    request += f", sorted by {column.say}." if order else "."
    return Draft(phrases.opened(source, world.domain, request), sql, f"Counts {table.many} and {who} per {column.say}.")


def rounded(world: World, source: Source) -> Draft | None:
    """An average by group, rounded, for groups of several rows."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    column = grouping(source, table, rows)
    numbers = [c for c in table.of("number") if all(row[c.id] is not None for row in rows)]
    if column is None or not numbers:
        return None
    number, digits = source.choice(numbers), source.pick(1, 2)
    made = list(metrics.grouped(rows, column).values())
    chosen = metrics.aggregate(PLAIN, number, "AVG")
    kept = [group for group in made if len(group) >= 2]
    if any(bounds.half(chosen.value(group), digits) for group in made):
        return None
    having = " HAVING COUNT(*) >= 2" if len(kept) < len(made) else ""
    order = source.pick("", f" ORDER BY {chosen.alias} DESC, {column.name}")
    sql = (
        f"SELECT {column.name}, ROUND({chosen.sql}, {digits}) AS {chosen.alias} FROM {table.name} "
        f"GROUP BY {column.name}{having}{order};"
    )
    places = f"rounded to {digits} decimal{'s' if digits > 1 else ''}"
    request = source.pick(
        f"What is the {chosen.say} of the {table.many} per {column.say}, {places}?",
        f"Give the {chosen.say} ({places}) of {table.many} for each {column.say}.",
        f"By {column.say}, show the {chosen.say} of the {table.many}, {places}.",
    )
    groups_word = metrics.plural(column.say)
    request += f" Leave out {groups_word} with fewer than two {table.many}." if having else ""
    request += f" Highest first, equal ones by {column.say}." if order else ""
    return Draft(phrases.opened(source, world.domain, request), sql, f"Averages {number.say} per {column.say}.")


def classes(world: World, source: Source) -> Draft | None:
    """How many rows fall into each of two or three classes of a number."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    number = next(iter(source.sample(table.of("number"), 1)), None)
    found = number and bounds.threshold(source, [row[number.id] for row in rows], ">=")
    if number is None or not found:
        return None
    value = bounds.shown(found[1], number.decimals)
    missing = any(row[number.id] is None for row in rows)
    case = f"CASE WHEN {number.name} IS NULL THEN 'unknown' " if missing else "CASE "
    case += f"WHEN {number.name} < {value} THEN 'low' ELSE 'high' END"
    alias = f"{number.name}_class"
    sql = f"SELECT {case} AS {alias}, COUNT(*) AS {metrics.snake(table.one)}_count FROM {table.name} GROUP BY {case};"
    unknown = f", 'unknown' where no {number.say} is recorded" if missing else ""
    request = source.pick(
        f"Count the {table.many} by class of {number.say}: 'low' below {value}, 'high' from {value} on{unknown}."
        " One row per class with the class and the count.",
        f"How many {table.many} are 'low' (a {number.say} under {value}) and how many 'high' ({value} or more)?"
        f" Show class and count{unknown}.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Counts {table.many} per class of {number.say}.")


def whole(world: World, source: Source) -> Draft | None:
    """One row of metrics over the rows that pass a condition."""
    table = source.choice(list(world.tables.values()))
    found = conditions.some(source, world.rows[table.name], table.columns, 1)
    if found is None:
        return None
    chosen = metrics.choose(source, PLAIN, table, size=2)
    rows = conditions.kept(world.rows[table.name], found)
    if any(metric.value(rows) is None for metric in chosen):
        return None
    sql = f"SELECT {', '.join(metric.listed for metric in chosen)} FROM {table.name}{PLAIN.where(found)};"
    who = conditions.who(table, found)
    content = groups.what(who, chosen, table.many)
    request = source.pick(
        f"What is the {content}?",
        f"Give me the {content}.",
        f"I need the {content}.",
        f"{phrases.capital(content)}, please.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Aggregates the {who.many}.")


def null_aware(world: World, source: Source) -> Draft | None:
    """How many rows of each group have a value, and its total, for groups that have any."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    column = grouping(source, table, rows)
    numbers = [c for c in table.of("number") if any(row[c.id] is None for row in rows)]
    if column is None or not numbers:
        return None
    number = source.choice(numbers)
    known = [row for row in rows if row[number.id] is not None]
    if len({row[column.id] for row in known}) < 2:
        return None
    function = "SUM" if number.part.add else "AVG"
    chosen = metrics.aggregate(PLAIN, number, function)
    sql = (
        f"SELECT {column.name}, COUNT(*) AS known_count, {chosen.listed} FROM {table.name} "
        f"WHERE {number.name} IS NOT NULL GROUP BY {column.name};"
    )
    request = source.pick(
        f"Leaving aside {table.many} {number.part.none}, give for each {column.say} how many {table.many} there are and"
        f" the {chosen.say}.",
        f"Ignore {table.many} {number.part.none}. Per {column.say}, show the number of remaining {table.many} and"
        f" the {chosen.say}.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Skips missing values of {number.say}.")
