"""What a worker does with a job: run the golds, run the predictions, compare.

Promises: a statement runs once on a database however many jobs ask for it (small results are kept); the kernel ends
the process when a statement or a comparison overruns.
Does not: talk to anybody; `worker.py` reads jobs and writes replies.
"""

from __future__ import annotations

import time
from collections import OrderedDict

import msgspec

from benchmark.sqlengine.agreement import Agreement
from benchmark.sqlengine.parse import as_spider_runs_it
from benchmark.sqlengine.protocol import Database, Job, Limits, Outcome, Reply
from benchmark.sqlengine.results import Table, result_hash, shown_cell
from benchmark.sqlengine.sandbox import Executed, Guarded, Stopped, engine_for
from benchmark.sqlengine.state import State, states_agree
from benchmark.sqlengine.watch import alarm

#: What a worker keeps: SQLite databases weigh 1, open DuckDB ones more, each of which maps some 70 MB of addresses.
_KEPT_WEIGHT, _DUCKDB_WEIGHT = 32, 4
#: Results kept of each database: at most this many, of at most this many cells each.
_KEPT_RESULTS, _KEPT_CELLS = 2_000, 200


class Loaded:
    """One database that this worker holds: its image, a connection that can only read, and results found on it."""

    def __init__(self, job: Job) -> None:
        self._weight = _DUCKDB_WEIGHT if job.dialect == "duckdb" else 0
        self.engine = engine_for(job.dialect)
        with alarm(job.limits.gold_seconds):
            self.image = self.engine.load(job.database, job.limits)
        #: Other databases made from this one, by what was done to them; None: it cannot be done.
        self.variants: dict[str, Guarded | None] = {}
        self._reader: Guarded | None = None
        self._results: dict[str, tuple[float, Executed]] = {}

    def reader(self, limits: Limits) -> Guarded:
        """Kept, because nothing that it runs can change it."""
        if self._reader is None:
            self._reader = self.engine.reader(self.image, limits)
        self._reader.limits = limits  # another job's may differ
        return self._reader

    @property
    def weight(self) -> int:
        """How much room it takes among those that are kept."""
        return max(1, self._weight * (1 + len(self.variants)))

    def writer(self, limits: Limits) -> Guarded:
        """A fresh copy."""
        return self.engine.writer(self.image, limits)

    def close(self) -> None:
        for database in (self._reader, *self.variants.values()):
            if database is not None:
                database.close()

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
            self._make_room()
        self._loaded.move_to_end(key)
        found = self._loaded[key]
        if isinstance(found, Stopped):
            raise found
        return found

    def _make_room(self) -> None:
        """Let go of those that were not used for longest; the newest stays."""
        total = sum(map(_weight, self._loaded.values()))
        while total > _KEPT_WEIGHT and len(self._loaded) > 1:
            _, oldest = self._loaded.popitem(last=False)
            total -= _weight(oldest)
            if isinstance(oldest, Loaded):
                oldest.close()


def _weight(found: Loaded | Stopped) -> int:
    return found.weight if isinstance(found, Loaded) else 1


def answer(job: Job, databases: Databases) -> Reply:
    """Run a job's golds, then its predictions, and compare."""
    try:
        loaded = databases.of(job)
    except Stopped as stopped:
        return Reply(job.key, Outcome(stopped.status, stopped.detail), [], [])
    session = _Writes(job, loaded) if job.task == "write" else _Reads(job, loaded)
    golds = [session.gold(sql) for sql in job.golds]
    predictions = [session.prediction(sql) for sql in job.predictions]
    if job.search is not None and any(gold.status == "ok" for gold in golds):
        from benchmark.sqlengine.distinguish import searched  # a worker that never searches starts sooner without
        from benchmark.sqlengine.given import Given

        running = [sql for sql, gold in zip(job.golds, golds, strict=True) if gold.status == "ok"]
        given = Given(job, loaded.reader(job.limits), session.allowed)
        predictions = searched(given, job.search, running, predictions)
    reply = Reply(job.key, Outcome("ok"), golds, predictions)
    if job.inspect:
        from benchmark.sqlengine.inspection import inspect

        return msgspec.structs.replace(reply, inspected=inspect(job, loaded, golds))
    return reply


class _Reads:
    """Golds and predictions that read: results are compared under the job's policy."""

    allowed = 1

    def __init__(self, job: Job, loaded: Loaded) -> None:
        self.job = job
        self.loaded = loaded
        self.database = loaded.reader(job.limits)
        self.golds: list[tuple[str, Table, float]] = []
        self._agreement = Agreement(job.policy, job.dialect, self._table)

    def gold(self, sql: str) -> Outcome:
        outcome, done = self._run(sql, self.job.limits.gold_seconds)
        if not done:
            return outcome
        self.golds.append((sql, done.table, outcome.seconds))
        return msgspec.structs.replace(outcome, preview=self._preview(done.table))

    def prediction(self, sql: str) -> Outcome:
        if not self.golds:
            return Outcome("invalid", "no gold runs")
        slowest = max(seconds for _, _, seconds in self.golds)
        outcome, done = self._run(sql, self.job.limits.deadline(slowest))
        if not done:
            return outcome
        table = done.table
        with alarm(self.job.limits.cap_seconds):  # a comparison too must end
            agrees = any(self._agreement(gold_sql, gold, table) for gold_sql, gold, _ in self.golds)
        result = result_hash(table.rows) if self.job.hashes else ""
        return Outcome("ok", "", outcome.seconds, len(table.rows), agrees, self._preview(table), result=result)

    def _preview(self, table: Table) -> list[list[object]]:
        """The first rows as JSON values, long cells cut, bytes as text."""
        return [[shown_cell(cell) for cell in row] for row in table.rows[: self.job.limits.preview_rows]]

    def _run(self, sql: str, seconds: float) -> tuple[Outcome, Executed | None]:
        if self.job.policy == "spider":
            sql = as_spider_runs_it(sql)
        if (known := self.loaded.known(sql)) is not None:
            spent, done = known
            return Outcome("ok", "", spent, len(done.table.rows)), done
        started = time.perf_counter()
        try:
            with alarm(seconds):
                done = self.database.run(sql, seconds)
        except Stopped as stopped:
            return Outcome(stopped.status, stopped.detail[:500], time.perf_counter() - started), None
        spent = time.perf_counter() - started
        self.loaded.keep(sql, spent, done)
        return Outcome("ok", "", spent, len(done.table.rows)), done

    def _table(self, sql: str) -> Table | None:
        _, done = self._run(sql, self.job.limits.gold_seconds)
        return None if done is None else done.table


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
            with alarm(seconds):
                done = database.run(sql, seconds, allowed)
                state = database.final_state(seconds)
        except Stopped as stopped:
            return Outcome(stopped.status, stopped.detail[:500], time.perf_counter() - started), None, 0
        finally:
            database.close()
        return Outcome("ok", "", time.perf_counter() - started), state, done.statements
