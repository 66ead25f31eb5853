"""Set operations: what two queries have in common, apart, or together.

Promises: neither side is empty, and the operation changes the answer (UNION removes a repeat, EXCEPT removes a row).
Does not: combine more than three queries.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from benchmark.datasets.builtin_train import conditions, metrics, phrases
from benchmark.datasets.builtin_train.conditions import Condition
from benchmark.datasets.builtin_train.joins import link
from benchmark.datasets.builtin_train.naming import PLAIN, naming
from benchmark.datasets.builtin_train.phrases import Draft, Who
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Cell, World


def _two(world: World, source: Source, child: Table, ref: Column) -> tuple[list[Condition], list[set[Cell]]] | None:
    """Two conditions on a child, and the parents that each of them reaches."""
    rows = [row for row in world.rows[child.name] if row[ref.id] is not None]
    marks = [c for c in child.of("category") if len({row[c.id] for row in rows} - {None}) > 1]
    if marks and source.chance(65):
        mark = source.choice(marks)
        values = sorted({str(row[mark.id]) for row in rows if row[mark.id] is not None})
        found = [conditions.equal(source, mark, value) for value in source.sample(values, 2)]
    else:
        usable = [c for c in child.columns if c is not ref]
        found = [made for c in source.sample(usable, 2) if (made := conditions.on(source, rows, c))]
    if len(found) < 2:
        return None
    return found, [{row[ref.id] for row in rows if condition.keeps(row)} for condition in found]


def both_or_not(world: World, source: Source) -> Draft | None:
    """Parents that have children of two kinds (INTERSECT), or of one and not of the other (EXCEPT)."""
    ref, child, parent = link(world, source)
    two = _two(world, source, child, ref)
    if two is None:
        return None
    found, (left, right) = two
    operator = source.pick("INTERSECT", "EXCEPT")
    every = {row[ref.id] for row in world.rows[child.name]} - {None}
    result = left & right if operator == "INTERSECT" else left - right
    without = (left, right) if operator == "INTERSECT" else (left, every - right)
    if not result or result in without:
        return None
    first, second = (conditions.who(child, [condition]) for condition in found)
    named = parent.label.kind == "name" and source.chance(40)
    if named:
        names = naming(source, parent, child)
        begin = f"SELECT {names.ref(parent.label)} FROM {names.table(parent)} {names.back(world, ref)}"
        parts = [f"{begin}{names.where([condition])}" for condition in found]
        shown = parent.label.say
    else:
        parts = [f"SELECT {ref.name} FROM {child.name}{PLAIN.where([condition])}" for condition in found]
        shown = ref.say
    sql = f"{parts[0]} {operator} {parts[1]};"
    request = (
        _both_words(source, parent, shown, first, second)
        if operator == "INTERSECT"
        else _not_words(source, parent, shown, first, second)
    )
    does = "Intersects" if operator == "INTERSECT" else "Subtracts one from the other:"
    return Draft(
        phrases.opened(source, world.domain, request), sql, f"{does} the {parent.many} of two kinds of {child.many}."
    )


def _both_words(source: Source, parent: Table, say: str, first: Who, second: Who) -> str:
    return source.pick(
        f"Which {parent.many} have {first.many} as well as {second.many}? Just the {say}.",
        f"Give the {say} of {parent.many} with both {first.many} and {second.many}.",
        f"{phrases.capital(metrics.plural(say))} of the {parent.many} that have {first.many} and also"
        f" {second.many}, please.",
        f"Find the {parent.many} that occur with {first.many} and also with {second.many}; the {say} is enough.",
        f"I need the {say} of every {parent.one} having at least one {first.one} and at least one {second.one}.",
    )


def _not_words(source: Source, parent: Table, say: str, first: Who, second: Who) -> str:
    return source.pick(
        f"Which {parent.many} have {first.many} but no {second.many}? Only the {say}.",
        f"Give me the {say} of {parent.many} with {first.many} that have no {second.many}.",
        f"{phrases.capital(metrics.plural(say))} of {parent.many} that have {first.many} but never"
        f" {second.many}, please.",
        f"I want the {parent.many} with at least one {first.one}, without those that also have {second.many}."
        f" {phrases.capital(say)} will do.",
        f"List the {say} of each {parent.one} having some {first.one} yet not a single {second.one}.",
    )


def either(world: World, source: Source) -> Draft | None:
    """Parents found in one child table or in another, without repeats."""
    parents = [t for t in world.tables.values() if len({ref.table for ref in world.children(t)}) > 1]
    if not parents:
        return None
    parent = source.choice(parents)
    refs = [ref for ref in source.shuffled(world.children(parent)) if not ref.nullable]
    if len({ref.table for ref in refs}) < 2:
        return None
    first = refs[0]
    second = next(ref for ref in refs if ref.table != first.table)
    parts, words, keys = [], [], []
    for ref in (first, second):
        table = world.tables[ref.table]
        rows = world.rows[table.name]
        found = conditions.some(source, rows, [c for c in table.columns if c is not ref], 1)
        if found is None:
            return None
        parts.append(f"SELECT {ref.name} FROM {table.name}{PLAIN.where(found)}")
        words.append(conditions.who(table, found))
        keys.append([row[ref.id] for row in conditions.kept(rows, found)])
    union, every = set(keys[0] + keys[1]), [{row[ref.id] for row in world.rows[ref.table]} for ref in (first, second)]
    if len(union) == len(keys[0] + keys[1]) or union in (set(keys[0]) | every[1], set(keys[1]) | every[0]):
        return None
    say, (one, two) = first.say, words
    request = source.pick(
        f"I'd like one list, without repeats, of the {metrics.plural(say)} of all {parent.many} that have"
        f" {one.many} or {two.many}.",
        f"Which {parent.many} have {one.many}, or {two.many}, or both? Each {say} once.",
        f"Give the {say} of every {parent.one} with at least one {one.one} or at least one {two.one}, each just once.",
        f"Put together the {metrics.plural(say)} found among the {one.many} and among the {two.many}; no duplicates.",
    )
    return Draft(
        phrases.opened(source, world.domain, request),
        f"{parts[0]} UNION {parts[1]};",
        f"Unites the {parent.many} of two tables.",
    )


def either_here(world: World, source: Source) -> Draft | None:
    """Rows of one table that pass one condition or another, by UNION."""
    table = source.choice(list(world.tables.values()))
    rows, key = world.rows[table.name], table.key[0]
    found = [made for c in source.sample(table.columns[1:], 2) if (made := conditions.on(source, rows, c))]
    if len(found) < 2:
        return None
    left, right = ({row[key.id] for row in rows if condition.keeps(row)} for condition in found)
    if not left & right or left <= right or right <= left or len(left | right) == len(rows):
        return None
    parts = [f"SELECT {key.name} FROM {table.name}{PLAIN.where([condition])}" for condition in found]
    one, two = (conditions.who(table, [condition]) for condition in found)
    request = source.pick(
        f"I need the {metrics.plural(key.say)}, each just once, of the {one.many} together with the {two.many}.",
        f"One list of {metrics.plural(key.say)} without repeats: the {one.many}, and the {two.many}.",
        f"Combine the {one.many} with the {two.many} and give each {key.say} once.",
    )
    return Draft(
        phrases.opened(source, world.domain, request),
        f"{parts[0]} UNION {parts[1]};",
        f"Unites two kinds of {table.many}.",
    )


def unused(world: World, source: Source) -> Draft | None:
    """Keys of parents that no child mentions, by EXCEPT."""
    ref, child, parent = link(world, source)
    key = parent.key[0]
    rows = world.rows[parent.name]
    found = conditions.some(source, rows, parent.columns[1:], 1) if source.chance(40) else []
    mentioned = {row[ref.id] for row in world.rows[child.name]}
    kept = {row[key.id] for row in conditions.kept(rows, found or [])}
    if found and kept - mentioned == {row[key.id] for row in rows} - mentioned:
        return None
    if found is None or not kept - mentioned or not kept & mentioned or ref.nullable:
        return None
    sql = f"SELECT {key.name} FROM {parent.name}{PLAIN.where(found)} EXCEPT SELECT {ref.name} FROM {child.name};"
    who = conditions.who(parent, found)
    request = source.pick(
        f"Which {who.many} do not occur in any {child.one}? Just the {metrics.plural(key.say)}.",
        f"Do we have {who.many} that no {child.one} refers to? Give the {key.say}.",
        f"{phrases.capital(metrics.plural(key.say))} of {who.many} for which there is no {child.one}, please.",
        f"List the {key.say} of all {who.many} except those that appear among the {child.many}.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Removes {parent.many} that have {child.many}.")


def overview(world: World, source: Source) -> Draft | None:
    """A few labelled counts, one line each."""
    lines: list[str] = []
    words = []
    for table in source.sample(list(world.tables.values()), source.pick(2, 3)):
        found = conditions.some(source, world.rows[table.name], table.columns, 1)
        if found is None:
            return None
        label = conditions.who(table, found).many
        alias = (" AS label", " AS how_many") if not lines else ("", "")
        short = (
            f"{table.many} {source.pick('selected', 'counted', 'found')}" if len(label) > 32 or "'" in label else label
        )
        lines.append(f"SELECT '{short}'{alias[0]}, COUNT(*){alias[1]} FROM {table.name}{PLAIN.where(found)}")
        words.append(f"'{short}' with the number of {label}")
    request = source.pick(
        f"Make me an overview with a label and a number on each line: {phrases.listing(words)}.",
        f"I need {len(words)} lines, each with a label and a count - {phrases.listing(words)}.",
        f"A short status list, please, label and number: {phrases.listing(words)}.",
    )
    return Draft(
        phrases.opened(source, world.domain, request),
        " UNION ALL ".join(lines) + ";",
        "Stacks several counts under labels.",
    )


def timeline(world: World, source: Source) -> Draft | None:
    """Dates of two tables in one list, each line with the kind of event."""
    dated = [t for t in world.tables.values() if [c for c in t.of("date") if not c.nullable]]
    if len(dated) < 2:
        return None
    parts: list[str] = []
    words = []
    for table in source.sample(dated, 2):
        column = next(c for c in table.of("date") if not c.nullable)
        found = conditions.some(source, world.rows[table.name], [c for c in table.columns if c is not column], 1)
        if found is None:
            return None
        kind = table.one
        alias = (" AS event_date", " AS kind") if not parts else ("", "")
        parts.append(f"SELECT {column.name}{alias[0]}, '{kind}'{alias[1]} FROM {table.name}{PLAIN.where(found)}")
        words.append(f"the {column.say} and the word '{kind}' for each of the {conditions.who(table, found).many}")
    order = source.pick("", " ORDER BY event_date, kind")
    request = source.pick(
        f"Build one list of dates and kinds: {words[0]}, and {words[1]}. Keep repeats",
        f"Make a timeline with two columns, {words[0]} and {words[1]}, repeats kept",
        f"I want a single list with {words[0]}, followed by {words[1]}; nothing is to be merged",
    )
    request += (
        source.pick(", earliest first and by kind within a day.", ", in order of date and then kind.") if order else "."
    )
    return Draft(
        phrases.opened(source, world.domain, request),
        f"{' UNION ALL '.join(parts)}{order};",
        "Appends the dates of one table to those of another.",
    )
