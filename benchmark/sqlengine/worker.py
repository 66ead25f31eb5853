"""The worker process: takes batches of jobs on standard input, answers on standard output.

Promises: the kernel ends it when a statement overruns (an interval timer whose signal nobody catches), when memory
runs out, and when its parent has gone; it can create no file (RLIMIT_FSIZE is 0) and sees no environment.
Does not: know about metrics or models.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import OrderedDict
from typing import BinaryIO

import msgspec

from benchmark.sqlengine.parse import as_spider_runs_it, order_keys, orders_result
from benchmark.sqlengine.protocol import Database, Job, Limits, Outcome, Reply, read_frame, write_frame
from benchmark.sqlengine.results import POLICIES, TIE_AWARE, Row, Table
from benchmark.sqlengine.sandbox import Executed, SqliteDatabase, Stopped, from_image, open_sqlite
from benchmark.sqlengine.state import State, read_state, states_agree

#: Seconds after a statement's deadline at which the kernel ends the process.
GRACE_SECONDS = 1.0
_IMAGES = 32
_CELL_CHARS = 200


class Images:
    """The databases this worker has loaded, the last used ones kept."""

    def __init__(self) -> None:
        self._images: OrderedDict[Database, bytes | Stopped] = OrderedDict()
        self._readers: dict[Database, SqliteDatabase] = {}

    def image(self, database: Database, limits: Limits) -> bytes:
        """The database's bytes. Raises Stopped, also when it was stopped before."""
        if database not in self._images:
            try:
                with _alarm(limits.gold_seconds):
                    self._images[database] = open_sqlite(database, limits)
            except (Stopped, OSError) as error:
                stopped = error if isinstance(error, Stopped) else Stopped("invalid", str(error))
                self._images[database] = stopped
            if len(self._images) > _IMAGES:
                old, _ = self._images.popitem(last=False)
                self._readers.pop(old, None)
        self._images.move_to_end(database)
        found = self._images[database]
        if isinstance(found, Stopped):
            raise found
        return found

    def reader(self, database: Database, limits: Limits) -> SqliteDatabase:
        """A connection that can only read; kept, because nothing it runs can change it."""
        if database not in self._readers:
            image = self.image(database, limits)
            self._readers[database] = from_image(image, limits, writable=False)
        reader = self._readers[database]
        reader.limits = limits  # another job's may differ
        return reader


class _alarm:
    """The kernel's own deadline around a block: past it, SIGALRM's default action ends the process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds + GRACE_SECONDS

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def answer(job: Job, images: Images) -> Reply:
    """Run a job's golds, then its predictions, and compare."""
    try:
        images.image(job.database, job.limits)
    except Stopped as stopped:
        return Reply(job.key, Outcome(stopped.status, stopped.detail), [], [])
    session = _Writes(job, images) if job.task == "write" else _Reads(job, images)
    golds = [session.gold(sql) for sql in job.golds]
    return Reply(job.key, Outcome("ok"), golds, [session.prediction(sql) for sql in job.predictions])


class _Reads:
    """Golds and predictions that read: results are compared under the job's policy."""

    def __init__(self, job: Job, images: Images) -> None:
        self.job = job
        self.database = images.reader(job.database, job.limits)
        self.golds: list[tuple[str, Table, float]] = []

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
        with _alarm(self.job.limits.cap_seconds):  # a comparison too must end
            agrees = any(self._agrees(gold_sql, gold, done.table) for gold_sql, gold, _ in self.golds)
        return msgspec.structs.replace(outcome, agrees=agrees)

    def _run(self, sql: str, seconds: float) -> tuple[Outcome, Executed | None]:
        if self.job.policy == "spider":
            sql = as_spider_runs_it(sql)
        started = time.perf_counter()
        try:
            with _alarm(seconds):
                done = self.database.run(sql, seconds)
        except Stopped as stopped:
            return Outcome(stopped.status, stopped.detail[:500], time.perf_counter() - started), None
        spent = time.perf_counter() - started
        rows = done.table.rows
        return Outcome("ok", "", spent, len(rows), False, _preview(rows[: self.job.limits.preview_rows])), done

    def _agrees(self, gold_sql: str, gold: Table, pred: Table) -> bool:
        compare = POLICIES[self.job.policy]
        if self.job.policy not in TIE_AWARE:
            return compare(gold, pred, () if "order by" in gold_sql.lower() else None)
        if not compare(gold, pred, None):
            return False
        if not orders_result(gold_sql, self.job.dialect):
            return True
        return compare(gold, pred, self._ties(gold_sql, gold))

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

    def __init__(self, job: Job, images: Images) -> None:
        self.job = job
        self.image = images.image(job.database, job.limits)
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
        database = from_image(self.image, self.job.limits, writable=True)
        try:
            with _alarm(seconds):
                done = database.run(sql, seconds, allowed)
                state = database.final_state(read_state, seconds)
        except Stopped as stopped:
            return Outcome(stopped.status, stopped.detail[:500], time.perf_counter() - started), None, 0
        return Outcome("ok", "", time.perf_counter() - started), state, done.statements


def _preview(rows: list[Row]) -> list[list[object]]:
    """The first rows as JSON values, long cells cut, bytes as text."""
    return [
        [
            cell.hex()[:_CELL_CHARS]
            if isinstance(cell, bytes)
            else cell[:_CELL_CHARS]
            if isinstance(cell, str)
            else cell
            for cell in row
        ]
        for row in rows
    ]


def _confine(memory_bytes: int) -> None:
    """Give up what a query never needs: files, memory beyond the cap, core dumps, a place in front of the queue."""
    import apsw

    apsw.hard_heap_limit(memory_bytes)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (4 * memory_bytes + (1 << 30),) * 2)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it then closes our input


def _follow_parent(parent: int) -> None:
    """End this process when its parent has gone, whatever it is doing."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer batches until the input ends. Replies of a batch go out as they come, gathered for 20 ms at most."""
    images, decoder = Images(), msgspec.msgpack.Decoder(list[Job])
    while (frame := read_frame(source)) is not None:
        flushed = time.monotonic()
        for job in decoder.decode(frame):
            write_frame(sink, answer(job, images))
            if time.monotonic() - flushed > 0.02:
                sink.flush()
                flushed = time.monotonic()
        sink.flush()


def main() -> None:
    """Entry of the process: `python -m benchmark.sqlengine.worker MEMORY_BYTES`."""
    threading.Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()
    _confine(int(sys.argv[1]))
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
