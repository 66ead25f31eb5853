"""Basic retrieval: one table, without a join.

Promises: every condition, DISTINCT and LIMIT changes the answer. Each function returns None where its world does not
offer what it needs.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from benchmark.datasets.builtin_train import bounds, conditions, metrics, phrases, selection
from benchmark.datasets.builtin_train.naming import PLAIN
from benchmark.datasets.builtin_train.phrases import Draft, Who
from benchmark.datasets.builtin_train.schemas import Column
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Row, World, literal

_NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four"}


def filtered(world: World, source: Source) -> Draft | None:
    """Columns of the rows that pass one or two conditions, often in an order."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    found = conditions.some(source, rows, table.columns, source.pick(1, 2, 2, 2))
    if found is None:
        return None
    columns = selection.shown(source, table, found)
    order = selection.ordering(source, conditions.kept(rows, found), columns, table, PLAIN)
    sql = f"SELECT {PLAIN.refs(columns)} FROM {table.name}{PLAIN.where(found)}{order.sql};"
    who = conditions.who(table, found)
    says = [selection.say(source, column) for column in columns]
    return Draft(phrases.ask(source, world.domain, says, who, order.words), sql, f"Keeps the {who.many}.")


def top(world: World, source: Source) -> Draft | None:
    """The few rows that are first in an order."""
    table = source.choice(list(world.tables.values()))
    found = conditions.some(source, world.rows[table.name], table.columns, 1) if source.chance(60) else []
    if found is None:
        return None
    rows = conditions.kept(world.rows[table.name], found)
    measures = [c for c in table.of("number", "date") if all(row[c.id] is not None for row in rows)]
    if len(rows) < 3 or not measures:
        return None
    column = source.choice(measures)
    size = 2 + source.below(min(3, len(rows) - 2))
    falling = source.chance(65)
    if found and _first(rows, column, size, falling) == _first(world.rows[table.name], column, size, falling):
        return None
    order = selection.ordered_by(source, rows, column, table, PLAIN, falling=falling)
    columns = selection.shown(source, table, found, most=2)
    columns += [column] if column not in columns else []
    sql = f"SELECT {PLAIN.refs(columns)} FROM {table.name}{PLAIN.where(found)}{order.sql} LIMIT {size};"
    most = _most(source, conditions.who(table, found), column, size, falling=falling)
    says = [selection.say(source, c) for c in columns]
    question = phrases.ask(source, world.domain, says, most, order.words, top=True)
    return Draft(question, sql, f"Sorts the {table.many} by {column.say} and takes the first {_NUMBERS[size]}.")


def _first(rows: list[Row], column: Column, size: int, falling: bool) -> list[Row]:
    known = [row for row in rows if row[column.id] is not None]
    return sorted(known, key=lambda row: row[column.id], reverse=falling)[:size]  # type: ignore[arg-type, return-value]


def _most(source: Source, who: Who, column: Column, size: int, *, falling: bool) -> Who:
    """'the three harvests with the highest honey weight'; said in the same words for one and for many."""
    dated = column.kind == "date"
    word = ("latest" if dated else "highest") if falling else ("earliest" if dated else "lowest")
    many = f"the {_NUMBERS[size]} {who.many} with the {word} {column.say}"
    if " " in who.many and source.chance(50):
        many = f"the {_NUMBERS[size]} with the {word} {column.say} among the {who.many}"
    return Who(many, f"one of {many}")


def distinct(world: World, source: Source) -> Draft | None:
    """The different values of a column among the rows that pass a condition."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    column = next(iter(source.sample(table.of("category", "ref"), 1)), None)
    if column is None:
        return None
    found = conditions.some(source, rows, [c for c in table.columns if c is not column], 1)
    if found is None:
        return None
    values = [row[column.id] for row in conditions.kept(rows, found)]
    if len(set(values)) in (1, len(values)) or None in values:
        return None
    if set(values) == {row[column.id] for row in rows} - {None}:
        return None
    ordered = source.chance(30)
    order = f" ORDER BY {column.name}" if ordered else ""
    many, who = metrics.plural(column.say), conditions.who(table, found).many
    request = source.pick(
        f"Which {many} occur among the {who}? Name each once",
        f"List the different {many} of the {who}",
        f"Give me every {column.say} found among the {who}, without repeats",
        f"{phrases.capital(many)} of the {who}, each one once",
        f"I need the distinct {many} for all {who}",
        f"What different {many} do we have among the {who}? No repeats, please",
    )
    request += source.pick(f", sorted by {column.say}.", f", in order of {column.say}.") if ordered else "."
    sql = f"SELECT DISTINCT {column.name} FROM {table.name}{PLAIN.where(found)}{order};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Lists each {column.say} of the {who} once.")


def classified(world: World, source: Source) -> Draft | None:
    """Each row with a class that depends on a number."""
    table = source.choice(list(world.tables.values()))
    column = next(iter(source.sample([c for c in table.of("number") if not c.nullable], 1)), None)
    found = column and bounds.threshold(source, [row[column.id] for row in world.rows[table.name]], ">=")
    if column is None or not found:
        return None
    value = bounds.shown(found[1], column.decimals)
    low, high = source.pick(("low", "high"), ("small", "large"), ("normal", "high"), ("minor", "major"), ("B", "A"))
    alias = source.pick("class", "label", "size_class", "category_label", f"{column.name}_class")
    label = table.label if table.label.kind == "name" else table.key[0]
    unit = f" {column.part.unit}".replace(" %", "%") if column.part.unit else ""
    sql = (
        f"SELECT {label.name}, CASE WHEN {column.name} >= {value} THEN '{high}' ELSE '{low}' END AS {alias} "
        f"FROM {table.name};"
    )
    request = source.pick(
        f"Label every {table.one} '{high}' if its {column.say} is {value}{unit} or more and '{low}' otherwise."
        f" Show {label.say} and label.",
        f"For each {table.one} give the {label.say} and a class: '{high}' from a {column.say} of {value}{unit} upwards,"
        f" '{low}' below that.",
        f"Classify the {table.many} by {column.say}: {value}{unit} and up is '{high}', anything less is '{low}'."
        f" {phrases.capital(label.say)} and class.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Assigns each {table.one} to one of two classes.")


def filled(world: World, source: Source) -> Draft | None:
    """A column with a word in place of missing values."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    usable = [c for c in table.of("category", "text") if any(row[c.id] is None for row in rows)]
    column = next(iter(source.sample(usable, 1)), None)
    if column is None:
        return None
    found = conditions.some(source, rows, [c for c in table.columns if c is not column], 1)
    kept = conditions.kept(rows, found or [])
    if found is None or all(row[column.id] is not None for row in kept):
        return None
    word = source.pick("unknown", "none", "n/a", "missing", "not given")
    label = source.choice([table.label, table.key[0]])
    order = selection.ordering(source, kept, [label], table, PLAIN, percent=40)
    sql = (
        f"SELECT {label.name}, COALESCE({column.name}, '{word}') AS {column.name} "
        f"FROM {table.name}{PLAIN.where(found)}{order.sql};"
    )
    says = [label.say, f"{column.say} (write '{word}' where it is missing)"]
    question = phrases.ask(source, world.domain, says, conditions.who(table, found), order.words)
    return Draft(question, sql, f"Shows the {column.say}, with '{word}' in place of a missing one.")


def computed(world: World, source: Source) -> Draft | None:
    """A product of two columns, for the rows where it passes a bound."""
    table = next(iter(source.sample([t for t in world.tables.values() if t.calc], 1)), None)
    if table is None or table.calc is None:
        return None
    left, right = (table.column(name) for name in table.calc[:2])
    say, alias = table.calc[2:]
    products = [row[left.id] * row[right.id] for row in _complete(world.rows[table.name], left, right)]  # type: ignore[operator]
    found = bounds.threshold(source, products, "> >=")
    if found is None:
        return None
    expression = f"{left.name} * {right.name}"
    value = bounds.shown(found[1], 2)
    bound = phrases.bound(source, found[0], value)
    keys = source.pick([table.key[0]], [table.key[0], *table.of("ref")[:1]])
    sql = f"SELECT {PLAIN.refs(keys)}, {expression} AS {alias} FROM {table.name} WHERE {expression} {found[0]} {value};"
    said = f"{say} ({left.say} times {right.say})"
    who = Who(
        f"{table.many} with {phrases.article(say)} of {bound}", f"{table.one} with {phrases.article(say)} of {bound}"
    )
    question = phrases.ask(source, world.domain, [*(c.say for c in keys), said], who)
    return Draft(question, sql, f"Multiplies {left.say} by {right.say} and filters by the result.")


def lettered(world: World, source: Source) -> Draft | None:
    """Names in capitals, or with their length, for names longer than a bound."""
    table = next(iter(source.sample([t for t in world.tables.values() if t.of("name")], 1)), None)
    if table is None:
        return None
    column = table.label
    found = bounds.threshold(source, [len(str(row[column.id])) for row in world.rows[table.name]], "> <")
    if found is None:
        return None
    operator, number = found
    longer = "more" if operator == ">" else "fewer"
    shown, say = source.pick(
        (f"UPPER({column.name}) AS {column.name}_caps", f"{column.say} in capitals"),
        (f"{column.name}, LENGTH({column.name}) AS name_length", f"{column.say} and its length in characters"),
    )
    sql = f"SELECT {shown} FROM {table.name} WHERE LENGTH({column.name}) {operator} {number};"
    plural = table.many
    who = Who(*(f"{noun} whose {column.say} has {longer} than {number} characters" for noun in (plural, table.one)))
    return Draft(phrases.ask(source, world.domain, [say], who), sql, f"Filters {plural} by the length of their name.")


def either(world: World, source: Source) -> Draft | None:
    """Rows that pass at least one of two conditions."""
    table = source.choice(list(world.tables.values()))
    rows = world.rows[table.name]
    found = [made for c in source.sample(table.columns, 2) if (made := conditions.on(source, rows, c))]
    if len(found) < 2 or any(condition.before for condition in found) or not _apart(rows, found):
        return None
    first, second = found
    columns = selection.shown(source, table)
    tests = " OR ".join(condition.sql(condition.column.name) for condition in found)
    sql = f"SELECT {PLAIN.refs(columns)} FROM {table.name} WHERE {tests};"
    who = Who(*(f"{noun} {first.words} or {second.words}" for noun in (table.many, table.one)))
    says = [selection.say(source, column) for column in columns]
    return Draft(
        phrases.ask(source, world.domain, says, who), sql, f"Keeps {table.many} that meet one of two conditions."
    )


def _apart(rows: list[Row], found: list[conditions.Condition]) -> bool:
    """Each of two conditions keeps a row that the other does not, and some row passes neither."""
    passing = [{place for place, row in enumerate(rows) if condition.keeps(row)} for condition in found]
    both = passing[0] | passing[1]
    return len(both) < len(rows) and all(len(part) < len(both) for part in passing)


def _complete(rows: list[Row], *columns: Column) -> list[Row]:
    return [row for row in rows if all(row[column.id] is not None for column in columns)]


def keyed(world: World, source: Source) -> Draft | None:
    """What is on record about one row, found by its name."""
    table = next(iter(source.sample([t for t in world.tables.values() if t.of("name")], 1)), None)
    if table is None:
        return None
    row = source.choice(world.rows[table.name])
    columns = source.kept([c for c in table.columns if c.kind not in ("name", "flag") and row[c.id] is not None], 2)
    name = str(row[table.label.id])
    if len(columns) < 2:
        return None
    sql = f"SELECT {PLAIN.refs(columns)} FROM {table.name} WHERE {table.label.name} = {literal(name)};"
    says = phrases.listing([selection.say(source, column) for column in columns])
    request = source.pick(
        f"What are the {says} of {name}?",
        f"Look up the {says} of {name}.",
        f"Tell me the {says} we hold for the {table.one} {name}.",
        f"{phrases.capital(says)} of {name}, please.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Looks up one {table.one} by name.")
