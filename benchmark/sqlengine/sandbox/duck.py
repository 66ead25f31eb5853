"""DuckDB, guarded: in memory, no files, no extensions, one thread, a locked configuration.

Promises: a reading task runs one SELECT inside a read-only transaction; a writing task runs on a database of its own;
a statement of any other kind (COPY, ATTACH, SET, PRAGMA, CALL, LOAD, EXPORT, PREPARE ...) is refused by its kind.
Does not: keep dates apart from their ISO text, or booleans from 0 and 1: rows are compared as `results.Cell`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from benchmark.sqlengine.protocol import Database, Limits
from benchmark.sqlengine.results import Row, Table
from benchmark.sqlengine.sandbox.base import SQL_BYTES, Executed, Stopped, fetch_capped
from benchmark.sqlengine.sandbox.duck_state import cells, read_state
from benchmark.sqlengine.sandbox.rows import quoted
from benchmark.sqlengine.sandbox.watchdog import Watchdog
from benchmark.sqlengine.state import State

if TYPE_CHECKING:
    from benchmark.sqlengine.sandbox.duck_bench import DuckWorkbench

#: MULTI is what PIVOT is cut into; a read-only transaction holds for it too.
_READ_KINDS = frozenset({"SELECT", "MULTI"})
_WRITE_KINDS = _READ_KINDS | {"INSERT", "UPDATE", "DELETE", "MERGE_INTO", "CREATE", "DROP", "ALTER"}
_AT_START: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
}
#: Set once a database file has been read, in this order; nothing can be set after the last one.
_LOCKS = (
    "SET max_temp_directory_size = '0GB'",
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)
#: How the rows of a table are put back in reverse.
_TURNED = (
    "CREATE TEMP TABLE _turned AS SELECT * FROM {table} ORDER BY rowid DESC",
    "DELETE FROM {table}",
    "INSERT INTO {table} SELECT * FROM _turned",
    "DROP TABLE _turned",
)
_WATCHDOG = Watchdog()
_REFUSED = ("read-only mode", "disabled by configuration", "has been locked")


class DuckDatabase:
    """One DuckDB database in memory, guarded for reading or writing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, limits: Limits, *, writable: bool) -> None:
        self.connection = connection
        self.limits = limits
        self._kinds = _WRITE_KINDS if writable else _READ_KINDS
        self._begin = "BEGIN TRANSACTION" if writable else "BEGIN TRANSACTION READ ONLY"
        self._end = "COMMIT" if writable else "ROLLBACK"
        self._deadline = 0.0

    def run(self, sql: str, seconds: float, allowed: int = 1) -> Executed:
        """Run at most `allowed` statements within `seconds`. Raises Stopped."""
        if len(sql.encode()) > SQL_BYTES:
            raise Stopped("limit", f"a statement of more than {SQL_BYTES} bytes")
        with self._guarded(seconds):
            statements = self._checked(sql, allowed)
            self.connection.execute(self._begin)
            try:
                for statement in statements:
                    cursor = self.connection.execute(statement)
                columns = tuple(column[0] for column in cursor.description or ())
                table = self._fetch(cursor)
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute(self._end)
        return Executed(table, len(statements), columns)

    def final_state(self, seconds: float) -> State:
        """The whole database as it is now. Raises Stopped."""
        with self._guarded(seconds):
            return read_state(self.connection)

    def close(self) -> None:
        self.connection.close()

    def _checked(self, sql: str, allowed: int) -> list[duckdb.Statement]:
        statements = self.connection.extract_statements(sql)
        if not statements:
            raise Stopped("invalid", "no statement")
        for statement in statements:
            if statement.type.name not in self._kinds:
                raise Stopped("refused", f"{statement.type.name} is not allowed here")
        if len(statements) > allowed:
            raise Stopped("multiple", "several statements where one is asked")
        return statements

    def _fetch(self, cursor: duckdb.DuckDBPyConnection) -> Table:
        width = len(cursor.description or ())

        def more(n: int) -> list[Row]:
            return [cells(row) for row in cursor.fetchmany(n)] if width else []

        return Table(width, fetch_capped(more, self.limits, lambda: time.monotonic() > self._deadline))

    @contextmanager
    def _guarded(self, seconds: float) -> Iterator[None]:
        self._deadline = time.monotonic() + seconds
        try:
            with _WATCHDOG.watching(seconds, self.connection.interrupt):
                yield
        except duckdb.InterruptException:
            raise Stopped("timeout", f"stopped after {seconds:.1f} s") from None
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise Stopped("limit", f"{type(error).__name__}: {_first_line(error)}") from None
        except (duckdb.Error, UnicodeError, ValueError, RuntimeError) as error:
            refused = isinstance(error, duckdb.PermissionException) or any(word in str(error) for word in _REFUSED)
            raise Stopped("refused" if refused else "invalid", _first_line(error)) from None


class DuckEngine:
    """Databases as their source: a setup script is short, and a file is copied whole into memory."""

    def load(self, database: Database, limits: Limits) -> Database:
        """The database itself, once it is known to load. Raises Stopped, OSError."""
        if database.path is not None and not Path(database.path).is_file():
            raise FileNotFoundError(f"no such file: {database.path}")
        self.writer(database, limits)
        return database

    def reader(self, image: Database, limits: Limits) -> DuckDatabase:
        return DuckDatabase(self.writer(image, limits).connection, limits, writable=False)

    def backwards(self, image: Database, limits: Limits) -> DuckDatabase:
        opened = self.writer(image, limits)
        for name in opened.final_state(limits.gold_seconds).tables:
            for step in _TURNED:
                opened.run(step.format(table=quoted(name)), limits.gold_seconds)
        return opened

    def writer(self, image: Database, limits: Limits) -> DuckDatabase:
        connection = duckdb.connect(":memory:", config=_AT_START)
        if image.path is not None:
            _copy_from(connection, image.path)
        connection.execute(f"SET memory_limit = '{limits.memory_bytes}B'")
        for lock in _LOCKS:
            connection.execute(lock)
        opened = DuckDatabase(connection, limits, writable=True)
        if image.path is None and image.setup_sql.strip():
            opened.run(image.setup_sql, limits.gold_seconds, 1_000_000)
        return opened

    def workbench(self, ddl: Iterable[str], limits: Limits, *, keep_keys: bool) -> DuckWorkbench:
        from benchmark.sqlengine.sandbox.duck_bench import DuckWorkbench

        return DuckWorkbench(self.writer(Database(), limits), ddl)


ENGINE = DuckEngine()


def _copy_from(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    """Copy a database file's tables into memory; the file is opened read-only and let go of."""
    quoted = path.replace("'", "''")
    try:
        connection.execute(f"ATTACH '{quoted}' AS source (READ_ONLY)")
        connection.execute("COPY FROM DATABASE source TO memory")
        connection.execute("DETACH source")
    except duckdb.Error as error:
        raise Stopped("invalid", _first_line(error)) from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
