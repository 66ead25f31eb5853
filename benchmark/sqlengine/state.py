"""The whole state of a SQLite database, for statements that write: its schema and every row.

Promises: two states agree when every table has the same columns, constraints, keys and bag of rows, every view gives
the same result, and the same indexes and triggers stand. Names are compared without letter case, types by affinity,
index names not at all, and the order of a table's columns not at all.
Does not: compare what a later statement would do beyond that (a view is compared by what it returns now).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import apsw

from benchmark.sqlengine.parse import check_constraints, folded_tokens
from benchmark.sqlengine.results import Row, Table, compare_default, same_bag


@dataclass(frozen=True, slots=True)
class TableState:
    """One table: its columns in alphabetical order, its constraints, and its rows in that column order."""

    columns: tuple[tuple[object, ...], ...]
    foreign_keys: frozenset[tuple[object, ...]]
    checks: tuple[str, ...]
    rows: list[Row] = field(hash=False)


@dataclass(frozen=True, slots=True)
class State:
    """A database after a write."""

    tables: dict[str, TableState]
    views: dict[str, Table]
    indexes: frozenset[tuple[object, ...]]
    triggers: frozenset[tuple[str, ...]]


def read_state(connection: apsw.Connection) -> State:
    """The state of an open connection's main database; its authorizer must be off."""
    objects: list[Any] = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
    names = [(kind, name) for kind, name, _, _ in objects if not name.startswith("sqlite_")]
    return State(
        tables={name.lower(): _table(connection, name, sql) for kind, name, _, sql in objects if kind == "table"},
        views={name.lower(): _view(connection, name) for kind, name in names if kind == "view"},
        indexes=frozenset(
            _index(connection, name, table, sql) for kind, name, table, sql in objects if kind == "index"
        ),
        triggers=frozenset(folded_tokens(sql, "sqlite") or (sql,) for kind, _, _, sql in objects if kind == "trigger"),
    )


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


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _table(connection: apsw.Connection, name: str, sql: str) -> TableState:
    info: list[Any] = connection.execute(f"PRAGMA table_xinfo({_quoted(name)})").fetchall()
    columns = sorted(
        (column.lower(), _affinity(kind), bool(notnull), default, key, hidden)
        for _, column, kind, notnull, default, key, hidden in info
    )
    order = ", ".join(_quoted(column[0]) for column in columns)
    keys = connection.execute(f"PRAGMA foreign_key_list({_quoted(name)})").fetchall()
    return TableState(
        columns=tuple(columns),
        foreign_keys=frozenset(_foreign_key(row) for row in keys),
        checks=check_constraints(sql, "sqlite"),
        rows=connection.execute(f"SELECT {order} FROM {_quoted(name)}").fetchall(),  # noqa: S608
    )


def _view(connection: apsw.Connection, name: str) -> Table:
    cursor = connection.cursor()
    try:
        width = len(connection.execute(f"PRAGMA table_info({_quoted(name)})").fetchall())
        return Table(width, cursor.execute(f"SELECT * FROM {_quoted(name)}").fetchall())  # noqa: S608
    except apsw.SQLError as error:  # a view whose table has gone is part of the state too
        return Table(-1, [(str(error),)])


def _index(connection: apsw.Connection, name: str, table: str, sql: str | None) -> tuple[object, ...]:
    parts: list[Any] = connection.execute(f"PRAGMA index_xinfo({_quoted(name)})").fetchall()
    keys = tuple((column and column.lower(), desc, coll) for _, _, column, desc, coll, key in parts if key)
    unique = connection.execute(
        'SELECT "unique", origin FROM pragma_index_list(?) WHERE name = ?', (table, name)
    ).fetchall()
    tokens = tuple(word if word.startswith("'") else word.lower() for word in _words(sql))
    expression = tokens[5:] if any(key[0] is None for key in keys) else ()  # after CREATE INDEX name ON table
    partial = tokens[tokens.index("where") :] if "where" in tokens else ()
    return (table.lower(), keys, tuple(unique), expression, partial)


def _words(sql: str | None) -> tuple[str, ...]:
    return (folded_tokens(sql, "sqlite") or (sql,)) if sql else ()


def _foreign_key(row: Row) -> tuple[object, ...]:
    _, position, table, column, target, on_update, on_delete, match = row
    return (position, str(table).lower(), str(column).lower(), str(target).lower(), on_update, on_delete, match)


def _affinity(declared: str) -> str:
    """SQLite's column affinity (https://www.sqlite.org/datatype3.html, section 3.1)."""
    kind = declared.upper()
    if "INT" in kind:
        return "INTEGER"
    if any(part in kind for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in kind or not kind:
        return "BLOB"
    return "REAL" if any(part in kind for part in ("REAL", "FLOA", "DOUB")) else "NUMERIC"
