"""The given database as the search sees it: its DDL, sampled rows, and all of its rows where it is small.

Promises: reads through the guarded reader alone; what cannot be read is left out.
Does not: draw or change rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benchmark.sqlengine.datagen.layout import Layout, Rows, Slots
from benchmark.sqlengine.datagen.values import fits
from benchmark.sqlengine.protocol import Database, Job
from benchmark.sqlengine.results import Row
from benchmark.sqlengine.sandbox import Guarded, Stopped, engine_for
from benchmark.sqlengine.sandbox.rows import quoted
from benchmark.sqlengine.schema import Table, ddl_statements
from benchmark.sqlengine.watch import alarm

_SECONDS = 0.5
_SAMPLED_ROWS = 12
_CATALOGS = {
    "sqlite": ("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite^_%' ESCAPE '^'",),
    "duckdb": (
        "SELECT sql FROM duckdb_tables() WHERE NOT internal ORDER BY table_oid",
        "SELECT sql FROM duckdb_views() WHERE NOT internal ORDER BY view_oid",
    ),
}


class Given:
    """A job's own database. `allowed` is how many statements a prediction may hold."""

    def __init__(self, job: Job, reader: Guarded, allowed: int) -> None:
        self.job = job
        self.allowed = allowed
        self._reader = reader

    def ddl(self) -> tuple[str, ...]:
        """The statements that define the database. SQLite keeps them as they were written, alterations included."""
        if self.job.dialect != "sqlite" and self.job.database.path is None:
            return ddl_statements(self.job.database.setup_sql)
        rows = [row for sql in _CATALOGS.get(self.job.dialect, ()) for row in self._rows(sql)]
        return tuple(str(row[0]) for row in rows if row[0])

    def sampled(self, tables: Sequence[Table]) -> Rows:
        """The first rows of each table, all columns."""
        found: Rows = {}
        for table in tables:
            names = ", ".join(quoted(column.name) for column in table.columns)
            sql = f"SELECT {names} FROM {quoted(table.name)} LIMIT {_SAMPLED_ROWS}"  # noqa: S608
            found[table.name.lower()] = [row for row in self._rows(sql) if len(row) == len(table.columns)]
        return found

    def whole(self, layout: Layout, most: int) -> Rows | None:
        """All rows of the tables, in the columns that are filled; None where they are more than `most`."""
        found: Rows = {}
        left = most + 1
        for name, slots in layout.items():
            columns = ", ".join(map(quoted, slots.names))
            found[name] = self._rows(f"SELECT {columns} FROM {quoted(slots.table.name)} LIMIT {left}")  # noqa: S608
            left -= len(found[name])
            if left <= 0:
                return None
        return found

    def loads(self, script: str) -> bool:
        """Whether a script builds a database that obeys all its constraints."""
        limits = msgspec.structs.replace(self.job.limits, gold_seconds=2.0)
        try:
            with alarm(limits.gold_seconds):
                engine_for(self.job.dialect).load(Database(script), limits)
        except (Stopped, OSError):
            return False
        return True

    def select(self, sql: str) -> list[Row] | None:
        """The rows of a query, or None where it fails."""
        try:
            with alarm(_SECONDS):
                return self._reader.run(sql, _SECONDS).table.rows
        except Stopped:
            return None

    def _rows(self, sql: str) -> list[Row]:
        return self.select(sql) or []


def usable(seen: Rows, layout: Layout) -> Rows:
    """Of sampled rows, those whose cells are of their columns' kinds, in the columns that are filled."""
    return {name: _usable(seen.get(name, []), slots) for name, slots in layout.items()}


def _usable(rows: list[Row], slots: Slots) -> list[Row]:
    names = [column.name.lower() for column in slots.table.columns]
    positions = [names.index(column) for column in slots.columns]
    kept = [tuple(row[position] for position in positions) for row in rows]
    return [row for row in kept if all(map(fits, row, slots.looks))]
