"""Common table expressions: a first step with a name, then a query over it.

Promises: the second step needs the first: it compares with it, joins it, or aggregates it.
Does not: recurse.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from decimal import Decimal

from benchmark.datasets.builtin_train import conditions, metrics, phrases
from benchmark.datasets.builtin_train.joins import complete, link, told
from benchmark.datasets.builtin_train.metrics import Metric
from benchmark.datasets.builtin_train.naming import PLAIN, naming
from benchmark.datasets.builtin_train.phrases import Draft
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Row, World


def measure(source: Source, child: Table) -> Metric:
    """A count, or a total of a number that can be added up."""
    numbers = [c for c in child.of("number") if c.part.add and not c.nullable]
    if numbers and source.chance(60):
        return metrics.aggregate(PLAIN, source.choice(numbers), "SUM")
    return metrics.count(child)


def said(metric: Metric, child: Table) -> str:
    """The metric with the rows it is taken over: 'total honey weight of its harvests'."""
    return metric.say if metric.noun else f"{metric.say} of its {child.many}"


def _groups(world: World, child: Table, ref: Column) -> dict[object, list[Row]]:
    return {key: rows for key, rows in metrics.grouped(world.rows[child.name], ref).items() if key is not None}


def above_mean(world: World, source: Source) -> Draft | None:
    """Groups whose metric is above the mean of all groups."""
    ref, child, parent = link(world, source)
    if ref.nullable:
        return None
    metric = measure(source, child)
    values = [metric.value(rows) or Decimal(0) for rows in _groups(world, child, ref).values()]
    mean, high = sum(values, Decimal(0)) / len(values), source.chance(75)
    if len(values) < 2 or not any(value > mean if high else value < mean for value in values):
        return None
    step = source.pick("totals", "per_" + metrics.snake(parent.one), "counts", "sums")
    sql = (
        f"WITH {step} AS (SELECT {ref.name}, {metric.listed} FROM {child.name} GROUP BY {ref.name}) "
        f"SELECT {ref.name}, {metric.alias} FROM {step} WHERE {metric.alias} {'>' if high else '<'} "
        f"(SELECT AVG({metric.alias}) FROM {step});"
    )
    side, say = "above" if high else "below", said(metric, child)
    request = source.pick(
        f"First work out the {say} for each {parent.one} that has any. Which of them are {side} the mean of"
        " these figures?"
        f" {phrases.capital(ref.say)} and figure.",
        f"Of the {parent.many} with at least one {child.one}, which ones have a {say} {side} the average of these"
        f" {parent.many}? Give {ref.say} and the {metric.say}.",
        f"Take the {say} per {ref.say} and list those {side} the average over all {metrics.plural(ref.say)} that occur,"
        " with the figure.",
    )
    request = request.replace("a average", "an average")
    return Draft(phrases.opened(source, world.domain, request), sql, f"Compares each {parent.one} with the mean.")


def totals(world: World, source: Source) -> Draft | None:
    """Parents by name with a metric of their children that passes a bound."""
    ref, child, parent = link(world, source)
    metric = measure(source, child)
    filtered = bool(metric.noun) and source.chance(60)
    found = conditions.some(source, world.rows[child.name], child.columns, 1) if filtered else []
    if found is None or any(c.column is ref for c in found):
        return None
    rows = conditions.kept(world.rows[child.name], found)
    made = [group for key, group in metrics.grouped(rows, ref).items() if key is not None]
    limit = metrics.limit(source, made, metric, "> >= > <")
    if limit is None:
        return None
    step = source.pick("totals", "sums", f"{metrics.snake(child.one)}_totals", f"per_{metrics.snake(parent.one)}")
    names = naming(source, parent, taken=["t"])
    columns = told(source, parent)
    if columns is None:
        return None
    order = source.pick("", f" ORDER BY t.{metric.alias} DESC, {names.ref(parent.label)}")
    known = f"{PLAIN.where(found)}"
    sql = (
        f"WITH {step} AS (SELECT {ref.name}, {metric.listed} FROM {child.name}{known} GROUP BY {ref.name}) "
        f"SELECT {names.refs(columns)}, t.{metric.alias} FROM {step}{names.glue}t JOIN {names.table(parent)} "
        f"ON {names.ref(parent.key[0])} = t.{ref.name} WHERE {limit.on(f't.{metric.alias}')}{order};"
    )
    who = conditions.who(child, found)
    say = f"number of {who.many}" if metric.noun else f"{metric.say} of the {who.many}"
    such = limit.words.replace(f" {child.many}", f" such {child.many}") if found else limit.words
    request = source.pick(
        f"Work out the {say} per {parent.one} and report the {parent.many} {such}. I need"
        f" {phrases.listing([*(c.say for c in columns), 'that figure'])}",
        f"Which {parent.many} come out {such}, going by the {say}? Give"
        f" {phrases.listing([*(c.say for c in columns), metric.say])}",
        f"{phrases.capital(phrases.listing([*(c.say for c in columns), say]))} for all {parent.many} {such}",
    )
    ordered = f", highest first and equal ones by {parent.label.say}" if order else ""
    return Draft(
        phrases.opened(source, world.domain, _closed(request, ordered)),
        sql,
        f"Computes the {say} per {parent.one} first.",
    )


def _closed(request: str, ordered: str) -> str:
    return f"{request}{ordered}."


def two_steps(world: World, source: Source) -> Draft | None:
    """Two metrics from two child tables beside each parent, 0 where there is nothing."""
    parents = [t for t in world.tables.values() if len({ref.table for ref in world.children(t)}) > 1]
    if not parents:
        return None
    parent = source.choice(parents)
    refs = source.shuffled(world.children(parent))
    first = refs[0]
    second = next(ref for ref in refs if ref.table != first.table)
    names = naming(source, parent, taken=["a", "b"])
    steps, shown, says = [], [], []
    for ref, alias in ((first, "a"), (second, "b")):
        child = world.tables[ref.table]
        metric = measure(source, child)
        step = f"{metrics.snake(child.many)}_{'counted' if metric.noun else 'summed'}"
        steps.append((f"{step} AS (SELECT {ref.name}, {metric.listed} FROM {child.name} GROUP BY {ref.name})", step))
        shown.append(f"COALESCE({alias}.{metric.alias}, 0) AS {metric.alias}")
        says.append(said(metric, child))
    key = names.ref(parent.key[0])
    sql = (
        f"WITH {steps[0][0]}, {steps[1][0]} SELECT {names.ref(parent.label)}, {', '.join(shown)} "
        f"FROM {names.table(parent)} LEFT JOIN {steps[0][1]}{names.glue}a ON a.{first.name} = {key} "
        f"LEFT JOIN {steps[1][1]}{names.glue}b ON b.{second.name} = {key};"
    )
    if shown[0].split(" AS ")[1] == shown[1].split(" AS ")[1]:
        return None
    request = source.pick(
        f"For every {parent.one}, put the {says[0]} beside the {says[1]}, with 0 where there are none. Start"
        " each line with"
        f" the {parent.label.say}.",
        f"Show for all {parent.many} the {parent.label.say}, the {says[0]} and the {says[1]}. Nobody may be"
        " missing; write"
        " 0 where there is nothing.",
        f"{phrases.capital(parent.label.say)}, {says[0]} and {says[1]} for each {parent.one}, zeros included.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Computes two figures per {parent.one} in CTEs.")


def shares(world: World, source: Source) -> Draft | None:
    """Each group's total as a percentage of the whole."""
    usable = [(t, n) for t in world.tables.values() for n in t.of("number") if n.part.add and not n.nullable]
    if not usable:
        return None
    table, number = source.choice(usable)
    marks = [c for c in table.of("category", "ref") if not c.nullable]
    marks = [c for c in marks if len({row[c.id] for row in world.rows[table.name]}) > 1]
    if not marks or not metrics.aggregate_value(number, world.rows[table.name]):
        return None
    group = source.choice(marks)
    step, alias = source.pick("totals", "sums", "by_group"), f"total_{number.name}"
    order = source.pick("", f" ORDER BY share_pct DESC, {group.name}")
    sql = (
        f"WITH {step} AS (SELECT {group.name}, SUM({number.name}) AS {alias} FROM {table.name} GROUP BY {group.name}) "
        f"SELECT {group.name}, {alias}, {alias} * 100.0 / (SELECT SUM({alias}) FROM {step}) AS share_pct "
        f"FROM {step}{order};"
    )
    request = source.pick(
        f"How is the total {number.say} of the {table.many} spread over the {metrics.plural(group.say)}? Give"
        f" {group.say},"
        " its total and its percentage of the whole (0 to 100, unrounded)",
        f"For each {group.say}, the total {number.say} of its {table.many} and what percentage of the grand"
        " total that is,"
        " not rounded",
        f"Show {group.say}, total {number.say} of the {table.many} and the share in the sum over all of them as a"
        " percentage from 0 to 100 (no rounding)",
    )
    request += f", largest share first and equal ones by {group.say}." if order else "."
    return Draft(phrases.opened(source, world.domain, request), sql, "Divides each total by the sum of all totals.")


def history(world: World, source: Source) -> Draft | None:
    """First and last date of the children of each parent that has several."""
    ref, child, parent = link(world, source)
    dates = child.of("date")
    made = list(_groups(world, child, ref).values())
    if not dates or not any(len(rows) == 1 for rows in made) or not any(len(rows) > 1 for rows in made):
        return None
    date = dates[0]
    columns = told(source, parent)
    if columns is None:
        return None
    says = phrases.listing([column.say for column in columns])
    names = naming(source, parent, taken=["h"])
    count, step = (
        f"{metrics.snake(child.one)}_count",
        source.pick("history", "spans", "per_" + metrics.snake(parent.one)),
    )
    sql = (
        f"WITH {step} AS (SELECT {ref.name}, COUNT(*) AS {count}, MIN({date.name}) AS first_date, "
        f"MAX({date.name}) AS last_date FROM {child.name} GROUP BY {ref.name}) SELECT {names.refs(columns)}, "
        f"h.first_date, h.last_date FROM {step}{names.glue}h JOIN {names.table(parent)} "
        f"ON {names.ref(parent.key[0])} = h.{ref.name} WHERE h.{count} > 1;"
    )
    request = source.pick(
        f"For every {parent.one} with more than one {child.one}, report {says}, the first and the last {date.say}.",
        f"Which {parent.many} have two or more {child.many}? Show {says}, earliest {date.say} and latest {date.say}.",
        f"{phrases.capital(says)}, first {date.say} and last {date.say} of each {parent.one} that has at least"
        f" two {child.many}.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Collects the dates per {parent.one} in a CTE.")


def best(world: World, source: Source) -> Draft | None:
    """The parent or parents whose metric is the largest or smallest, by name."""
    ref, child, parent = link(world, source)
    metric, high = measure(source, child), source.chance(70)
    made = list(_groups(world, child, ref).values())
    if len(made) < 2 or len({metric.value(rows) for rows in made}) == 1:
        return None
    columns = told(source, parent)
    if columns is None:
        return None
    says = phrases.listing([column.say for column in columns])
    names = naming(source, parent, taken=["t"])
    step, function = source.pick("totals", "figures", "tally"), "MAX" if high else "MIN"
    sql = (
        f"WITH {step} AS (SELECT {ref.name}, {metric.listed} FROM {child.name} GROUP BY {ref.name}) "
        f"SELECT {names.refs(columns)}, t.{metric.alias} FROM {step}{names.glue}t JOIN {names.table(parent)} "
        f"ON {names.ref(parent.key[0])} = t.{ref.name} "
        f"WHERE t.{metric.alias} = (SELECT {function}({metric.alias}) FROM {step});"
    )
    if ref.nullable:
        return None
    word, say = "highest" if high else "lowest", said(metric, child)
    request = source.pick(
        f"Which {parent.one} has the {word} {say}? Give {says} and the figure, and all of them if several"
        f" tie; {parent.many} without {child.many} do not count.",
        f"Among {parent.many} that have any {child.many}, find the one with the {word} {say} (all of them in a tie)."
        f" {phrases.capital(says)} and figure.",
    )
    return Draft(phrases.opened(source, world.domain, request), sql, f"Finds the {word} figure per {parent.one}.")


def filtered_first(world: World, source: Source) -> Draft | None:
    """Rows are filtered in a first step and then joined to a parent and counted by one of its columns."""
    ref, child, parent = link(world, source)
    rows = world.joined(child, ref)
    found = conditions.some(source, rows, [c for c in child.columns if c is not ref], source.pick(1, 1, 2))
    kept = conditions.kept(rows, found or [])
    marks = [c for c in [*parent.of("category"), *parent.of("name")] if all(row[c.id] is not None for row in kept)]
    if found is None or not marks or not complete(world, child, ref):
        return None
    group, metric = source.choice(marks), measure(source, child)
    names = naming(source, parent, taken=["s"])
    step = source.pick("selected", "chosen", "picked", "matching")
    inner = metric.sql.removeprefix("SUM(").removesuffix(")") if not metric.noun else ""
    columns = ", ".join(dict.fromkeys([ref.name, *([inner] if inner else [])]))
    expression = f"SUM(s.{inner})" if inner else "COUNT(*)"
    order = source.pick("", f" ORDER BY {metric.alias} DESC, {names.ref(group)}")
    sql = (
        f"WITH {step} AS (SELECT {columns} FROM {child.name}{PLAIN.where(found)}) SELECT {names.ref(group)}, "
        f"{expression} AS {metric.alias} FROM {step}{names.glue}s JOIN {names.table(parent)} "
        f"ON {names.ref(parent.key[0])} = s.{ref.name} GROUP BY {names.ref(group)}{order};"
    )
    who = conditions.who(child, found)
    content = f"number of {who.many}" if metric.noun else f"{metric.say} of the {who.many}"
    say = group.say if parent.one in group.say else f"{group.say} of the {parent.one}"
    request = source.pick(
        f"Take only the {who.many}. By {say}, what is the {metric.say}? {phrases.capital(group.say)} and figure",
        f"Give the {content} for each {say}",
        f"Looking at nothing but the {who.many}, show the {metric.say} per {say}",
    )
    request += f", highest first and equal ones by {group.say}." if order else "."
    return Draft(phrases.opened(source, world.domain, request), sql, f"Selects the {who.many}, then groups them.")


def mean_of_totals(world: World, source: Source) -> Draft | None:
    """Children are counted or summed per parent, and these figures averaged by a category of the parent."""
    ref, child, parent = link(world, source)
    marks = [c for c in parent.of("category") if not c.nullable]
    rows = world.joined(child, ref)
    marks = [c for c in marks if len({row[c.id] for row in rows}) > 1]
    if not marks or not complete(world, child, ref):
        return None
    mark, metric = source.choice(marks), measure(source, child)
    names = naming(source, parent, taken=["t"])
    step, alias = source.pick("totals", "per_" + metrics.snake(parent.one)), f"avg_{metric.alias}"
    order = source.pick("", f" ORDER BY {names.ref(mark)}")
    sql = (
        f"WITH {step} AS (SELECT {ref.name}, {metric.listed} FROM {child.name} GROUP BY {ref.name}) "
        f"SELECT {names.ref(mark)}, AVG(t.{metric.alias}) AS {alias} FROM {step}{names.glue}t "
        f"JOIN {names.table(parent)} ON {names.ref(parent.key[0])} = t.{ref.name} GROUP BY {names.ref(mark)}{order};"
    )
    say = said(metric, child)
    words = f", sorted by {mark.say}" if order else ""
    request = source.pick(
        f"First find the {say} for each {parent.one} that has any. Then average these figures by {mark.say} of the"
        f" {parent.one}. Show {mark.say} and the average{words}",
        f"What is the average {say} per {parent.one}, broken down by {mark.say}{words}? Only {parent.many} with"
        f" {child.many} count",
        f"By {mark.say}: take the {say} of each {parent.one} that has any {child.many}, and average these figures"
        f"{words}",
    )
    return Draft(
        phrases.opened(source, world.domain, f"{request}."), sql, f"Averages figures per {parent.one} by {mark.say}."
    )
