"""Reading the whole state of a SQLite database. Column types count by their affinity."""

from __future__ import annotations

from typing import Any

import apsw

from benchmark.sqlengine.parse import check_constraints, folded_tokens
from benchmark.sqlengine.results import Row, Table
from benchmark.sqlengine.state import State, TableState


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
