"""Data manipulation with a nested query: rows changed or deleted by what they belong to.

Promises: as in writes; both the nested condition and the outer one change which rows are touched.
Does not: correlate UPDATE with more than one row of another table.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from benchmark.datasets.builtin_train import conditions, phrases, selection, writes
from benchmark.datasets.builtin_train.conditions import Condition
from benchmark.datasets.builtin_train.joins import link, parent_filter
from benchmark.datasets.builtin_train.naming import PLAIN, naming
from benchmark.datasets.builtin_train.phrases import Draft
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import World, literal


def remove_by_parent(world: World, source: Source) -> Draft | None:
    """Delete rows whose parent passes a condition."""
    leaves = {table.name for table in world.leaves()}
    ref, child, parent = link(world, source)
    rows = world.joined(child, ref)
    above = parent_filter(source, parent, rows)
    below = conditions.some(source, rows, [c for c in child.columns if c is not ref], 1) if source.chance(50) else []
    if child.name not in leaves or above is None or below is None or not conditions.needed(rows, [*above[0], *below]):
        return None
    tests = [condition.sql(condition.column.name) for condition in below] + [_nested(ref, parent, above[0])]
    who = conditions.who(child, below, selection.belongs(ref, above[1]))
    sql = f"DELETE FROM {child.name} WHERE {' AND '.join(tests)};"
    return Draft(
        writes.remove_words(world, source, who), sql, f"Deletes {child.many} by a condition on their {parent.one}."
    )


def _nested(ref: Column, parent: Table, found: list[Condition]) -> str:
    named = found[0].column is parent.label and " = " in found[0].template
    return f"{ref.name} {'=' if named else 'IN'} (SELECT {parent.key[0].name} FROM {parent.name}{PLAIN.where(found)})"


def set_by_parent(world: World, source: Source) -> Draft | None:
    """Change rows whose parent passes a condition."""
    ref, child, parent = link(world, source)
    rows = world.joined(child, ref)
    above = parent_filter(source, parent, rows)
    columns = [c for c in writes.settable(child) if c.kind in ("category", "number")]
    if above is None or not columns:
        return None
    below = conditions.some(source, rows, [c for c in child.columns if c is not ref], 1) if source.chance(30) else []
    if below is None or not conditions.needed(rows, [*above[0], *below]):
        return None
    column = source.choice(columns)
    kept = conditions.kept(rows, [*above[0], *below])
    cell = writes.other_value(source, world, child, column, kept)
    if cell is None or any(condition.column is column for condition in below):
        return None
    tests = [condition.sql(condition.column.name) for condition in below] + [_nested(ref, parent, above[0])]
    who = conditions.who(child, below, selection.belongs(ref, above[1]))
    value = writes.with_unit(source, column, cell)
    request = source.pick(
        f"Set the {column.say} of all {who.many} to {value}.",
        f"Please change the {column.say} to {value} for every {who.one}.",
        f"All {who.many} should get the {column.say} {value}.",
        f"The {column.say} of the {who.many} has to be {value}; put that right.",
    )
    sql = f"UPDATE {child.name} SET {column.name} = {literal(cell)} WHERE {' AND '.join(tests)};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Updates {child.many} by their {parent.one}.")


def remove_childless(world: World, source: Source) -> Draft | None:
    """Delete the parents that nothing refers to."""
    ref, child, parent = link(world, source)
    refs = world.children(parent)
    rows = world.rows[parent.name]
    used = {row[ref.id] for row in world.rows[child.name]}
    idle = [row for row in rows if row[parent.key[0].id] not in used]
    if len(refs) != 1 or not idle or len(idle) == len(rows):
        return None
    names = naming(source, child)
    test = f"{parent.key[0].name} NOT IN (SELECT {ref.name} FROM {child.name})"
    if ref.nullable or source.chance(45):
        key = f"{parent.name}.{parent.key[0].name}"
        test = f"NOT EXISTS (SELECT 1 FROM {names.table(child)} WHERE {names.ref(ref)} = {key})"
    words = source.pick(f"that have no {child.one}", f"without any {child.many}", f"that no {child.one} belongs to")
    request = source.pick(
        f"Delete the {parent.many} {words}.",
        f"Clean up: remove all {parent.many} {words}.",
        f"Take every {parent.one} off the list for which there is no {child.one}.",
    )
    sql = f"DELETE FROM {parent.name} WHERE {test};"
    return Draft(phrases.opened(source, world.domain, request), sql, f"Deletes {parent.many} without {child.many}.")


def move(world: World, source: Source) -> Draft | None:
    """Point a row to another parent, both of them named. DuckDB cannot where others refer to the row."""
    ref, child, parent = link(world, source)
    if world.children(child):
        return None
    row = source.choice(world.rows[child.name])
    target = source.choice(world.rows[parent.name])
    if parent.label.kind != "name" or row[ref.id] == target[parent.key[0].id] or ref.name in child.keys:
        return None
    by = source.choice([child.label, child.key[0]])
    name = str(row[by.id]) if by.kind == "name" else f"{child.one} {row[by.id]}"
    to = str(target[parent.label.id])
    sql = (
        f"UPDATE {child.name} SET {ref.name} = (SELECT {parent.key[0].name} FROM {parent.name} "
        f"WHERE {parent.label.name} = {literal(to)}) WHERE {by.name} = {literal(row[by.id])};"
    )
    request = source.pick(
        f"{phrases.capital(name)} belongs to the {parent.one} {to}, not where it is now. Please correct the {ref.say}.",
        f"Change the {ref.say} of {name} to that of {to}.",
        f"Move {name} over to the {parent.one} {to}.",
        f"Assign {name} to the {parent.one} {to}.",
    )
    return Draft(
        phrases.opened(source, world.domain, request), sql, f"Looks up the {parent.one} and reassigns one {child.one}."
    )
