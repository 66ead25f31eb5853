"""Reading the whole state of a DuckDB database, and its values as cells."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import duckdb

from benchmark.sqlengine.results import Cell, Row, Table
from benchmark.sqlengine.state import State, TableState

_COLUMNS = """SELECT lower(table_name), lower(column_name), data_type, is_nullable, column_default
FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"""
_CONSTRAINTS = """SELECT lower(table_name), constraint_type, lower(constraint_text) FROM duckdb_constraints()"""
_INDEXES = "SELECT lower(table_name), is_unique, lower(expressions) FROM duckdb_indexes()"


def read_state(connection: duckdb.DuckDBPyConnection) -> State:
    """The state of an open connection's main database."""
    columns = _by_table(connection, _COLUMNS)
    constraints = _by_table(connection, _CONSTRAINTS)
    names = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
    views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    return State(
        tables={
            name.lower(): _table(connection, name, columns[name.lower()], constraints.get(name.lower(), []))
            for (name,) in names
        },
        views={name.lower(): _view(connection, name) for (name,) in views},
        indexes=frozenset(connection.execute(_INDEXES).fetchall()),
        triggers=frozenset(),
    )


def cells(row: tuple[Any, ...]) -> Row:
    """A row with DuckDB's types as the plain ones that results are compared in.

    >>> cells((True, Decimal("1.50"), None, [1, 2]))
    (1, 1.5, None, '[1, 2]')
    """
    return tuple(map(_cell, row))


def _cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, (int, str, bytes)):
        return value
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)  # dates, times, intervals, UUIDs, lists, structs


def _by_table(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table, *rest in connection.execute(sql).fetchall():
        found.setdefault(table, []).append(tuple(rest))
    return found


def _table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: list[tuple[Any, ...]], constraints: list[tuple[Any, ...]]
) -> TableState:
    order = ", ".join(_quoted(column[0]) for column in columns)
    keys = {kind: sorted(text for found, text in constraints if found == kind) for kind, _ in constraints}
    foreign = keys.pop("FOREIGN KEY", [])
    return TableState(
        columns=tuple(columns),
        foreign_keys=frozenset((text,) for text in foreign),
        checks=tuple(f"{kind} {text}" for kind in sorted(keys) for text in keys[kind]),
        rows=[cells(row) for row in connection.execute(f"SELECT {order} FROM {_quoted(name)}").fetchall()],  # noqa: S608
    )


def _view(connection: duckdb.DuckDBPyConnection, name: str) -> Table:
    try:
        cursor = connection.execute(f"SELECT * FROM {_quoted(name)}")  # noqa: S608
        return Table(len(cursor.description or ()), [cells(row) for row in cursor.fetchall()])
    except duckdb.Error as error:  # a view whose table has gone is part of the state too
        return Table(-1, [(re.sub(r"\s+", " ", str(error)),)])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
