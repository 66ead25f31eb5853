"""What a worker does with a job: run the golds, run the predictions, compare.

Promises: a statement runs once on a database however many jobs ask for it (small results are kept); the kernel ends
the process when a statement or a comparison overruns.
Does not: talk to anybody; `worker.py` reads jobs and writes replies.
"""

from __future__ import annotations

import signal
import time
from collections import OrderedDict

import msgspec

from benchmark.sqlengine.parse import as_spider_runs_it, order_keys, orders_result
from benchmark.sqlengine.protocol import Database, Job, Limits, Outcome, Reply
from benchmark.sqlengine.results import POLICIES, TIE_AWARE, Cell, Row, Table
from benchmark.sqlengine.sandbox import Executed, Guarded, Stopped, engine_for
from benchmark.sqlengine.state import State, states_agree

#: Seconds after a statement's deadline at which the kernel ends the process.
GRACE_SECONDS = 1.0
#: Databases a worker keeps; results kept of each: at most this many, of at most this many cells each.
_DATABASES = 32
_CELL_CHARS = 200
_KEPT_RESULTS, _KEPT_CELLS = 2_000, 200


class Loaded:
    """One database that this worker holds: its image, a connection that can only read, and results found on it."""

    def __init__(self, job: Job) -> None:
        self._engine = engine_for(job.dialect)
        with _alarm(job.limits.gold_seconds):
            self._image = self._engine.load(job.database, job.limits)
        self._reader: Guarded | None = None
        self._results: dict[str, tuple[float, Executed]] = {}

    def reader(self, limits: Limits) -> Guarded:
        """Kept, because nothing that it runs can change it."""
        if self._reader is None:
            self._reader = self._engine.reader(self._image, limits)
        self._reader.limits = limits  # another job's may differ
        return self._reader

    def writer(self, limits: Limits) -> Guarded:
        """A fresh copy."""
        return self._engine.writer(self._image, limits)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def known(self, sql: str) -> tuple[float, Executed] | None:
        """Seconds and rows of a statement that ran here before."""
        return self._results.get(sql)

    def keep(self, sql: str, seconds: float, done: Executed) -> None:
        """Remember a small result."""
        if len(done.table.rows) * done.table.width <= _KEPT_CELLS:
            if len(self._results) >= _KEPT_RESULTS:
                self._results.clear()
            self._results[sql] = seconds, done


class Databases:
    """The databases this worker has loaded, the last used ones kept."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[tuple[str, Database], Loaded | Stopped] = OrderedDict()

    def of(self, job: Job) -> Loaded:
        """The job's database. Raises Stopped, also when it was stopped before."""
        key = job.dialect, job.database
        if key not in self._loaded:
            try:
                self._loaded[key] = Loaded(job)
            except (Stopped, OSError) as error:
                self._loaded[key] = error if isinstance(error, Stopped) else Stopped("invalid", str(error))
            if len(self._loaded) > _DATABASES:
                _, oldest = self._loaded.popitem(last=False)
                if isinstance(oldest, Loaded):
                    oldest.close()
        self._loaded.move_to_end(key)
        found = self._loaded[key]
        if isinstance(found, Stopped):
            raise found
        return found


class _alarm:
    """The kernel's own deadline around a block: past it, SIGALRM's default action ends the process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds + GRACE_SECONDS

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def answer(job: Job, databases: Databases) -> Reply:
    """Run a job's golds, then its predictions, and compare."""
    try:
        loaded = databases.of(job)
    except Stopped as stopped:
        return Reply(job.key, Outcome(stopped.status, stopped.detail), [], [])
    session = _Writes(job, loaded) if job.task == "write" else _Reads(job, loaded)
    golds = [session.gold(sql) for sql in job.golds]
    return Reply(job.key, Outcome("ok"), golds, [session.prediction(sql) for sql in job.predictions])


class _Reads:
    """Golds and predictions that read: results are compared under the job's policy."""

    def __init__(self, job: Job, loaded: Loaded) -> None:
        self.job = job
        self.loaded = loaded
        self.database = loaded.reader(job.limits)
        self.golds: list[tuple[str, Table, float]] = []
        self._ties_of: dict[str, list[int]] = {}

    def gold(self, sql: str) -> Outcome:
        outcome, done = self._run(sql, self.job.limits.gold_seconds)
        if done:
            self.golds.append((sql, done.table, outcome.seconds))
        return outcome

    def prediction(self, sql: str) -> Outcome:
        if not self.golds:
            return Outcome("invalid", "no gold runs")
        slowest = max(seconds for _, _, seconds in self.golds)
        outcome, done = self._run(sql, self.job.limits.deadline(slowest))
        if not done:
            return outcome
        table = done.table
        if any(table == gold for _, gold, _ in self.golds):  # the same rows in the same order agree under any policy
            return Outcome("ok", "", outcome.seconds, len(table.rows), True)
        with _alarm(self.job.limits.cap_seconds):  # a comparison too must end
            agrees = any(self._agrees(gold_sql, gold, table) for gold_sql, gold, _ in self.golds)
        preview = [] if agrees else _preview(table.rows[: self.job.limits.preview_rows])
        return Outcome("ok", "", outcome.seconds, len(table.rows), agrees, preview)

    def _run(self, sql: str, seconds: float) -> tuple[Outcome, Executed | None]:
        if self.job.policy == "spider":
            sql = as_spider_runs_it(sql)
        if (known := self.loaded.known(sql)) is not None:
            spent, done = known
            return Outcome("ok", "", spent, len(done.table.rows)), done
        started = time.perf_counter()
        try:
            with _alarm(seconds):
                done = self.database.run(sql, seconds)
        except Stopped as stopped:
            return Outcome(stopped.status, stopped.detail[:500], time.perf_counter() - started), None
        spent = time.perf_counter() - started
        self.loaded.keep(sql, spent, done)
        return Outcome("ok", "", spent, len(done.table.rows)), done

    def _agrees(self, gold_sql: str, gold: Table, pred: Table) -> bool:
        compare = POLICIES[self.job.policy]
        if self.job.policy not in TIE_AWARE:
            return compare(gold, pred, () if "order by" in gold_sql.lower() else None)
        if not compare(gold, pred, None):
            return False
        if not orders_result(gold_sql, self.job.dialect):
            return True
        if gold_sql not in self._ties_of:
            self._ties_of[gold_sql] = self._ties(gold_sql, gold)
        return compare(gold, pred, self._ties_of[gold_sql])

    def _ties(self, gold_sql: str, gold: Table) -> list[int]:
        """Lengths of the runs of gold rows whose ORDER BY keys are equal; every row alone where keys are unknown."""
        alone = [1] * len(gold.rows)
        augmented = order_keys(gold_sql, self.job.dialect)
        if augmented is None:
            return alone
        _, done = self._run(augmented.sql(self.job.dialect), self.job.limits.gold_seconds)
        if done is None or [row[: gold.width] for row in done.table.rows] != gold.rows:
            return alone
        runs: list[int] = []
        previous: Row | None = None
        for row in done.table.rows:
            if previous is not None and row[gold.width :] == previous:
                runs[-1] += 1
            else:
                runs.append(1)
            previous = row[gold.width :]
        return runs


class _Writes:
    """Golds and predictions that write: each runs on its own fresh copy, and final states are compared."""

    def __init__(self, job: Job, loaded: Loaded) -> None:
        self.job = job
        self.loaded = loaded
        self.golds: list[tuple[State, float]] = []
        self.allowed = 1

    def gold(self, sql: str) -> Outcome:
        outcome, state, statements = self._run(sql, self.job.limits.gold_seconds, 100)
        if state is not None:
            self.golds.append((state, outcome.seconds))
            self.allowed = max(self.allowed, statements)
        return outcome

    def prediction(self, sql: str) -> Outcome:
        if not self.golds:
            return Outcome("invalid", "no gold runs")
        slowest = max(seconds for _, seconds in self.golds)
        outcome, state, _ = self._run(sql, self.job.limits.deadline(slowest), self.allowed)
        if state is None:
            return outcome
        return msgspec.structs.replace(outcome, agrees=any(states_agree(gold, state) for gold, _ in self.golds))

    def _run(self, sql: str, seconds: float, allowed: int) -> tuple[Outcome, State | None, int]:
        started = time.perf_counter()
        database = self.loaded.writer(self.job.limits)
        try:
            with _alarm(seconds):
                done = database.run(sql, seconds, allowed)
                state = database.final_state(seconds)
        except Stopped as stopped:
            return Outcome(stopped.status, stopped.detail[:500], time.perf_counter() - started), None, 0
        finally:
            database.close()
        return Outcome("ok", "", time.perf_counter() - started), state, done.statements


def _preview(rows: list[Row]) -> list[list[object]]:
    """The first rows as JSON values, long cells cut, bytes as text."""
    return [[_shown(cell) for cell in row] for row in rows]


def _shown(cell: Cell) -> Cell:
    if isinstance(cell, bytes):
        return cell.hex()[:_CELL_CHARS]
    if isinstance(cell, str):
        return cell[:_CELL_CHARS]
    return str(cell) if isinstance(cell, int) and abs(cell) >> 63 else cell  # beyond what msgpack and JSON readers hold
