"""Retrieval with exactly one join: inner, left, and the join that looks for what is not there.

Promises: a condition on either side changes the answer; a left join is asked for in words.
Does not: join a table to itself.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from benchmark.datasets.builtin_train import conditions, phrases, selection
from benchmark.datasets.builtin_train.conditions import Condition
from benchmark.datasets.builtin_train.naming import Names, all_joins, naming
from benchmark.datasets.builtin_train.phrases import Draft, Who
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Row, World


def link(world: World, source: Source) -> tuple[Column, Table, Table]:
    """A column that refers to another table, its own table, and the other one."""
    ref = source.choice(world.refs())
    return ref, world.tables[ref.table], world.parent(ref)


def complete(world: World, child: Table, *refs: Column) -> bool:
    """Whether no row of the child is lost when it is joined to its parents."""
    return len(world.joined(child, *refs)) == len(world.rows[child.name])


def parent_filter(source: Source, parent: Table, rows: list[Row]) -> tuple[list[Condition], str] | None:
    """A condition on the parent of rows, and what the parents are then called: one name, or a kind of them."""
    if source.chance(35) and parent.label.kind == "name":
        row = source.choice(rows)
        label = parent.label
        name = conditions.equal(source, label, row[label.id])
        return ([name], selection.called(parent, row)) if conditions.needed(rows, [name]) else None
    found = conditions.some(source, rows, parent.columns, 1)
    return (found, conditions.who(parent, found).many) if found else None


def joined(world: World, source: Source) -> Draft | None:
    """Rows with columns of their parent, filtered on either side."""
    ref, child, parent = link(world, source)
    rows = world.joined(child, ref)
    shape = source.pick("parent", "parent", "both", "child" if complete(world, child, ref) else "parent")
    above = parent_filter(source, parent, rows) if shape != "child" else ([], "")
    below = conditions.some(source, rows, child.columns, 1) if shape != "parent" else []
    if above is None or below is None or not conditions.needed(rows, [*below, *above[0]]):
        return None
    kept = conditions.kept(rows, [*below, *above[0]])
    names = naming(source, child, parent)
    columns = _both(source, child, parent, ref, [*below, *above[0]])
    order = selection.ordering(source, kept, [c for c in columns if c.table == child.name], child, names)
    joins = all_joins(world, names, child, [ref], downwards=source.chance(25))
    sql = f"SELECT {names.refs(columns)} {joins}{names.where([*below, *above[0]])}{order.sql};"
    who = conditions.who(child, below, selection.belongs(ref, above[1]) if above[1] else "")
    says = [selection.qualified(world, column) for column in columns]
    return Draft(
        phrases.ask(source, world.domain, says, who, order.words), sql, f"Joins {child.many} to {parent.many}."
    )


def _both(source: Source, child: Table, parent: Table, ref: Column, found: list[Condition]) -> list[Column]:
    """Columns of both sides; the reference itself is not shown beside the parent's name."""
    mine = [column for column in selection.shown(source, child, found, most=3) if column is not ref]
    theirs = [parent.label]
    others = [c for c in parent.of("category", "number", "date", "year") if all(c is not f.column for f in found)]
    if (parent.label is parent.key[0] or source.chance(25)) and others:
        theirs = source.sample(others, 1)
    return [*mine[:1], *theirs, *mine[1:]] if source.chance(60) else [*mine, *theirs]


def told(source: Source, parent: Table) -> list[Column] | None:
    """Columns that tell which parent is meant and that a child does not have: its name, or its key and another."""
    if parent.label.kind == "name":
        return [parent.label]
    others = parent.of("category", "number", "date", "year")
    return [parent.key[0], source.choice(others)] if others else None


def kept_left(world: World, source: Source) -> Draft | None:
    """Rows with their parent's name, and those that have no parent too."""
    ref, child, parent = link(world, source)
    rows = world.rows[child.name]
    found = conditions.some(source, rows, [c for c in child.columns if c is not ref], 1)
    if not ref.nullable or found is None or all(row[ref.id] is not None for row in conditions.kept(rows, found)):
        return None
    names = naming(source, child, parent)
    key, label = child.label, parent.label
    sql = (
        f"SELECT {names.refs([key, label])} FROM {names.table(child)} {names.join(world, ref, 'LEFT JOIN')}"
        f"{names.where(found)};"
    )
    question = phrases.ask(
        source, world.domain, [key.say, selection.qualified(world, label)], conditions.who(child, found)
    )
    extra = source.pick(
        f" Include {child.many} without {phrases.article(parent.one)}, with the {label.say} left empty.",
        f" {phrases.capital(phrases.article(child.one))} that has no {parent.one} must still be listed.",
        f" Keep those that have no {parent.one}; their {label.say} stays empty.",
    )
    closed = question if question.endswith((".", "?")) else f"{question}."
    return Draft(f"{closed}{extra}", sql, f"A left join keeps {child.many} that have no {parent.one}.")


def childless(world: World, source: Source) -> Draft | None:
    """Parents that have no child, or no child that passes a condition."""
    ref, child, parent = link(world, source)
    parents = {row[parent.key[0].id] for row in world.rows[parent.name]}
    found = conditions.some(source, world.rows[child.name], child.columns, 1) if source.chance(40) else []
    if found is None:
        return None
    having = {row[ref.id] for row in conditions.kept(world.rows[child.name], found)} - {None}
    if not having or having == parents or any(c.column is ref for c in found):
        return None
    if found and having == {row[ref.id] for row in world.rows[child.name]} - {None}:
        return None
    names = naming(source, parent, child)
    columns = selection.shown(source, parent, most=2)
    on = names.where(found, " AND").replace("  ", " ")
    sql = (
        f"SELECT {names.refs(columns)} FROM {names.table(parent)} {names.back(world, ref, 'LEFT JOIN')}"
        f"{on} WHERE {names.ref(child.key[0])} IS NULL;"
    )
    question = phrases.ask(source, world.domain, [c.say for c in columns], without(source, parent, child, found))
    return Draft(question, sql, f"An anti-join that keeps {parent.many} without matching {child.many}.")


def without(source: Source, parent: Table, child: Table, found: list[Condition]) -> Who:
    """Parents that have no such child, in words."""
    who = conditions.who(child, found)
    ending = source.pick(f"without any {who.many}", f"with no {who.many} at all", f"without a single {who.one}")
    return Who(f"{parent.many} {ending}", f"{parent.one} {ending}")


def counted(world: World, source: Source) -> Draft | None:
    """How many children each parent has, 0 included."""
    ref, child, parent = link(world, source)
    having = {row[ref.id] for row in world.rows[child.name]} - {None}
    if len(having) == len(world.rows[parent.name]):
        return None
    names = naming(source, parent, child)
    label, key = parent.label, parent.key[0]
    alias = f"{child.one.replace(' ', '_').replace('-', '_')}_count"
    shown = source.pick([label], [key, label]) if label is not key else [label]
    order = source.pick("", f" ORDER BY {alias} DESC, {names.ref(key)}")
    sql = (
        f"SELECT {names.refs(shown)}, COUNT({names.ref(child.key[0])}) AS {alias} FROM {names.table(parent)} "
        f"{names.back(world, ref, 'LEFT JOIN')} GROUP BY"
        f" {names.refs([key, label] if label is not key else [key])}{order};"
    )
    says = phrases.listing([column.say for column in shown])
    request = source.pick(
        f"How many {child.many} does each {parent.one} have? Show {says} and the count, 0 included",
        f"For every {parent.one}, give {says} and the number of {child.many}, with 0 where there are none",
        f"List all {parent.many} with {says} and how many {child.many} each has, those with none as 0",
        f"Count the {child.many} of each {parent.one}; {parent.many} without any must appear with 0."
        f" {phrases.capital(says)}"
        " and count",
    )
    request += source.pick(f", most {child.many} first and equal counts by {key.say}.") if order else "."
    return Draft(
        phrases.opened(source, world.domain, request), sql, f"Counts {child.many} per {parent.one}, with zeros."
    )


def parents_of(world: World, source: Source) -> Draft | None:
    """The parents that have a child which passes a condition, each once."""
    ref, child, parent = link(world, source)
    rows = world.joined(child, ref)
    found = conditions.some(source, rows, [c for c in child.columns if c is not ref], 1)
    kept = conditions.kept(rows, found or [])
    keys = {row[parent.key[0].id] for row in kept}
    if found is None or len(keys) == len(kept) or keys == {row[parent.key[0].id] for row in rows}:
        return None
    names: Names = naming(source, parent, child)
    columns = [parent.label] if parent.label is not parent.key[0] else [*parent.key, *parent.of("category")[:1]]
    tables = f"{names.table(parent)} {names.back(world, ref)}"
    sql = f"SELECT DISTINCT {names.refs(columns)} FROM {tables}{names.where(found)};"
    who = conditions.who(child, found)
    says = phrases.listing([c.say for c in columns])
    request = source.pick(
        f"Which {parent.many} have {who.many}? Give the {says}, each once.",
        f"List the {says} of every {parent.one} that has at least one {who.one}, without repeats.",
        f"Name each {parent.one} with one or more {who.many} just once, by {says}.",
        f"I need the {says} of all {parent.many} having {who.many}, no duplicates.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Lists {parent.many} that have {who.many} once.")
