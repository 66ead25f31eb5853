"""Aggregates and groups: their SQL, their words, and their values over the rows of a world.

Promises: a threshold for HAVING parts the groups, so that some stay and some go.
Does not: group by a column that has missing values here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from benchmark.datasets.builtin_train import bounds, phrases
from benchmark.datasets.builtin_train.naming import Names
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Cell, Row

Groups = dict[Cell, list[Row]]


@dataclass(frozen=True, slots=True)
class Metric:
    """An aggregate: SQL, the name of its result, what a person calls it, and its value for rows."""

    sql: str
    alias: str
    say: str
    value: Callable[[list[Row]], Decimal | None]
    noun: str = ""
    unit: str = ""
    decimals: int = 0
    orders: bool = True

    @property
    def listed(self) -> str:
        """As SELECT lists it."""
        return f"{self.sql} AS {self.alias}"


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound on a metric: for HAVING or WHERE, and in words after a noun ('with at least 3 hives')."""

    operator: str
    value: str
    words: str

    def on(self, expression: str) -> str:
        """The comparison of an expression with the bound."""
        return f"{expression} {self.operator} {self.value}"


def plural(noun: str) -> str:
    """The plural of a column's word.

    >>> plural("kind of cheese"), plural("county"), plural("class"), plural("bay")
    ('kinds of cheese', 'counties', 'classes', 'bays')
    """
    head, of, rest = noun.partition(" of ")
    if head.endswith(("species", "s' name")):
        return noun
    if head.endswith("y") and head[-2:-1] not in "aeou":
        return f"{head[:-1]}ies{of}{rest}"
    return f"{head}{'es' if head.endswith(('s', 'x', 'ch', 'sh')) else 's'}{of}{rest}"


def snake(words: str) -> str:
    """Words as a column name."""
    return words.replace("-", "_").replace(" ", "_").replace("'", "").lower()


def count(table: Table, sql: str = "COUNT(*)") -> Metric:
    """How many rows of a table."""
    return Metric(sql, f"{snake(table.one)}_count", f"number of {table.many}", _size, noun=table.many)


def aggregate(names: Names, column: Column, function: str) -> Metric:
    """SUM, AVG, MIN or MAX of a column; missing values are ignored."""
    word, alias, value = {
        "SUM": ("total", "total", _over(sum)),
        "AVG": ("average", "avg", _over(lambda found: sum(found) / len(found))),
        "MIN": ("lowest", "min", _over(min)),
        "MAX": ("highest", "max", _over(max)),
    }[function]
    dated = column.kind in ("date", "year")
    if dated:
        word, alias = {"MIN": ("earliest", "first"), "MAX": ("latest", "last")}[function]
    return Metric(
        f"{function}({names.ref(column)})",
        f"{alias}_{column.name.removesuffix('_total')}",
        f"{word} {column.say}",
        (lambda rows: Decimal(len(rows))) if dated else lambda rows: value(column, rows),
        unit=column.part.unit,
        decimals=max(column.decimals, 1) if function == "AVG" else column.decimals,
        orders=not dated,
    )


def distinct(names: Names, column: Column) -> Metric:
    """How many different values a column has."""
    many = plural(column.say)
    return Metric(
        f"COUNT(DISTINCT {names.ref(column)})",
        f"{snake(many)}",
        f"number of different {many}",
        lambda rows: Decimal(len({row[column.id] for row in rows} - {None})),
        noun=f"different {many}",
    )


def choose(source: Source, names: Names, table: Table, *, size: int) -> list[Metric]:
    """A few metrics over a table's rows, the count mostly first."""
    found = [count(table)] if source.chance(65) else []
    numbers = table.of("number")
    for column in source.sample(numbers, size):
        functions = ["SUM", "SUM", "SUM", "AVG", "MAX"] if column.part.add else ["AVG", "AVG", "MAX", "MIN"]
        found.append(aggregate(names, column, source.choice(functions)))
    dates = table.of("date")
    if dates and source.chance(30):
        found.append(aggregate(names, source.choice(dates), source.pick("MIN", "MAX")))
    return found[:size] or [count(table)]


def grouped(rows: list[Row], column: Column) -> Groups:
    """Rows by the value of a column."""
    groups: Groups = {}
    for row in rows:
        groups.setdefault(row[column.id], []).append(row)
    return groups


def limit(source: Source, groups: Sequence[list[Row]], metric: Metric, operators: str = "> >= > >= <") -> Limit | None:
    """A bound on the metric that some groups pass and some do not."""
    values = [metric.value(rows) for rows in groups]
    found = bounds.threshold(source, values, operators)
    if found is None or not metric.orders:
        return None
    operator, number = bounds.sayable(*found) if metric.noun else found
    if metric.noun and number < 2:
        return None
    value = bounds.shown(number, metric.decimals)
    words = phrases.bound(source, operator, value, count=bool(metric.noun), unit="" if metric.noun else metric.unit)
    said = f"with {words} {metric.noun}" if metric.noun else f"with {phrases.article(metric.say)} of {words}"
    return Limit(operator, value, said)


def aggregate_value(column: Column, rows: list[Row]) -> Decimal | None:
    """The total of a column over the rows that have it, or None for no row."""
    return _over(sum)(column, rows)


def ratio(column: Column, rows: list[Row]) -> Decimal:
    """The average of a column over the rows that have it."""
    return _over(lambda found: sum(found) / len(found))(column, rows) or Decimal(0)


def _size(rows: list[Row]) -> Decimal:
    return Decimal(len(rows))


def _over(function: Callable[[list[Decimal]], Decimal | float]) -> Callable[[Column, list[Row]], Decimal | None]:
    """A function of the values that a column has, as a function of the column and the rows."""

    def value(column: Column, rows: list[Row]) -> Decimal | None:
        present = [Decimal(str(row[column.id])) for row in rows if row[column.id] is not None]
        return Decimal(function(present)) if present else None

    return value
