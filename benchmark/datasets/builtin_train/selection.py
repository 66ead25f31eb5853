"""What a query shows and in which order: columns, their words in a join, and ORDER BY without open ties.

Promises: an order is total: equal values are settled by further columns, and the request says so.
Does not: order by columns with missing values, because engines place NULL differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.datasets.builtin_train import phrases
from benchmark.datasets.builtin_train.conditions import Condition
from benchmark.datasets.builtin_train.naming import Names
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Row, World

_ORDERABLE = ("number", "date", "year", "name", "category", "key")


@dataclass(frozen=True, slots=True)
class Order:
    """' ORDER BY ...' and how the request asks for it; both are empty for no order."""

    sql: str = ""
    words: str = ""


def shown(source: Source, table: Table, conditions: Sequence[Condition] = (), *, most: int = 3) -> list[Column]:
    """The columns to show of a table's rows: what identifies a row, and one or two more."""
    first = [table.label] if table.label.kind == "name" and source.chance(55) else list(table.key)
    fixed = {c.column.id for c in conditions if " = " in c.template or "NULL" in c.template}
    rest = [c for c in table.columns if c not in first and c.id not in fixed and c.kind != "flag"]
    asked = [c for c in rest if any(c is condition.column for condition in conditions)]
    others = [c for c in rest if c not in asked]
    wanted = source.sample(asked, 1) if source.chance(60) else []
    wanted += source.sample(others, 1 + source.below(max(1, most - len(first) - len(wanted))))
    return [*first, *(column for column in table.columns if column in wanted)]


def say(source: Source, column: Column) -> str:
    """A word for the column where only its table is in play."""
    return source.choice(column.says)


def qualified(world: World, column: Column) -> str:
    """A word for the column that is clear among all tables: 'phone number of the cafe'."""
    if column.kind in ("key", "ref") or column.one in column.say:
        return column.say
    others = [c for table in world.tables.values() for c in table.columns if c.say == column.say and c.id != column.id]
    return f"{column.say} of the {column.one}" if others else column.say


def ordering(
    source: Source, rows: list[Row], columns: Sequence[Column], table: Table, names: Names, *, percent: int = 45
) -> Order:
    """An order by one of the columns that are shown, or none; ties are settled by the table's name or key."""
    usable = [c for c in columns if c.kind in _ORDERABLE and all(row[c.id] is not None for row in rows)]
    if len(rows) < 2 or not usable or not source.chance(percent):
        return Order()
    measures = [c for c in usable if c.kind in ("number", "date", "year")]
    column = source.choice(measures if measures and source.chance(75) else usable)
    return ordered_by(source, rows, column, table, names)


def ordered_by(
    source: Source, rows: list[Row], column: Column, table: Table, names: Names, *, falling: bool | None = None
) -> Order:
    """The order by one column."""
    if falling is None:
        falling = column.kind in ("number", "date", "year") and source.chance(60)
    sql = f" ORDER BY {names.ref(column)}{' DESC' if falling else ''}"
    words = phrases.order_words(source, column, falling=falling)
    if len({row[column.id] for row in rows}) == len(rows):
        return Order(sql, words)
    settling = [c for c in table.key if c is not column]
    if table.label.kind == "name" and table.label is not column and source.chance(50):
        settling = [table.label]
    words += phrases.tie_words(source, [c.say for c in settling])
    return Order(f"{sql}, {names.refs(settling)}", words)


def belongs(ref: Column, parent_words: str) -> str:
    """How a child is said to belong to a parent: 'at Hill Meadow', 'of hives with 12 frames or more'."""
    return ref.part.via.replace("{v}", parent_words)


def called(table: Table, row: Row) -> str:
    """What a person calls a row: its name, or its kind and key."""
    value = str(row[table.label.id])
    return value if table.label.kind == "name" else f"{table.one} {value}"
