"""Retrieval with a nested query: scalar, IN, EXISTS, correlated or not.

Promises: the nested query decides something: rows pass it and rows fail it.
Does not: use NOT IN over a column that may be NULL; there it is NOT EXISTS.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from decimal import Decimal

from benchmark.datasets.builtin_train import conditions, metrics, phrases, selection
from benchmark.datasets.builtin_train.joins import link, parent_filter, without
from benchmark.datasets.builtin_train.naming import PLAIN, Names, naming
from benchmark.datasets.builtin_train.phrases import Draft, Who
from benchmark.datasets.builtin_train.schemas import Column
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Row, World, literal


def above_average(world: World, source: Source) -> Draft | None:
    """Rows beyond the average of all rows, or of the rows like them."""
    table = source.choice(list(world.tables.values()))
    numbers = table.of("number")
    if not numbers:
        return None
    rows, column = world.rows[table.name], source.choice(numbers)
    like = source.sample([c for c in table.of("category", "ref") if not c.nullable], 1) if source.chance(55) else []
    above = source.chance(75)
    averages = {key: metrics.ratio(column, group) for key, group in _like(rows, like).items()}
    passing = [row for row in rows if _beyond(row, column, averages[_key(row, like)], above)]
    overall = metrics.ratio(column, rows)
    if not 0 < len(passing) < len(rows):
        return None
    if like and passing == [row for row in rows if _beyond(row, column, overall, above)]:
        return None
    outer, inner = (
        (naming(source, table), Names({table.name: source.pick("x", "y", "o2")}, " ")) if like else (PLAIN, PLAIN)
    )
    same = f" WHERE {inner.ref(like[0])} = {outer.ref(like[0])}" if like else ""
    average = f"(SELECT AVG({inner.ref(column)}) FROM {inner.table(table)}{same})"
    columns = [*table.key[:1], *(c for c in [*like, column] if c not in table.key[:1])]
    columns = [table.label, *columns[1:]] if source.chance(40) else columns
    order = selection.ordering(source, passing, [column], table, outer, percent=30)
    sql = (
        f"SELECT {outer.refs(columns)} FROM {outer.table(table)} "
        f"WHERE {outer.ref(column)} {'>' if above else '<'} {average}{order.sql};"
    )
    group = f"{table.many} with the same {like[0].say}" if like else f"all {table.many}"
    side = "above" if above else "below"
    ending = source.pick(
        f"whose {phrases.be(column.say)} {side} the average of {group}",
        f"with {phrases.article(column.say)} {side} the average for {group}",
    )
    who = Who(f"{table.many} {ending}", f"{table.one} {ending}")
    question = phrases.ask(source, world.domain, [c.say for c in columns], who, order.words)
    return Draft(question, sql, f"Compares each {column.say} with the average of {group}.")


def _like(rows: list[Row], like: list[Column]) -> dict[object, list[Row]]:
    groups: dict[object, list[Row]] = {}
    for row in rows:
        groups.setdefault(_key(row, like), []).append(row)
    return groups


def _key(row: Row, like: list[Column]) -> object:
    return row[like[0].id] if like else None


def _beyond(row: Row, column: Column, limit: Decimal, above: bool) -> bool:
    cell = row[column.id]
    return cell is not None and (Decimal(str(cell)) > limit if above else Decimal(str(cell)) < limit)


def never(world: World, source: Source) -> Draft | None:
    """Parents without a child, or without a child of some kind."""
    ref, child, parent = link(world, source)
    found = conditions.some(source, world.rows[child.name], child.columns, 1) if source.chance(55) else []
    if found is None or any(condition.column is ref for condition in found):
        return None
    having = {row[ref.id] for row in conditions.kept(world.rows[child.name], found)} - {None}
    if not 0 < len(having) < len(world.rows[parent.name]):
        return None
    if found and having == {row[ref.id] for row in world.rows[child.name]} - {None}:
        return None
    columns = [parent.label] if source.chance(40) else selection.shown(source, parent, most=2)
    key = parent.key[0]
    if source.chance(40) and not ref.nullable:
        sql = (
            f"SELECT {PLAIN.refs(columns)} FROM {parent.name} WHERE {key.name} NOT IN "
            f"(SELECT {ref.name} FROM {child.name}{PLAIN.where(found)});"
        )
    else:
        names = naming(source, parent, child)
        sql = (
            f"SELECT {names.refs(columns)} FROM {names.table(parent)} WHERE NOT EXISTS (SELECT 1 FROM "
            f"{names.table(child)} WHERE {names.ref(ref)} ="
            f" {names.ref(key)}{names.where(found, ' AND').replace('  ', ' ')});"
        )
    who = without(source, parent, child, found)
    return Draft(phrases.ask(source, world.domain, [c.say for c in columns], who), sql, f"Keeps the {who.many}.")


def having_some(world: World, source: Source) -> Draft | None:
    """Parents that have a child of some kind, by EXISTS or IN."""
    ref, child, parent = link(world, source)
    rows = [row for row in world.rows[child.name] if row[ref.id] is not None]
    found = conditions.some(source, rows, [c for c in child.columns if c is not ref], source.pick(1, 1, 2))
    having = {row[ref.id] for row in conditions.kept(rows, found or [])}
    weaker = [[], *([condition] for condition in found or [] if len(found or []) > 1)]
    if found is None or any(having == {row[ref.id] for row in conditions.kept(rows, fewer)} for fewer in weaker):
        return None
    columns = [parent.label] if source.chance(40) else selection.shown(source, parent, most=2)
    key = parent.key[0]
    names = naming(source, parent, child)
    if source.chance(50):
        sql = (
            f"SELECT {PLAIN.refs(columns)} FROM {parent.name} WHERE {key.name} IN "
            f"(SELECT {ref.name} FROM {child.name}{PLAIN.where(found)});"
        )
    else:
        sql = (
            f"SELECT {names.refs(columns)} FROM {names.table(parent)} WHERE EXISTS (SELECT 1 FROM {names.table(child)} "
            f"WHERE {names.ref(ref)} = {names.ref(key)}{names.where(found, ' AND').replace('  ', ' ')});"
        )
    ending = source.pick("with at least one {}", "with one or more {}s", "having some {}").replace("{}s", "{m}")
    inner = conditions.who(child, found)
    ending = ending.replace("some {}", f"some {inner.many}").replace("{m}", inner.many).replace("{}", inner.one)
    who = Who(f"{parent.many} {ending}", f"{parent.one} {ending}")
    return Draft(phrases.ask(source, world.domain, [c.say for c in columns], who), sql, f"Keeps the {who.many}.")


def by_parent(world: World, source: Source) -> Draft | None:
    """Rows whose parent passes a condition, by IN or by a scalar query."""
    ref, child, parent = link(world, source)
    rows = world.joined(child, ref)
    above = parent_filter(source, parent, rows)
    if above is None:
        return None
    below = conditions.some(source, rows, [c for c in child.columns if c is not ref], 1) if source.chance(35) else []
    if below is None or not conditions.needed(rows, [*above[0], *below]):
        return None
    named = above[0][0].column is parent.label and " = " in above[0][0].template
    columns = selection.shown(source, child, below)
    order = selection.ordering(source, conditions.kept(rows, [*above[0], *below]), columns, child, PLAIN, percent=30)
    link_test = "=" if named else "IN"
    nested = f"(SELECT {parent.key[0].name} FROM {parent.name}{PLAIN.where(above[0])})"
    tests = [condition.sql(condition.column.name) for condition in below] + [f"{ref.name} {link_test} {nested}"]
    sql = f"SELECT {PLAIN.refs(columns)} FROM {child.name} WHERE {' AND '.join(tests)}{order.sql};"
    who = conditions.who(child, below, selection.belongs(ref, above[1]))
    says = [selection.say(source, c) for c in columns]
    return Draft(
        phrases.ask(source, world.domain, says, who, order.words),
        sql,
        f"Finds the {parent.many} first, then their {child.many}.",
    )


def enough(world: World, source: Source) -> Draft | None:
    """Parents whose children pass a bound in number or in total."""
    ref, child, parent = link(world, source)
    names = naming(source, parent, child)
    numbers = [c for c in child.of("number") if c.part.add]
    metric = metrics.count(child)
    if numbers and source.chance(50):
        metric = metrics.aggregate(names, source.choice(numbers), "SUM")
    groups = [group for key, group in metrics.grouped(world.rows[child.name], ref).items() if key is not None]
    limit = metrics.limit(source, groups, metric, "> >=")
    if limit is None or (metric.noun and limit.value == "0"):
        return None
    nested = f"(SELECT {metric.sql} FROM {names.table(child)} WHERE {names.ref(ref)} = {names.ref(parent.key[0])})"
    columns = [parent.label] if source.chance(40) else selection.shown(source, parent, most=2)
    sql = f"SELECT {names.refs(columns)} FROM {names.table(parent)} WHERE {limit.on(nested)};"
    words = limit.words if metric.noun else f"{limit.words} over all their {child.many}"
    who = Who(f"{parent.many} {words}", f"{parent.one} {words.replace(' their ', ' its ')}")
    return Draft(phrases.ask(source, world.domain, [c.say for c in columns], who), sql, f"Keeps {parent.many} {words}.")


def with_number(world: World, source: Source) -> Draft | None:
    """Each parent beside the number of its children."""
    ref, child, parent = link(world, source)
    found = conditions.some(source, world.rows[child.name], child.columns, 1) if source.chance(60) else []
    if found is None or any(condition.column is ref for condition in found):
        return None
    names = naming(source, parent, child)
    alias = f"{metrics.snake(child.one)}_count"
    nested = (
        f"(SELECT COUNT(*) FROM {names.table(child)} WHERE {names.ref(ref)} = {names.ref(parent.key[0])}"
        f"{names.where(found, ' AND').replace('  ', ' ')})"
    )
    label = source.choice([parent.label, parent.key[0]])
    sql = f"SELECT {names.ref(label)}, {nested} AS {alias} FROM {names.table(parent)};"
    many = conditions.who(child, found).many
    request = source.pick(
        f"Show the {label.say} of every {parent.one} together with the number of {many}, 0 where there are none.",
        f"How many {many} are there for each {parent.one}? Give {label.say} and number, and show 0 for those"
        " with none.",
        f"For all {parent.many}, the {label.say} and how many {many} belong to it, zeros included.",
        f"Put the number of {many} next to each {parent.one}'s {label.say}; {parent.many} without any get 0.",
    )
    return Draft(
        phrases.opened(source, world.domain, request), sql, f"Counts {many} in a nested query per {parent.one}."
    )


def extreme(world: World, source: Source) -> Draft | None:
    """The row or rows with the largest or smallest value, of all or of each group."""
    table = source.choice(list(world.tables.values()))
    usable = table.of("number", "date")
    if not usable:
        return None
    column, high = source.choice(usable), source.chance(65)
    like = source.sample([c for c in table.of("category", "ref") if not c.nullable], 1) if source.chance(60) else []
    rows = [row for row in world.rows[table.name] if row[column.id] is not None]
    groups = _like(rows, like)
    if len(rows) < 3 or len(groups) == len(rows):
        return None
    function = "MAX" if high else "MIN"
    outer, inner = (naming(source, table), Names({table.name: "x"}, " ")) if like else (PLAIN, PLAIN)
    same = f" WHERE {inner.ref(like[0])} = {outer.ref(like[0])}" if like else ""
    columns = [*like, *(c for c in [source.choice([table.label, table.key[0]]), column] if c not in like)]
    sql = (
        f"SELECT {outer.refs(columns)} FROM {outer.table(table)} WHERE {outer.ref(column)} = "
        f"(SELECT {function}({inner.ref(column)}) FROM {inner.table(table)}{same});"
    )
    dated = column.kind == "date"
    word = ("latest" if dated else "highest") if high else ("earliest" if dated else "lowest")
    says = phrases.listing([c.say for c in columns])
    each = f" of each {like[0].say}" if like else ""
    request = source.pick(
        f"Which {table.one}{each} has the {word} {column.say}? Show {says}; if several tie, show all of them.",
        f"Find the {table.one} or {table.many}{each} with the {word} {column.say}. {phrases.capital(says)},"
        " ties included.",
        f"{phrases.capital(says)} of the {table.one}{each} with the {word} {column.say}, all of them in case of a tie.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Compares with the {word} {column.say}{each}.")


def than_named(world: World, source: Source) -> Draft | None:
    """Rows beyond one row that is named."""
    table = next(iter(source.sample([t for t in world.tables.values() if t.of("name")], 1)), None)
    usable = table.of("number", "date", "year") if table else []
    if table is None or not usable:
        return None
    column, label = source.choice(usable), table.label
    rows = [row for row in world.rows[table.name] if row[column.id] is not None]
    row = source.choice(rows)
    more = source.chance(60)
    passing = [r for r in rows if (r[column.id] > row[column.id] if more else r[column.id] < row[column.id])]  # type: ignore[operator]
    if not passing:
        return None
    name = str(row[label.id])
    columns = [label, *([column] if source.chance(60) else [])]
    nested = f"(SELECT {column.name} FROM {table.name} WHERE {label.name} = {literal(name)})"
    sql = f"SELECT {PLAIN.refs(columns)} FROM {table.name} WHERE {column.name} {'>' if more else '<'} {nested};"
    side = {"number": ("higher", "lower"), "date": ("later", "earlier"), "year": ("later", "earlier")}[column.kind]
    word = side[0] if more else side[1]
    ending = source.pick(
        f"with {phrases.article(word)} {column.say} than {name}", f"whose {column.say} is {word} than that of {name}"
    )
    who = Who(f"{table.many} {ending}", f"{table.one} {ending}")
    return Draft(
        phrases.ask(source, world.domain, [c.say for c in columns], who), sql, f"Compares {table.many} with {name}."
    )


def busier(world: World, source: Source) -> Draft | None:
    """Groups with more rows than the average group."""
    table = next(iter(source.sample([t for t in world.tables.values() if t.of("ref")], 1)), None)
    ref = source.choice(table.of("ref")) if table else None
    if table is None or ref is None or ref.nullable:
        return None
    sizes = [len(group) for group in metrics.grouped(world.rows[table.name], ref).values()]
    mean = Decimal(sum(sizes)) / len(sizes)
    if not any(size > mean for size in sizes):
        return None
    alias = f"{metrics.snake(table.one)}_count"
    sql = (
        f"SELECT {ref.name}, COUNT(*) AS {alias} FROM {table.name} GROUP BY {ref.name} HAVING COUNT(*) > "
        f"(SELECT AVG(n) FROM (SELECT COUNT(*) AS n FROM {table.name} GROUP BY {ref.name}) AS counts);"
    )
    parent = world.parent(ref)
    request = source.pick(
        f"Take the {parent.many} that have any {table.many}. Which of them have more than the average of that group?"
        f" Show {ref.say} and the number of {table.many}.",
        f"Among {parent.many} with at least one {table.one}, find those with more {table.many} than their average."
        f" {phrases.capital(ref.say)} and count.",
        f"Which {metrics.plural(ref.say)} occur in more {table.many} than a {ref.say} does on average? Give"
        f" the {ref.say}"
        " and how many.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, "Compares each count with the average count.")
