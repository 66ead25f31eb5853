"""The whole state of a database after a statement that writes: its schema and every row, whatever the engine.

Promises: two states agree when every table has the same columns, constraints, keys and bag of rows, every view gives
the same result, and the same indexes and triggers stand. Names are compared without letter case, index names not at
all, and the order of a table's columns not at all.
Does not: read a database (`sandbox/`), or compare what a later statement would do (a view is compared by its rows now).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmark.sqlengine.results import Row, Table, compare_default, same_bag


@dataclass(frozen=True, slots=True)
class TableState:
    """One table: its columns in alphabetical order, its constraints, and its rows in that column order."""

    columns: tuple[tuple[object, ...], ...]
    foreign_keys: frozenset[tuple[object, ...]]
    checks: tuple[str, ...]
    rows: list[Row] = field(hash=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in the order of the rows' cells."""
        return tuple(str(column[0]) for column in self.columns)


@dataclass(frozen=True, slots=True)
class State:
    """A database after a write."""

    tables: dict[str, TableState]
    views: dict[str, Table]
    indexes: frozenset[tuple[object, ...]]
    triggers: frozenset[tuple[str, ...]]


def states_agree(gold: State, pred: State) -> bool:
    """Whether two final states are the same, numbers within the default policy's tolerance."""
    return (
        gold.tables.keys() == pred.tables.keys()
        and gold.views.keys() == pred.views.keys()
        and gold.indexes == pred.indexes
        and gold.triggers == pred.triggers
        and all(_tables_agree(table, pred.tables[name]) for name, table in gold.tables.items())
        and all(compare_default(table, pred.views[name], None) for name, table in gold.views.items())
    )


def _tables_agree(gold: TableState, pred: TableState) -> bool:
    if (gold.columns, gold.foreign_keys, gold.checks) != (pred.columns, pred.foreign_keys, pred.checks):
        return False
    return same_bag(gold.rows, pred.rows)  # columns have names here: none may trade places
