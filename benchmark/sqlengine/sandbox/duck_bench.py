"""A DuckDB database whose rows are set anew again and again, for the search of counterexamples.

Promises: statements run under the guard of every reader (`duck.py`); only `fill` writes, and only our own rows.
Does not: make rows (`datagen/`), or compare results.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import duckdb

from benchmark.sqlengine.sandbox.base import Executed, Stopped
from benchmark.sqlengine.sandbox.duck import DuckDatabase
from benchmark.sqlengine.sandbox.rows import Filling, insertion, quoted, stored, ways_of

#: What a table may have that its columns' types do not say, and that shows in what a query returns.
_SPECIAL = re.compile(r"\b(?:collate|generated|view|macro|function|type|schema)\b|\bas\s*\(", re.IGNORECASE)
_COLUMNS = """SELECT table_name, column_name, data_type FROM duckdb_columns()
WHERE NOT internal AND schema_name = 'main' ORDER BY table_oid, column_index"""


class DuckWorkbench:
    """One schema stored in several ways (`rows.stored`).

    Tables that are plain lose their keys, which DuckDB pays for at every change; rows are made to obey them anyway.
    """

    def __init__(self, opened: DuckDatabase, ddl: Iterable[str]) -> None:
        self.limits = opened.limits
        self._writer = opened
        self._reader = DuckDatabase(opened.connection, opened.limits, writable=False)
        self.ddl = tuple(sql for sql in ddl if self._made(sql))
        self._bare = self._drop_keys()
        self._tables: Sequence[Filling] = ()
        self._filled: list[str] = []  # parents first
        self._way = 0
        self.ways = 1

    def fill(self, tables: Sequence[Filling]) -> bool:
        self._tables, self._way, self.ways = tables, 0, ways_of(tables)
        return self._store(tables)

    def run(self, sql: str, seconds: float, way: int = 0) -> Executed:
        if way != self._way:
            if not self._store([stored(filling, way) for filling in self._tables]):
                raise Stopped("invalid", "the rows do not load in another order")
            self._way = way
        return self._reader.run(sql, seconds)

    def close(self) -> None:
        self._writer.close()

    def _store(self, tables: Sequence[Filling]) -> bool:
        script = [f"DELETE FROM {quoted(table)}" for table in reversed(self._filled)]  # noqa: S608
        script += [insertion(filling) for filling in tables if filling.rows]
        self._filled = [filling.table for filling in tables if filling.rows or filling.table in self._filled]
        try:
            if self._bare:
                self._writer.connection.execute(";".join(["BEGIN", *script, "COMMIT"]))
            else:  # one transaction each: DuckDB checks foreign keys against what its own transaction has deleted
                for sql in script:
                    self._writer.connection.execute(sql)
        except (duckdb.Error, OverflowError):
            if self._bare:
                self._writer.connection.execute("ROLLBACK")
            return False
        self._filled = [filling.table for filling in tables if filling.rows]
        return True

    def _made(self, sql: str) -> bool:
        try:
            self._writer.run(sql, self.limits.gold_seconds, 100)
        except Stopped:
            return False
        return True

    def _drop_keys(self) -> bool:
        """Make every table anew with its columns' types alone. False, and nothing done, where one has more to it."""
        if any(_SPECIAL.search(sql) for sql in self.ddl):
            return False
        columns: dict[str, list[str]] = {}
        for table, column, kind in self._writer.connection.execute(_COLUMNS).fetchall():
            columns.setdefault(table, []).append(f"{quoted(column)} {kind}")
        tables = [f"CREATE TABLE {quoted(name)} ({', '.join(parts)})" for name, parts in columns.items()]
        drops = [f"DROP TABLE {quoted(name)}" for name in reversed(columns)]
        try:
            self._writer.connection.execute(";".join(["BEGIN", *drops, *tables, "COMMIT"]))
        except duckdb.Error:
            self._writer.connection.execute("ROLLBACK")
            return False
        return True
