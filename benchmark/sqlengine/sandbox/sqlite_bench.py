"""SQLite databases whose rows are set anew again and again, for the search of counterexamples.

Promises: the connection that runs statements is opened read-only and guarded as every reader is; another one, which
never sees a statement of anybody's, sets the rows.
Does not: make rows (`datagen/`), or compare results.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

import apsw

from benchmark.sqlengine.protocol import Limits
from benchmark.sqlengine.sandbox.base import Executed
from benchmark.sqlengine.sandbox.rows import Filling, insert_into, quoted, stored, ways_of
from benchmark.sqlengine.sandbox.sqlite import SqliteDatabase

_URI = apsw.SQLITE_OPEN_URI
_WRITE = _URI | apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
_NAMES = count()


class SqliteWorkbench:
    """One schema stored in several ways (`rows.stored`): but for way 0, without keys and indexes where they may go.

    The last way is the reverse of the rows, read by scans that are reversed too.
    """

    def __init__(self, ddl: Iterable[str], limits: Limits, *, keep_keys: bool) -> None:
        self.limits = limits
        self._given = _Shared(ddl, limits)
        self.ddl = self._given.ddl
        self._keep_keys = keep_keys
        self._bare: _Shared | None = None
        self._tables: Sequence[Filling] = ()
        self._way = 0  # the way in which the bare database holds the rows: 0 when it does not hold them
        self.ways = 1

    def fill(self, tables: Sequence[Filling]) -> bool:
        self._tables, self._way, self.ways = tables, 0, ways_of(tables) + 1
        return self._given.fill(tables)

    def run(self, sql: str, seconds: float, way: int = 0) -> Executed:
        if way == 0:
            return self._given.reader.run(sql, seconds)
        backward = way == self.ways - 1
        way = 1 if backward else way
        bare = self._reordered()
        if self._way != way and bare.fill([stored(filling, way) for filling in self._tables]):
            self._way = way
        return (bare.backward if backward else bare.reader).run(sql, seconds)

    def close(self) -> None:
        self._given.close()
        if self._bare is not None:
            self._bare.close()

    def _reordered(self) -> _Shared:
        if self._bare is None:
            self._bare = _Shared(self.ddl if self._keep_keys else self._given.without_keys(), self.limits)
        return self._bare


class _Shared:
    """A database in memory with one connection that fills it and two that read."""

    def __init__(self, ddl: Iterable[str], limits: Limits) -> None:
        name = f"file:/sqlgauge-{next(_NAMES)}?vfs=memdb"
        self._writer = apsw.Connection(name, flags=_WRITE)
        self._writer.pragma("journal_mode", "memory")
        self._writer.pragma("synchronous", 0)
        self._writer.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
        self.ddl = tuple(sql for sql in ddl if self._made(sql))
        self.reader, self.backward = (_reader(name, limits, backward) for backward in (False, True))
        self._filled: set[str] = set()

    def fill(self, tables: Sequence[Filling]) -> bool:
        execute = self._writer.execute
        execute("BEGIN")
        try:
            for table in self._filled:
                execute(f"DELETE FROM {quoted(table)}")  # noqa: S608
            for table, columns, rows in tables:
                if rows:
                    self._writer.executemany(insert_into(table, columns), rows)
        except (apsw.Error, OverflowError):
            execute("ROLLBACK")
            return False
        execute("COMMIT")
        self._filled = {filling.table for filling in tables if filling.rows}
        return True

    def without_keys(self) -> list[str]:
        """The same tables with their columns' types alone, and the views."""
        kept = []
        for kind, name, sql in self._writer.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY rowid"):
            if kind == "view":
                kept.append(str(sql))
            elif kind == "table" and not str(name).startswith("sqlite_"):
                kept.append(self._bare_table(str(name), str(sql)))
        return kept

    def _bare_table(self, name: str, sql: str) -> str:
        info = self._writer.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
        if any(row[6] for row in info) or "collate" in sql.lower() or "virtual" in sql.lower():
            return sql
        columns = ", ".join(f"{quoted(str(column))} {kind}" for _, column, kind, *_ in info)
        return f"CREATE TABLE {quoted(name)} ({columns})"

    def close(self) -> None:
        self.reader.close()
        self.backward.close()
        self._writer.close(True)

    def _made(self, sql: str) -> bool:
        try:
            self._writer.execute(sql).fetchall()
        except apsw.Error:
            return False
        return True


def _reader(name: str, limits: Limits, backward: bool) -> SqliteDatabase:
    connection = apsw.Connection(name, flags=_URI | apsw.SQLITE_OPEN_READONLY)
    connection.pragma("reverse_unordered_selects", int(backward))
    return SqliteDatabase(connection, limits, writable=False)
