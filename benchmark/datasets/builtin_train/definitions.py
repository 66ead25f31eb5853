"""Data definition: views, tables, columns and indexes.

Promises: every name that the result has is in the request; what is altered or dropped has nothing that depends on it.
Does not: change the type of a column, which SQLite cannot.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from benchmark.datasets.builtin_train import conditions, joins, metrics, multijoins, phrases, selection
from benchmark.datasets.builtin_train.naming import PLAIN, all_joins, naming
from benchmark.datasets.builtin_train.phrases import Draft
from benchmark.datasets.builtin_train.schemas import Table, sql_type
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import World

_NOTES = (
    ("remarks", "TEXT", "remarks"),
    ("checked_on", "DATE", "the date of a check"),
    ("checked_by", "VARCHAR(30)", "the person who checked it"),
    ("priority", "INTEGER", "a priority"),
    ("is_archived", "INTEGER", "whether it is archived"),
    ("external_ref", "VARCHAR(20)", "a reference of another system"),
    ("rating_avg", "REAL", "an average rating"),
    ("photo_url", "TEXT", "the address of a photo"),
    ("updated_on", "DATE", "the day of the last change"),
    ("source_name", "VARCHAR(40)", "where the entry came from"),
    ("weight_factor", "REAL", "a weighting factor"),
    ("review_note", "VARCHAR(100)", "a note for the review"),
)
_NEW_TABLES = (
    ("{one}_notes", "note_id", "note_text TEXT NOT NULL", "a mandatory text column note_text (type TEXT)"),
    ("{one}_photos", "photo_id", "file_name VARCHAR(80) NOT NULL", "a mandatory file_name of type VARCHAR(80)"),
    ("{one}_costs", "cost_id", "amount DECIMAL(8,2)", "an amount of type DECIMAL(8,2)"),
    ("{one}_checks", "check_id", "checked_on DATE NOT NULL", "a mandatory date column checked_on (type DATE)"),
    ("{one}_contacts", "contact_id", "contact_name VARCHAR(40)", "a contact_name of type VARCHAR(40)"),
    ("{one}_measurements", "measurement_id", "reading REAL", "a reading of type REAL"),
    ("{one}_history", "entry_id", "changed_on DATE NOT NULL", "a mandatory changed_on of type DATE"),
)


def view(world: World, source: Source) -> Draft | None:
    """A view of the rows that pass a condition, under their own column names."""
    table = source.choice(list(world.tables.values()))
    found = conditions.some(source, world.rows[table.name], table.columns, source.pick(1, 1, 2))
    if found is None:
        return None
    columns = selection.shown(source, table, found, most=4)
    name = f"{source.pick('current', 'selected', 'special', 'listed', 'report', 'v')}_{table.name}"
    who = conditions.who(table, found)
    says = phrases.listing([column.name for column in columns])
    request = source.pick(
        f"Create a view {name} that lists {says} (in that order) for all {who.many}.",
        f"I need a view called {name} with the columns {says} of the {who.many}.",
        f"Define the view {name}: {says} of every {who.one}, in this order.",
        f"Set up a view named {name} showing {says} for the {who.many}.",
    )
    sql = f"CREATE VIEW {name} AS SELECT {PLAIN.refs(columns)} FROM {table.name}{PLAIN.where(found)};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Defines a view of the {who.many}.")


def summary_view(world: World, source: Source) -> Draft | None:
    """A view with one line a group."""
    table = source.choice(list(world.tables.values()))
    usable = [c for c in table.of("category", "ref") if len({row[c.id] for row in world.rows[table.name]}) > 1]
    if not usable:
        return None
    column, metric = source.choice(usable), metrics.count(table)
    name = f"{table.name}_by_{column.name}"
    request = source.pick(
        f"Create a view {name} with {column.name} and the number of {table.many} for each, the latter in a column"
        f" {metric.alias}.",
        f"Set up a view called {name} that counts the {table.many} per {column.say}; columns {column.name} and"
        f" {metric.alias}.",
    )
    sql = f"CREATE VIEW {name} AS SELECT {column.name}, {metric.listed} FROM {table.name} GROUP BY {column.name};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Defines a view that counts {table.many}.")


def joined_view(world: World, source: Source) -> Draft | None:
    """A view over three tables."""
    found = multijoins.path(world, source)
    if found is None:
        return None
    child, refs, parents, chain = found
    names = naming(source, child, *parents)
    told = [column for parent in parents for column in (joins.told(source, parent) or [])[-1:]]
    columns = [child.key[0], *told]
    if len({column.name for column in columns}) < 3:
        return None
    name = f"{metrics.snake(child.one)}_overview"
    joined = all_joins(world, names, child, refs, downwards=chain and source.chance(50))
    says = [f"{column.name} of the {column.one}" for column in columns]
    request = source.pick(
        f"Create a view {name} that shows the {phrases.listing(says)} for every {child.one}, in that order.",
        f"I want a view called {name}. For each {child.one} it has the {phrases.listing(says)}, in that order.",
    )
    sql = f"CREATE VIEW {name} AS SELECT {names.refs(columns)} {joined};"
    return Draft(phrases.opened(source, world.domain, request), sql, "Defines a view that joins three tables.")


def copy(world: World, source: Source) -> Draft | None:
    """A new table made of some rows of another."""
    table = source.choice(list(world.tables.values()))
    found = conditions.some(source, world.rows[table.name], table.columns, 1)
    if found is None:
        return None
    columns = selection.shown(source, table, found, most=4)
    name = f"{table.name}_{source.pick('copy', 'archive', 'selection', 'backup', 'extract')}"
    who = conditions.who(table, found)
    says = phrases.listing([column.name for column in columns])
    request = source.pick(
        f"Copy the {who.many} into a new table named {name}; it should hold {says} and no other columns.",
        f"Make a table {name} from all {who.many}, with the columns {says}.",
        f"Save {says} of the {who.many} as a new table called {name}.",
    )
    sql = f"CREATE TABLE {name} AS SELECT {PLAIN.refs(columns)} FROM {table.name}{PLAIN.where(found)};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Creates a table of the {who.many}.")


def _leaf(world: World, source: Source) -> Table:
    return source.choice(world.leaves())


def add_column(world: World, source: Source) -> Draft | None:
    """A new column, with or without a default."""
    table = _leaf(world, source)
    name, kind, meaning = source.choice(_NOTES)
    if any(column.name == name for column in table.columns):
        return None
    default = " DEFAULT 0" if kind == "INTEGER" and source.chance(70) else ""
    article = f"an {kind}" if kind[0] in "AEIOU" else f"a {kind}"
    words = source.pick(" with the default 0", ", 0 by default", ", defaulting to 0") if default else ""
    request = source.pick(
        f"Add a column {name} of type {kind}{words} to the {table.name} table.",
        f"We want to keep {meaning} for every {table.one}. Add {article} column {name}{words}.",
        f"The table {table.name} needs a new {kind} column called {name}{words}.",
        f"Extend {table.name} by a column {name} ({kind}){words}.",
        f"Please give the {table.many} a column named {name}, type {kind}{words}.",
    )
    sql = f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}{default};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Adds a column to {table.name}.")


def rename_column(world: World, source: Source) -> Draft | None:
    """Another name for a column."""
    table = _leaf(world, source)
    usable = [c for c in table.of("category", "number", "date", "text") if c.name not in table.keys]
    if not usable:
        return None
    column = source.choice(usable)
    new = source.pick(f"{metrics.snake(table.one)}_{column.name}", f"{column.name}_value", f"new_{column.name}")
    request = source.pick(
        f"In the {table.name} table, rename the column {column.name} to {new}.",
        f"Rename {column.name} in {table.name} to {new}.",
        f"The column {column.name} of the {table.many} should be called {new} from now on.",
    )
    sql = f"ALTER TABLE {table.name} RENAME COLUMN {column.name} TO {new};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Renames one column of {table.name}.")


def index(world: World, source: Source) -> Draft | None:
    """An index on one or two columns."""
    table = source.choice(list(world.tables.values()))
    usable = [c for c in table.columns if c.name not in table.keys and c.kind != "text"]
    columns = source.sample(usable, source.pick(1, 1, 2))
    if not columns:
        return None
    unique = columns[0].kind == "name" and len(columns) == 1
    name = f"idx_{table.name}_{'_'.join(column.name for column in columns)}"
    on = " first and ".join(column.name for column in columns) + (" second" if len(columns) > 1 else "")
    says = phrases.listing([column.say for column in columns])
    kind = "a unique index" if unique else "an index"
    request = source.pick(
        f"Searching the {table.many} by {says} is slow. Add {kind} named {name} on {table.name}, on {on}.",
        f"Create {kind} {name} on the {table.name} table, on {on}.",
        f"Please put {kind} called {name} on {on} of {table.name}.",
        f"We look up {table.many} by {says} all the time; make {kind} {name} on {on} in {table.name}.",
    )
    listed = ", ".join(column.name for column in columns)
    sql = f"CREATE {'UNIQUE ' if unique else ''}INDEX {name} ON {table.name} ({listed});"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Creates an index on {table.name}.")


def new_table(world: World, source: Source) -> Draft | None:
    """A new table that refers to one of the others."""
    parent = source.choice(list(world.tables.values()))
    if len(parent.keys) > 1:
        return None
    pattern, key, column, meaning = source.choice(_NEW_TABLES)
    name = pattern.replace("{one}", metrics.snake(parent.one))
    ref, kind = parent.key[0].name, sql_type(parent.key[0], world.tables)
    if name in world.tables or ref == key:
        return None
    must = source.chance(50)
    sql = (
        f"CREATE TABLE {name} ({key} INTEGER PRIMARY KEY, {ref} {kind}{' NOT NULL' if must else ''} "
        f"REFERENCES {parent.name}({ref}), {column});"
    )
    refers = f"{'a mandatory' if must else 'a'} {ref} of type {kind} that references the {parent.name} table"
    request = source.pick(
        f"Set up a table {name} with an integer primary key {key}, {refers}, and {meaning}.",
        f"Create a new table {name}. It has an integer primary key {key}, {refers}, and {meaning}.",
        f"We need a table called {name}: {key} as integer primary key, {refers}, {meaning}.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Creates a table that refers to {parent.name}.")


def drop(world: World, source: Source) -> Draft | None:
    """A table that goes."""
    table = _leaf(world, source)
    request = source.pick(
        f"The {table.name} table is no longer needed. Drop it.",
        f"Remove the whole table {table.name} from the database.",
        f"The {table.many} are kept in another system now, so drop the table {table.name} completely.",
        f"Get rid of the table {table.name}, structure and all.",
        f"Please drop {table.name}.",
    )
    return Draft(
        phrases.opened(source, world.domain, request), f"DROP TABLE {table.name};", f"Drops the table {table.name}."
    )
