"""What an engine is: it loads a database, and opens it for reading or as a throw-away copy for writing.

Promises: the same outcome words for every engine (`Stopped.status`), rows as Python values of `results.Cell`.
Does not: compare anything, or know about jobs and policies (`session.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from benchmark.registry import load
from benchmark.sqlengine.protocol import Database, Limits, Status
from benchmark.sqlengine.results import Row, Table
from benchmark.sqlengine.sandbox.rows import Filling
from benchmark.sqlengine.state import State

#: Dialect -> engine. A server database (PostgreSQL) would be one more line: its image a template database's name.
ENGINES = {
    "sqlite": "benchmark.sqlengine.sandbox.sqlite:ENGINE",
    "duckdb": "benchmark.sqlengine.sandbox.duck:ENGINE",
}
#: Bytes of one statement's text.
SQL_BYTES = 1_000_000
_CHUNK_ROWS = 64


class Stopped(Exception):
    """A statement that did not run to its end, and why."""

    def __init__(self, status: Status, detail: str) -> None:
        super().__init__(detail)
        self.status: Status = status
        self.detail = detail


class Executed(NamedTuple):
    """The rows of the last statement that returned some, how many statements ran, and the names of its columns."""

    table: Table
    statements: int
    columns: tuple[str, ...] = ()


class Guarded(Protocol):
    """An open database with its guard up. `limits` may be set anew before each statement."""

    limits: Limits

    def run(self, sql: str, seconds: float, allowed: int = 1) -> Executed:
        """Run at most `allowed` statements within `seconds`. Raises Stopped."""

    def final_state(self, seconds: float) -> State:
        """The whole database as it is now, for statements that write. Raises Stopped."""

    def close(self) -> None:
        """Let go of the database and its memory."""


class Workbench(Protocol):
    """One schema whose rows are set anew again and again, guarded for reading. Only `fill` writes, and only our rows.

    Several ways of storing the same rows differ in their physical order (and, where that is possible, in their keys
    and indexes): what a query returns under one way and not under another, its text does not decide.
    """

    limits: Limits
    #: Ways of storing the rows that it holds, numbered from 0: as a script of the rows in their order would store them.
    ways: int
    #: The DDL statements that ran.
    ddl: tuple[str, ...]

    def fill(self, tables: Sequence[Filling]) -> bool:
        """Hold these rows and no others; parents come before their children. False where the engine rejects one."""

    def run(self, sql: str, seconds: float, way: int = 0) -> Executed:
        """Run one statement that reads. Raises Stopped."""

    def close(self) -> None:
        """Let go of its memory."""


class Engine(Protocol):
    """One database system. An image is the engine's own: whatever it can quickly open a private database from."""

    def load(self, database: Database, limits: Limits) -> Any:
        """The image of a database: from its file, or by running its setup script. Raises Stopped, OSError."""

    def reader(self, image: Any, limits: Limits) -> Guarded:
        """A database that can only be read: it serves many statements."""

    def backwards(self, image: Any, limits: Limits) -> Guarded:
        """A database to read whose rows come the other way round wherever nothing orders them. Raises Stopped."""

    def writer(self, image: Any, limits: Limits) -> Guarded:
        """A private copy to write to: it serves one statement and is dropped."""

    def workbench(self, ddl: Iterable[str], limits: Limits, *, keep_keys: bool) -> Workbench:
        """Tables without rows, made by those statements that run here. `keep_keys` where a statement sees row ids."""


def engine_for(dialect: str) -> Engine:
    """The engine that runs a dialect. Raises Stopped where there is none."""
    if dialect not in ENGINES:
        raise Stopped("invalid", f"no engine for dialect '{dialect}'; known: {', '.join(ENGINES)}")
    engine: Engine = load("engine", ENGINES, dialect)
    return engine


def fetch_capped(more: Callable[[int], Sequence[Row]], limits: Limits, late: Callable[[], bool]) -> list[Row]:
    """All rows, asked for in chunks with `more(n)`. Raises Stopped past the caps on rows and bytes, or when `late`."""
    rows = list(more(_CHUNK_ROWS))
    if len(rows) < _CHUNK_ROWS:
        return rows
    used, chunk = _size(rows), rows
    while chunk:
        chunk = list(more(_CHUNK_ROWS))
        rows += chunk
        used += _size(chunk)
        if late():
            raise Stopped("timeout", "stopped while its rows were read")
        if len(rows) > limits.max_rows or used > limits.max_bytes:
            raise Stopped("limit", f"more than {limits.max_rows} rows or {limits.max_bytes} bytes")
    return rows


def _size(rows: list[Row]) -> int:
    return sum(len(cell) if isinstance(cell, (str, bytes)) else 16 for row in rows for cell in row)
