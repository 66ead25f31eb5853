"""Two joins: reports and lists along a path of three tables.

Promises: groups come from another table than the rows that are counted; conditions on any of them change the answer.
Does not: follow paths of four tables or more.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from benchmark.datasets.builtin_train import conditions, groups, joins, metrics, phrases, selection
from benchmark.datasets.builtin_train.conditions import Condition
from benchmark.datasets.builtin_train.metrics import Metric
from benchmark.datasets.builtin_train.naming import Names, all_joins, naming
from benchmark.datasets.builtin_train.phrases import Draft, Who
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Row, World

Path = tuple[Table, tuple[Column, Column], tuple[Table, Table], bool]


def path(world: World, source: Source) -> Path | None:
    """A table, two references from it on, their tables, and whether they form a chain."""
    found = [pair for pair in world.paths() if joins.complete(world, world.tables[pair[0].table], *pair)]
    if not found:
        return None
    first, second = source.choice(found)
    chain = first.part.to == second.table
    return world.tables[first.table], (first, second), (world.parent(first), world.parent(second)), chain


def group_column(source: Source, tables: tuple[Table, ...], rows: list[Row]) -> Column | None:
    """A name or category of one of the tables that makes several groups and is never missing."""
    usable = [c for table in tables for c in [*table.of("category"), table.label] if c.kind != "key"]
    usable = [c for c in usable if all(row[c.id] is not None for row in rows) and len({row[c.id] for row in rows}) > 1]
    return source.choice(usable) if usable else None


def report(world: World, source: Source) -> Draft | None:
    """Metrics by a column of a parent, with a condition somewhere on the path or a bound on the groups."""
    found = path(world, source)
    if found is None:
        return None
    child, refs, parents, chain = found
    rows = world.joined(child, *refs)
    filters = _filter(source, rows, found) if source.chance(55) or not chain else ([], "")
    kept = conditions.kept(rows, filters[0] if filters else [])
    group = group_column(source, parents[1:], kept) if kept else None
    if filters is None or group is None or any(c.column.table == group.table for c in filters[0]):
        return None
    names = naming(source, child, *parents)
    chosen = metrics.choose(source, names, child, size=1 + source.below(2))
    made = list(metrics.grouped(kept, group).values())
    own = [c for c in filters[0] if c.column.table == child.name]
    who = conditions.who(child, own, filters[1])
    return _grouped(world, source, found, names, group, filters[0], made, chosen, who)


def _filter(source: Source, rows: list[Row], found: Path) -> tuple[list[Condition], str] | None:
    """A condition on the child, or on its first parent (without a chain, what it is joined for), and how"
    " the child is then said to belong."""
    child, refs, parents, chain = found
    if chain and source.chance(50):
        own = conditions.some(source, rows, child.columns, 1)
        return (own, "") if own else None
    above = conditions.some(source, rows, parents[0].of("category", "number", "date", "year", "flag"), 1)
    return (above, selection.belongs(refs[0], conditions.who(parents[0], above).many)) if above else None


def _grouped(
    world: World,
    source: Source,
    found: Path,
    names: Names,
    group: Column,
    filters: list[Condition],
    made: list[list[Row]],
    chosen: list[Metric],
    who: Who,
) -> Draft | None:
    child, refs, parents, chain = found
    say = selection.qualified(world, group)
    bound = groups.bounded(source, made, chosen, such=bool(filters)) if source.chance(55) else None
    having = f" HAVING {bound[1].on(bound[0].sql)}" if bound else ""
    kept = made if bound is None else [rows for rows in made if groups.passes(rows, bound)]
    order = groups.order(source, kept, chosen, names.ref(group), say, percent=50)
    joined = all_joins(world, names, child, refs, downwards=chain and source.chance(65))
    sql = (
        f"SELECT {names.ref(group)}, {', '.join(metric.listed for metric in chosen)} {joined}{names.where(filters)} "
        f"GROUP BY {names.ref(group)}{having}{order.sql};"
    )
    content = groups.what(who, chosen, child.many)
    question = groups.ask(source, world, say, content, bound[1] if bound else None, order)
    return Draft(
        question, sql, f"Joins {child.many} to {phrases.listing([p.many for p in parents])} and groups by {say}."
    )


def with_zeros(world: World, source: Source) -> Draft | None:
    """A total down a chain for every top parent, 0 where there is nothing."""
    found = path(world, source)
    if found is None or not found[3]:
        return None
    child, refs, parents, _ = found
    middle, top = parents
    names = naming(source, child, *parents)
    numbers = [c for c in child.of("number") if c.part.add]
    number = source.choice(numbers) if numbers and source.chance(65) else None
    reached = {row[top.key[0].id] for row in world.joined(child, *refs)}
    if len(reached) == len(world.rows[top.name]):
        return None
    key, label = top.key[0], top.label
    if number:
        alias, say = f"total_{number.name}", f"total {number.say} of their {child.many}"
        measure = f"COALESCE(SUM({names.ref(number)}), 0)"
    else:
        alias, say = f"{metrics.snake(child.one)}_count", f"number of {child.many}"
        measure = f"COUNT({names.ref(child.key[0])})"
    keys = names.refs([key, label]) if label is not key else names.ref(key)
    sql = (
        f"SELECT {names.ref(label)}, {measure} AS {alias} FROM {names.table(top)} "
        f"{names.back(world, refs[1], 'LEFT JOIN')} {names.back(world, refs[0], 'LEFT JOIN')} GROUP BY {keys};"
    )
    request = source.pick(
        f"For all {top.many}, show the {label.say} and the {say}, going by way of the {middle.many}."
        f" {phrases.capital(top.many)} with nothing must appear with 0.",
        f"Every {top.one} with its {label.say} and the {say.replace('their', 'its')} (through its {middle.many}),"
        " 0 where there is none.",
        f"Give me the {label.say} and the {say} for each {top.one}, counted over its {middle.many}; nobody"
        " may be missing,"
        " so write 0 if there are none.",
    )
    return Draft(
        phrases.opened(source, world.domain, request), sql, f"Left joins keep {top.many} without {child.many}."
    )


def different(world: World, source: Source) -> Draft | None:
    """How many different middle things each group has, next to the number of rows."""
    found = path(world, source)
    if found is None or not found[3]:
        return None
    child, refs, parents, _ = found
    rows = world.joined(child, *refs)
    counted = refs[0]
    group = group_column(source, (parents[1],), rows) if rows else None
    names = naming(source, child, *parents)
    if group is None:
        return None
    made = list(metrics.grouped(rows, group).values())
    if all(len({row[counted.id] for row in rows_}) == len(rows_) for rows_ in made):
        return None
    say = selection.qualified(world, group)
    many = parents[0].many
    metric = metrics.Metric(
        f"COUNT(DISTINCT {names.ref(counted)})",
        f"{metrics.snake(parents[0].one)}_count",
        f"number of different {many} involved",
        lambda rows_: None,
        orders=False,
    )
    chosen = [metric, metrics.count(child)] if source.chance(50) else [metric]
    joined = all_joins(world, names, child, refs, downwards=source.chance(60))
    listed = ", ".join(one.listed for one in chosen)
    sql = f"SELECT {names.ref(group)}, {listed} {joined} GROUP BY {names.ref(group)};"
    says = phrases.listing([f"{metric.say} in {child.many}", *(f"number of {child.many}" for _ in chosen[1:])])
    question = groups.ask(source, world, say, says, None, selection.Order())
    return Draft(question, sql, f"Counts different {many} per {say}.")


def two_kinds(world: World, source: Source) -> Draft | None:
    """Per parent, how many rows of one kind and how many of another."""
    found = path(world, source)
    if found is None or not found[3]:
        return None
    child, refs, parents, _ = found
    rows = world.joined(child, *refs)
    group = group_column(source, parents[1:], rows) if rows else None
    marks = [c for c in child.of("category") if len({row[c.id] for row in rows} - {None}) > 1]
    if group is None or not marks:
        return None
    mark = source.choice(marks)
    pair = source.sample(sorted({str(row[mark.id]) for row in rows if row[mark.id] is not None}), 2)
    kinds = [conditions.equal(source, mark, value) for value in pair]
    names = naming(source, child, *parents)
    sums = [
        f"SUM(CASE WHEN {names.ref(mark)} = '{value}' THEN 1 ELSE 0 END) AS {metrics.snake(value)}_count"
        for value in pair
    ]
    if not all(value.replace(" ", "").replace("-", "").isalpha() for value in pair):
        return None
    joined = all_joins(world, names, child, refs, downwards=source.chance(60))
    ref, say = names.ref(group), selection.qualified(world, group)
    order = selection.Order(f" ORDER BY {ref}", f"sorted by {say}") if source.chance(40) else selection.Order()
    sql = f"SELECT {ref}, {', '.join(sums)} {joined} GROUP BY {ref}{order.sql};"
    first, second = (conditions.who(child, [kind]).many for kind in kinds)
    question = groups.ask(
        source, world, say, f"number of {first} and, in a column of its own, the number of {second}", None, order
    )
    return Draft(question, sql, f"Counts two kinds of {child.many} per {say}.")


def chain_list(world: World, source: Source) -> Draft | None:
    """Names from three tables side by side, or the distinct names at one end for a condition at the other."""
    found = path(world, source)
    if found is None:
        return None
    child, refs, parents, _ = found
    rows = world.joined(child, *refs)
    some = conditions.some(source, rows, child.columns, 1)
    told = [column for parent in parents for column in (joins.told(source, parent) or [])[-1:]]
    if some is None or any(c.column in refs for c in some) or len(told) < 2:
        return None
    names = naming(source, child, *parents)
    columns = [child.key[0], *told]
    columns += [
        c.column for c in some if " = " not in c.template and "NULL" not in c.template and c.column not in columns
    ]
    kept = conditions.kept(rows, some)
    order = selection.ordering(source, kept, [c for c in columns if c.table == child.name], child, names)
    joined = all_joins(world, names, child, refs, downwards=False)
    sql = f"SELECT {names.refs(columns)} {joined}{names.where(some)}{order.sql};"
    says = [selection.qualified(world, c) for c in columns]
    question = phrases.ask(source, world.domain, says, conditions.who(child, some), order.words)
    return Draft(question, sql, f"Joins three tables to list {child.many} with their {parents[0].many}.")
