"""Rows of our own making as SQL that both engines read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import apsw

from benchmark.sqlengine.results import Cell, Row

_PLAIN = re.compile(r"[a-z_]\w*", re.ASCII | re.IGNORECASE)
#: Words that DuckDB reserves and SQLite does not.
_RESERVED = frozenset({"any", "array", "both", "lateral", "only", "some", "trailing", "leading", "user", "pivot"})


class Filling(NamedTuple):
    """What to put into one table: its name, the columns that get a value, and the rows."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[Row]


#: Rows of a table up to which every one gets to be the first, and the last, under some way of storing them.
_MOST_TURNS = 8


def ways_of(tables: Sequence[Filling]) -> int:
    """How many ways of storing rows there are to try: as given, in reverse, and from every row on, both ways round."""
    return 2 * max(1, min(_MOST_TURNS, max((len(filling.rows) for filling in tables), default=1)))


def stored(filling: Filling, way: int) -> Filling:
    """The rows in the order of a way: an odd one is in reverse, and each pair begins one row later."""
    if not way or not filling.rows:
        return filling
    turn = way // 2 % len(filling.rows)
    rows = [*filling.rows[turn:], *filling.rows[:turn]]
    return filling._replace(rows=rows[::-1] if way % 2 else rows)


def insertion(filling: Filling) -> str:
    """One INSERT of all rows, values as literals.

    >>> insertion(Filling("t", ("a", "b c"), [(1, "it's"), (None, 2.5)]))
    'INSERT INTO t (a, "b c") VALUES (1, \\'it\\'\\'s\\'), (NULL, 2.5)'
    """
    rows = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in filling.rows)
    return f"INSERT INTO {quoted(filling.table)} ({_names(filling.columns)}) VALUES {rows}"  # noqa: S608


@lru_cache(maxsize=256)
def insert_into(table: str, columns: tuple[str, ...]) -> str:
    """The statement that inserts one row, with a place for each value."""
    return f"INSERT INTO {quoted(table)} ({_names(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


@lru_cache(maxsize=1024)
def quoted(name: str) -> str:
    """A name, between double quotes unless it is plain."""
    if _PLAIN.fullmatch(name) and name.upper() not in apsw.keywords and name.lower() not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, columns))


def literal(value: Cell) -> str:
    """A value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
