"""SQLite (through apsw, which pins the engine's version), guarded.

Promises: a reading task can read and nothing else; a writing task gets a throw-away copy in memory; no statement
attaches, loads, sets a pragma or touches a file; every statement ends by its deadline, row, byte and memory caps.
Does not: read a file that is bigger than the worker's memory; databases are held in memory.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import apsw

from benchmark.errors import DatasetError
from benchmark.sqlengine.protocol import Database, Limits
from benchmark.sqlengine.results import Row, Table
from benchmark.sqlengine.sandbox.base import SQL_BYTES, Executed, Stopped, fetch_capped
from benchmark.sqlengine.sandbox.sqlite_state import read_state
from benchmark.sqlengine.state import State

if TYPE_CHECKING:
    from benchmark.sqlengine.sandbox.sqlite_bench import SqliteWorkbench

_READ_ACTIONS = frozenset({apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE})
_WRITE_DENIED = frozenset(
    {
        apsw.SQLITE_ATTACH,
        apsw.SQLITE_DETACH,
        apsw.SQLITE_PRAGMA,
        apsw.SQLITE_CREATE_VTABLE,
        apsw.SQLITE_DROP_VTABLE,
        apsw.SQLITE_TRANSACTION,
        apsw.SQLITE_SAVEPOINT,
    }
)
_DENIED_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"})
#: Bytes of one value. A single opcode cannot be interrupted, so its data must be small.
_VALUE_BYTES = 8 << 20
_PROGRESS_OPCODES = 20_000
_READ_ONLY = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
_DENIED = re.compile(r"not authorized|prohibited")
#: White space, comments and semicolons: text that holds no statement.
_BLANK = re.compile(r"(?:[\s;]|--[^\n]*|/\*.*?(?:\*/|\Z))*", re.DOTALL)


class SqliteDatabase:
    """One SQLite database in memory, guarded for `task`."""

    def __init__(self, connection: apsw.Connection, limits: Limits, *, writable: bool) -> None:
        self.connection = connection
        self.limits = limits
        self._deadline = 0.0
        self._statements = 0
        self._allowed = 1
        self._columns: tuple[str, ...] = ()
        self._authorize = _authorize_write if writable else _authorize_read
        _set_limits(connection)
        self._always = not writable  # a guard that never changes lets the engine keep its prepared statements
        if self._always:
            connection.authorizer = self._authorize
        connection.set_progress_handler(self._out_of_time, _PROGRESS_OPCODES)
        connection.exec_trace = self._count_statement

    def run(self, sql: str, seconds: float, allowed: int = 1) -> Executed:
        """Run at most `allowed` statements within `seconds`. Raises Stopped."""
        self._statements, self._allowed, self._columns = 0, allowed, ()
        with self._guarded(seconds):
            cursor = iter(self.connection.execute(sql))
            rows: list[Row] = fetch_capped(lambda n: list(islice(cursor, n)), self.limits, self._out_of_time)
        if not self._statements:
            raise Stopped("invalid", "no statement")
        return Executed(Table(len(self._columns), rows), self._statements, self._columns)

    def load(self, setup_sql: str, seconds: float) -> None:
        """Run a schema script of any number of statements. Raises Stopped."""
        self._allowed = 1_000_000
        with self._guarded(seconds):
            for _ in self.connection.execute(setup_sql):
                pass

    def final_state(self, seconds: float) -> State:
        """The whole database, read with the guard off: the reader's own pragmas and views still have a deadline."""
        self._allowed = 1_000_000
        with self._guarded(seconds):
            self.connection.authorizer = None
            return read_state(self.connection)

    def close(self) -> None:
        """Let go of the database, and of the hooks that would keep this object alive."""
        self.connection.exec_trace = None
        self.connection.close(True)

    def image(self) -> bytes:
        """The database as the bytes of a file."""
        return self.connection.serialize("main")

    @contextmanager
    def _guarded(self, seconds: float) -> Iterator[None]:
        self._deadline = time.monotonic() + seconds
        if not self._always:
            self.connection.authorizer = self._authorize
        try:
            yield
        except apsw.ExecTraceAbort:
            raise Stopped("multiple", "several statements where one is asked") from None
        except apsw.InterruptError:
            raise Stopped("timeout", f"stopped after {seconds:.1f} s") from None
        except (apsw.NoMemError, apsw.TooBigError, MemoryError) as error:
            raise Stopped("limit", f"{type(error).__name__}: {error}") from None
        except (apsw.Error, UnicodeError, ValueError) as error:
            denied = isinstance(error, apsw.AuthError) or _DENIED.search(str(error))
            raise Stopped("refused" if denied else "invalid", str(error)) from None
        finally:
            if not self._always:
                self.connection.authorizer = None

    def _out_of_time(self) -> bool:
        return time.monotonic() > self._deadline

    def _count_statement(self, cursor: apsw.Cursor, sql: str, bindings: object) -> bool:
        columns = cursor.get_description()
        if columns or not _BLANK.fullmatch(sql):  # what follows the last semicolon may be a comment: no statement
            self._statements += 1
            self._columns = tuple(column[0] for column in columns)
        return self._statements <= self._allowed


class SqliteEngine:
    """Databases as images: the bytes of their files."""

    def load(self, database: Database, limits: Limits) -> bytes:
        """The file's bytes, or what the setup script makes. Raises Stopped, OSError."""
        if database.path is not None:
            image = bytearray(Path(database.path).read_bytes())
            if image[18:20] == b"\x02\x02":  # a write-ahead-log file cannot live in memory; the flag can be dropped
                image[18:20] = b"\x01\x01"
            return bytes(image)
        fresh = SqliteDatabase(apsw.Connection(":memory:"), limits, writable=True)
        try:
            fresh.load(database.setup_sql, limits.gold_seconds)
            return fresh.image()
        finally:
            fresh.close()

    def reader(self, image: bytes, limits: Limits) -> SqliteDatabase:
        return SqliteDatabase(_in_memory(image), limits, writable=False)

    def backwards(self, image: bytes, limits: Limits) -> SqliteDatabase:
        connection = _in_memory(image)
        connection.pragma("reverse_unordered_selects", 1)
        return SqliteDatabase(connection, limits, writable=False)

    def writer(self, image: bytes, limits: Limits) -> SqliteDatabase:
        return SqliteDatabase(_in_memory(image), limits, writable=True)

    def workbench(self, ddl: Iterable[str], limits: Limits, *, keep_keys: bool) -> SqliteWorkbench:
        from benchmark.sqlengine.sandbox.sqlite_bench import SqliteWorkbench

        return SqliteWorkbench(ddl, limits, keep_keys=keep_keys)


ENGINE = SqliteEngine()


def schema_script(path: Path) -> str:
    """The DDL that a database file holds, as a script. Nothing of it is run. Raises DatasetError."""
    try:
        connection = apsw.Connection(f"file:{quote(str(path))}?mode=ro&immutable=1", flags=_READ_ONLY)
        _set_limits(connection)
        rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
        connection.close()
    except apsw.Error as error:
        raise DatasetError(f"{path} is no readable SQLite database: {error}", "Check the download.") from None
    return "\n".join(f"{sql};" for (sql,) in rows)


def _in_memory(image: bytes) -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    if image:  # an empty database serialises to nothing
        connection.deserialize("main", image)
    return connection


def _set_limits(connection: apsw.Connection) -> None:
    connection.pragma("temp_store", 2)  # in memory: a big sort would otherwise write a file, and no file may be written
    connection.limit(apsw.SQLITE_LIMIT_LENGTH, _VALUE_BYTES)
    connection.limit(apsw.SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES)
    connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
    connection.limit(apsw.SQLITE_LIMIT_WORKER_THREADS, 0)
    connection.limit(apsw.SQLITE_LIMIT_EXPR_DEPTH, 500)
    connection.limit(apsw.SQLITE_LIMIT_TRIGGER_DEPTH, 50)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)


def _authorize_read(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action not in _READ_ACTIONS or (action == apsw.SQLITE_FUNCTION and (second or "").lower() in _DENIED_FUNCTIONS):
        return apsw.SQLITE_DENY
    return apsw.SQLITE_OK


def _authorize_write(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action == apsw.SQLITE_PRAGMA and first == "quick_check":  # ALTER TABLE checks its new constraint with it
        return apsw.SQLITE_OK
    if action in _WRITE_DENIED or (action == apsw.SQLITE_FUNCTION and (second or "").lower() in _DENIED_FUNCTIONS):
        return apsw.SQLITE_DENY
    return apsw.SQLITE_OK
