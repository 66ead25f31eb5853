"""Where two statements meet on one small database after another: for statements that read, and for those that write.

Promises: every statement runs under the engine's guard, with a short deadline of its own and the kernel's behind it.
Does not: make databases (`datagen/`), or decide what a difference proves (`distinguish.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from benchmark.sqlengine.agreement import Agreement
from benchmark.sqlengine.datagen.script import setup_sql
from benchmark.sqlengine.protocol import Database, Grid, Job, Limits
from benchmark.sqlengine.results import Table, shown_cell
from benchmark.sqlengine.sandbox import Executed, Filling, Stopped, engine_for
from benchmark.sqlengine.sandbox.rows import stored
from benchmark.sqlengine.state import State, states_agree
from benchmark.sqlengine.watch import alarm

#: Seconds that one statement may take on a small database.
STATEMENT_SECONDS = 0.3


class Answer(NamedTuple):
    """What a statement does to a small database: its rows, or the database afterwards."""

    table: Table
    columns: tuple[str, ...] = ()
    state: State | None = None

    @property
    def size(self) -> tuple[object, ...]:
        """How many rows, table by table."""
        if self.state is None:
            return (len(self.table.rows),)
        return tuple(sorted((name, len(table.rows)) for name, table in self.state.tables.items()))

    @property
    def blank(self) -> bool:
        """Whether it is a result without rows."""
        return self.state is None and not self.table.rows

    @property
    def empty(self) -> bool:
        """Whether nothing was returned."""
        return self.state is None and not any(cell is not None for row in self.table.rows for cell in row)


class Arena(Protocol):
    """One schema, filled again and again."""

    ddl: tuple[str, ...]

    @property
    def ways(self) -> int:
        """How many ways of storing the rows that it holds there are."""

    def fill(self, fillings: Sequence[Filling]) -> bool:
        """Hold these rows and no others. False where the engine does not take them."""

    def answer(self, sql: str, way: int = 0) -> Answer:
        """Run a statement on the rows as stored in one of the ways. Raises Stopped."""

    def agree(self, gold_sql: str, gold: Answer, other: Answer) -> bool:
        """Whether an answer counts as the gold's."""

    def cuts_ties(self, gold_sql: str, gold: Answer) -> bool:
        """Whether the gold keeps some of several rows that it ranks alike."""

    def shown(self, gold: Answer, prediction: Answer) -> tuple[Grid, Grid]:
        """Both answers as tables to be read."""

    def close(self) -> None:
        """Let go of its memory."""


def small(limits: Limits) -> Limits:
    """The limits of a statement on a small database."""
    return msgspec.structs.replace(limits, max_rows=5_000, max_bytes=4 << 20, gold_seconds=2.0)


class Reads:
    """For statements that read: one workbench, results compared under the job's policy."""

    def __init__(self, job: Job, ddl: Iterable[str], *, keep_keys: bool) -> None:
        limits = small(job.limits)
        with alarm(limits.gold_seconds):
            self._bench = engine_for(job.dialect).workbench(ddl, limits, keep_keys=keep_keys)
        self.ddl = self._bench.ddl
        self._agreement = Agreement(job.policy, job.dialect, self._table)

    @property
    def ways(self) -> int:
        return self._bench.ways

    def fill(self, fillings: Sequence[Filling]) -> bool:
        self._agreement.forget()
        return self._bench.fill(fillings)

    def answer(self, sql: str, way: int = 0) -> Answer:
        with alarm(STATEMENT_SECONDS):
            done: Executed = self._bench.run(sql, STATEMENT_SECONDS, way)
        return Answer(done.table, done.columns)

    def agree(self, gold_sql: str, gold: Answer, other: Answer) -> bool:
        with alarm(STATEMENT_SECONDS):
            return self._agreement(gold_sql, gold.table, other.table)

    def cuts_ties(self, gold_sql: str, gold: Answer) -> bool:
        return self._agreement.cuts_ties(gold_sql, gold.table)

    def shown(self, gold: Answer, prediction: Answer) -> tuple[Grid, Grid]:
        return _grid(gold), _grid(prediction)

    def close(self) -> None:
        self._bench.close()

    def _table(self, sql: str) -> Table | None:
        try:
            return self._bench.run(sql, STATEMENT_SECONDS).table
        except Stopped:
            return None


class Writes:
    """For statements that write: each gets a fresh copy, and what it leaves is compared."""

    ways = 4

    def __init__(self, job: Job, ddl: Iterable[str], allowed: int) -> None:
        self._engine = engine_for(job.dialect)
        self._limits = small(job.limits)
        self._allowed = allowed
        self.ddl = tuple(ddl)
        self._fillings: Sequence[Filling] = ()
        self._images: dict[int, Any] = {}

    def fill(self, fillings: Sequence[Filling]) -> bool:
        self._fillings = fillings
        self._images.clear()
        try:
            self._image(0)
        except (Stopped, OSError):
            return False
        return True

    def answer(self, sql: str, way: int = 0) -> Answer:
        with alarm(2 * STATEMENT_SECONDS):
            database = self._engine.writer(self._image(way), self._limits)
            try:
                if sql:
                    database.run(sql, STATEMENT_SECONDS, self._allowed)
                state = database.final_state(STATEMENT_SECONDS)
            finally:
                database.close()
        return Answer(Table(0, []), (), state)

    def agree(self, gold_sql: str, gold: Answer, other: Answer) -> bool:
        return gold.state is not None and other.state is not None and states_agree(gold.state, other.state)

    def cuts_ties(self, gold_sql: str, gold: Answer) -> bool:
        return False

    def shown(self, gold: Answer, prediction: Answer) -> tuple[Grid, Grid]:
        before, states = self.answer("").state, (gold.state, prediction.state)
        names = _changed(before, states)
        return _state_grid(states[0], names), _state_grid(states[1], names)

    def close(self) -> None:
        self._images.clear()

    def _image(self, way: int) -> Any:
        if way not in self._images:
            fillings = [stored(filling, way) for filling in self._fillings]
            self._images[way] = self._engine.load(Database(setup_sql(self.ddl, fillings)), self._limits)
        return self._images[way]


def _grid(answer: Answer) -> Grid:
    return Grid(list(answer.columns), [[shown_cell(cell) for cell in row] for row in answer.table.rows])


def _changed(before: State | None, states: tuple[State | None, State | None]) -> list[str]:
    """Tables and views that either statement changed."""
    found: dict[str, None] = {}
    for state in states:
        for name, rows in _contents(state).items():
            if before is None or sorted(map(repr, _contents(before).get(name, ((), [[]]))[1])) != sorted(
                map(repr, rows[1])
            ):
                found[name] = None
        for name in _contents(before):
            if name not in _contents(state):
                found[name] = None
    return list(found)


def _contents(state: State | None) -> dict[str, tuple[tuple[str, ...], list[Any]]]:
    if state is None:
        return {}
    tables = {name: (tuple(str(c[0]) for c in t.columns), list(t.rows)) for name, t in state.tables.items()}
    views = {name: (tuple(f"column {n + 1}" for n in range(v.width)), list(v.rows)) for name, v in state.views.items()}
    return tables | views


def _state_grid(state: State | None, names: list[str]) -> Grid:
    contents = _contents(state)
    if len(names) == 1 and names[0] in contents:
        columns, rows = contents[names[0]]
        return Grid(["table", *columns], [[names[0], *map(shown_cell, row)] for row in sorted(rows, key=repr)])
    lines = []
    for name in names:
        columns, rows = contents.get(name, ((), []))
        if name not in contents:
            lines.append([name, "(no such table)"])
        for row in sorted(rows, key=repr):
            cells = zip(columns, row, strict=False)
            lines.append([name, ", ".join(f"{column} = {shown_cell(cell)!r}" for column, cell in cells)])
    return Grid(["table", "row"], [list[object](line) for line in lines])
