"""A look at the golds themselves: does their answer depend on the rows, on luck, on the order in which rows lie?

Promises: the given database is never changed; what cannot be tried counts as nothing found.
Does not: judge what a finding means (`benchmark.validate`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlglot import exp

from benchmark.sqlengine.agreement import Agreement
from benchmark.sqlengine.parse import parse
from benchmark.sqlengine.protocol import Inspected, Job, Outcome
from benchmark.sqlengine.results import Cell, Table
from benchmark.sqlengine.sandbox import Guarded, Stopped
from benchmark.sqlengine.sandbox.rows import quoted
from benchmark.sqlengine.session import Loaded
from benchmark.sqlengine.state import State, states_agree
from benchmark.sqlengine.watch import alarm

#: Changes when an inspection would find something else.
INSPECTION_VERSION = "2026-11-25"
#: Kinds of blanket writes; the last one knows the gold but for its condition.
BLANKETS = ("nothing", "delete", "drop", "update", "delete_all", "no_condition")
#: Bytes of a database file beyond which no second copy is made.
_MOST_BYTES = 64 << 20
#: Seconds for the blanket writes on one gold, and what they set columns to.
_BLANKET_SECONDS = 10.0
#: Rows that a query over empty tables may well return, such as some counts of 0.
_MOST_ROWS_OF_NOTHING = 3
#: Words without which DuckDB's answer does not depend on how rows lie.
_BY_ORDER = re.compile(
    r"\b(?:limit|offset|fetch|sample|over|qualify|distinct\s+on|first|last|any_value|list|array_agg|string_agg|group_concat|listagg"
    r"|arg_?m(?:in|ax)|m(?:in|ax)_by|mode|rowid)\b",
    re.IGNORECASE,
)
_VALUES = {"NULL": None, "0": 0, "1": 1}


def inspect(job: Job, loaded: Loaded, golds: Sequence[Outcome]) -> list[Inspected]:
    """An entry for each gold; one that does not run has nothing found."""
    look = _Writing(job, loaded) if job.task == "write" else _Reading(job, loaded)
    pairs = zip(job.golds, golds, strict=True)
    return [look(sql) if outcome.status == "ok" else Inspected() for sql, outcome in pairs]


class _Reading:
    """Golds that read, on the given database and its variants."""

    def __init__(self, job: Job, loaded: Loaded) -> None:
        self._seconds = job.limits.gold_seconds
        self._job = job
        self._loaded = loaded
        self._given = loaded.reader(job.limits)
        self._agree = Agreement("default", job.dialect, lambda sql: self._table(sql, self._given))

    def __call__(self, sql: str) -> Inspected:
        known = self._loaded.known(sql)  # what is small was kept when the gold ran
        first = known[1].table if known is not None else self._table(sql, self._given)
        again = self._table(sql, self._given)
        if first is None or again is None:
            return Inspected()
        all_null = len(first.rows) == 1 and all(cell is None for cell in first.rows[0])
        repeats = self._agree(sql, first, again)
        return Inspected(
            all_null=all_null,
            repeats=repeats,
            order_free=not repeats or self._is_order_free(sql, first),
            cuts_ties=self._agree.cuts_ties(sql, first),
            same_when_empty=0 < len(first.rows) <= _MOST_ROWS_OF_NOTHING and not all_null and self._is_same(sql, first),
        )

    def _is_order_free(self, sql: str, first: Table) -> bool:
        """Whether the rows the other way round give the same; DuckDB, slow to turn, is asked where it could matter."""
        if self._job.dialect == "duckdb" and not _BY_ORDER.search(sql):
            return True
        engine, image, limits = self._loaded.engine, self._loaded.image, self._job.limits
        turned = self._on("backwards", sql, lambda: engine.backwards(image, limits))
        return turned is None or self._agree(sql, first, turned)

    def _is_same(self, sql: str, first: Table) -> bool:
        """Whether tables without rows give the same."""
        return first == self._on("emptied", sql, lambda: _emptied(self._loaded, self._job))

    def _on(self, variant: str, sql: str, make: Callable[[], Guarded]) -> Table | None:
        """A gold's result on another database made from the given one, None where there is none."""
        known = self._loaded.variants
        if variant not in known:
            known[variant] = None
            with suppress(Stopped, OSError), alarm(self._seconds):
                known[variant] = make() if _is_small(self._job) else None
        database = known[variant]
        return None if database is None else self._table(sql, database)

    def _table(self, sql: str, database: Guarded) -> Table | None:
        try:
            with alarm(self._seconds):
                return database.run(sql, self._seconds).table
        except Stopped:
            return None


class Blanket(NamedTuple):
    """What somebody could write who knows the schema and nothing of the question."""

    kind: str
    sql: str
    table: str = ""
    column: str = ""
    value: int | None = None


class _Writing:
    """Golds that write: which blanket writes leave the database that a gold leaves?"""

    def __init__(self, job: Job, loaded: Loaded) -> None:
        self._job = job
        self._loaded = loaded
        self._before = self._after("")

    def __call__(self, sql: str) -> Inspected:
        gold = self._after(sql)
        if gold is None or self._before is None:
            return Inspected()
        found: dict[str, str] = {}
        until = time.monotonic() + _BLANKET_SECONDS
        for blanket in self._candidates(sql, gold):
            if blanket.kind not in found and time.monotonic() < until:
                state = self._after(blanket.sql)
                if state is not None and states_agree(gold, state):
                    found[blanket.kind] = blanket.sql
        return Inspected(blanket=found)

    def _candidates(self, sql: str, gold: State) -> Iterator[Blanket]:
        """Those that could leave the gold's database, by a look at its rows."""
        if self._before is not None and _is_small(self._job):
            yield from (blanket for blanket in blanket_writes(self._before) if _could_leave(blanket, gold))
        bare = without_condition(sql, self._job.dialect)
        if bare:
            yield Blanket("no_condition", bare)

    def _after(self, sql: str) -> State | None:
        """The database after a statement, as it is for an empty text; None where that does not run."""
        database = self._loaded.writer(self._job.limits)
        seconds = self._job.limits.gold_seconds
        try:
            with alarm(seconds):
                if sql:
                    database.run(sql, seconds, 100)
                return database.final_state(seconds)
        except Stopped:
            return None
        finally:
            database.close()


def blanket_writes(state: State) -> list[Blanket]:
    """All of them that there are for the tables of a database."""
    names = {table: quoted(table) for table in state.tables}
    deletes = [Blanket("delete", f"DELETE FROM {name}", table) for table, name in names.items()]  # noqa: S608
    updates = [
        Blanket("update", f"UPDATE {names[table]} SET {quoted(column)} = {word}", table, column, value)  # noqa: S608
        for table, content in state.tables.items()
        for column in content.names
        for word, value in _VALUES.items()
    ]
    every = [Blanket("delete_all", "; ".join(one.sql for one in deletes))] if deletes else []
    drops = [Blanket("drop", f"DROP TABLE {name}", table) for table, name in names.items()]
    return [Blanket("nothing", ""), *deletes, *every, *drops, *updates]


def _could_leave(blanket: Blanket, gold: State) -> bool:
    """Whether a blanket write could have left these tables; what is left of one is easy to see."""
    table = gold.tables.get(blanket.table)
    if blanket.kind == "delete":
        return table is not None and not table.rows
    if blanket.kind == "delete_all":
        return not any(one.rows for one in gold.tables.values())
    if blanket.kind == "drop":
        return table is None
    if blanket.kind == "update":
        if table is None or blanket.column not in table.names:
            return False
        place = table.names.index(blanket.column)
        return all(_is_value(row[place], blanket.value) for row in table.rows)
    return True


def _is_value(cell: Cell, value: int | None) -> bool:
    """Whether a cell holds a value, whatever its column makes of it."""
    if cell is None or value is None:
        return cell is value
    try:
        return float(cell) == value
    except ValueError:
        return False


def without_condition(sql: str, dialect: str) -> str:
    """An UPDATE or DELETE without its WHERE; empty for any other statement.

    >>> without_condition("UPDATE t SET a = 1 WHERE b = 2", "sqlite")
    'UPDATE t SET a = 1'
    """
    tree = parse(sql, dialect)
    if not isinstance(tree, (exp.Update, exp.Delete)) or not tree.args.get("where"):
        return ""
    tree.set("where", None)
    return tree.sql(dialect)


def _emptied(loaded: Loaded, job: Job) -> Guarded:
    """The database without a row. Raises Stopped."""
    database = loaded.writer(job.limits)
    _delete_all(database, database.final_state(job.limits.gold_seconds).tables, job.limits.gold_seconds)
    return database


def _delete_all(database: Guarded, tables: Iterable[str], seconds: float) -> None:
    """Empty the tables, children before their parents whatever the order given. Raises Stopped."""
    left = list(tables)
    while left:
        held: dict[str, Stopped] = {}
        for table in left:
            try:
                database.run(f"DELETE FROM {quoted(table)}", seconds)  # noqa: S608
            except Stopped as stopped:
                held[table] = stopped
        if len(held) == len(left):
            raise held[left[0]]
        left = list(held)


def _is_small(job: Job) -> bool:
    return job.database.path is None or Path(job.database.path).stat().st_size <= _MOST_BYTES
