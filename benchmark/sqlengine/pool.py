"""The pool: worker processes that run untrusted SQL and are replaced when they die.

Promises: every job gets a reply, in the order of the jobs; a statement that kills its worker is found by running
its job's statements one by one, and only it is charged; no worker outlives the pool.
Does not: open a database itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import BinaryIO, cast

import msgspec

from benchmark.errors import SqlgaugeError
from benchmark.sqlengine.protocol import (
    OUT_OF_MEMORY,
    Inspected,
    Job,
    Limits,
    Outcome,
    Reply,
    read_frame,
    write_frame,
)

_BATCH_JOBS = 32
_ROOT = str(Path(__file__).resolve().parents[2])
#: Our own folder goes before other packages, so that a worker is never another installed version of this code.
_BOOT = (
    "import sys; root = sys.argv.pop(1); places = [path.endswith('-packages') for path in sys.path] + [True]; "
    "sys.path.insert(places.index(True), root); from benchmark.sqlengine.worker import main; main()"
)
_REPLIES = msgspec.msgpack.Decoder(Reply)


class WorkerDied(Exception):
    """A worker ended before it had answered everything; `replies` is what it had answered."""

    def __init__(self, replies: list[Reply], code: int) -> None:
        super().__init__(f"worker ended with {code}")
        self.replies = replies
        self.code = code


class PoolEnded(Exception):
    """The pool was given up; what its threads still wanted is not wanted any more."""


class Worker:
    """One process. Its environment is empty and its folder is empty and read by nobody."""

    def __init__(self, folder: str, memory_bytes: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", _BOOT, _ROOT, str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={},
            start_new_session=True,
        )
        self._input = cast(BinaryIO, self._process.stdin)
        self._output = cast(BinaryIO, self._process.stdout)

    def ask(self, jobs: Sequence[Job]) -> list[Reply]:
        """Answers to a batch. Raises WorkerDied.

        The worker's own timer ends it when a statement overruns; ours is for a platform or an engine without one.
        """
        replies: list[Reply] = []
        backstop = threading.Timer(sum(map(_patience, jobs)), self._process.kill)
        backstop.daemon = True
        backstop.start()
        try:
            write_frame(self._input, list(jobs))
            self._input.flush()
            while len(replies) < len(jobs) and (frame := read_frame(self._output)) is not None:
                replies.append(_REPLIES.decode(frame))
        except (OSError, msgspec.DecodeError):
            pass
        finally:
            backstop.cancel()
        if len(replies) < len(jobs):
            raise WorkerDied(replies, self.close())
        return replies

    def kill(self) -> None:
        """End the process now; whoever waits for its answers gets WorkerDied."""
        self._process.kill()

    def close(self, patience: float = 0.2) -> int:
        """End the process and wait for it; one that does not end by itself is killed. The exit code, or -signal."""
        with suppress(OSError):
            self._input.close()
        try:
            code = self._process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._output.close()
        return code


class Pool:
    """Worker processes behind one call. Use as a context manager; safe to call from one thread at a time."""

    def __init__(self, workers: int | None = None, limits: Limits | None = None) -> None:
        self._size = workers or cpu_count()
        self._memory_bytes = (limits or Limits()).memory_bytes
        self._folder = tempfile.TemporaryDirectory(prefix="sqlgauge-")
        self._idle: SimpleQueue[Worker | None] = SimpleQueue()  # None: the place of one that died
        self._busy: set[Worker] = set()
        self._given_up = False
        self._threads = ThreadPoolExecutor(self._size, thread_name_prefix="sqlgauge-sql")
        for _ in range(self._size):  # started now, so that they boot while the caller prepares its jobs
            self._idle.put(Worker(self._folder.name, self._memory_bytes))

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._give_up()
        self.close()

    def _give_up(self) -> None:
        """End what is under way: after an error or Ctrl-C nobody waits for a batch of slow statements."""
        self._given_up = True
        for worker in self._busy.copy():
            worker.kill()

    def close(self) -> None:
        """End every worker and wait for it."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for _ in range(self._size):
            worker = self._idle.get()
            if worker is not None:
                worker.close(patience=0.0)  # it is idle, and holds nothing that anybody waits for
        self._folder.cleanup()

    def run(self, jobs: Iterable[Job]) -> Iterator[Reply]:
        """A reply for each job, in order. Holds a bounded number of batches in memory."""
        batches = _in_batches(jobs)
        window = deque(self._threads.submit(self._serve, batch) for batch in islice(batches, 2 * self._size))
        while window:
            yield from window.popleft().result()
            window.extend(self._threads.submit(self._serve, batch) for batch in islice(batches, 1))

    def _serve(self, jobs: list[Job]) -> list[Reply]:
        try:
            return self._ask(jobs)
        except UnicodeEncodeError:  # half a character (a lone surrogate) in a model's text
            whole = list(map(_encodable, jobs))
            if whole == jobs:
                raise
            return self._serve(whole)
        except WorkerDied as death:
            rest = jobs[len(death.replies) :]
            return [*death.replies, *map(self._isolate, rest)]

    def _ask(self, jobs: list[Job]) -> list[Reply]:
        worker = self._idle.get()
        try:
            if self._given_up:
                raise PoolEnded
            worker = worker or Worker(self._folder.name, self._memory_bytes)
            self._busy.add(worker)
            replies = worker.ask(jobs)
        except BaseException:
            if worker is not None:
                self._busy.discard(worker)
                worker.close()
            self._idle.put(None)
            raise
        self._busy.discard(worker)
        self._idle.put(worker)
        return replies

    def _isolate(self, job: Job) -> Reply:
        """Run a job's statements one by one, after a worker died in its batch: whoever dies again is to blame."""
        try:
            base = self._ask([msgspec.structs.replace(job, predictions=[], search=None, inspect=False)])[0]
        except WorkerDied as death:
            return Reply(job.key, _outcome_of(death), [], [])
        if base.setup.status != "ok" or all(gold.status != "ok" for gold in base.golds):
            return base
        outcomes = [self._alone(job, n) for n in range(len(job.predictions))]
        return msgspec.structs.replace(base, predictions=outcomes, inspected=self._inspected(job))

    def _inspected(self, job: Job) -> list[Inspected]:
        """What an inspection finds, if one was asked for and no worker dies of it."""
        if not job.inspect:
            return []
        try:
            return self._ask([msgspec.structs.replace(job, predictions=[], search=None)])[0].inspected
        except WorkerDied:
            return []

    def _alone(self, job: Job, n: int) -> Outcome:
        """One prediction without a search, then with one: a worker that dies searching has shown nothing."""
        single = msgspec.structs.replace(job, predictions=[job.predictions[n]], search=None, inspect=False)
        try:
            outcome = self._ask([single])[0].predictions[0]
        except WorkerDied as death:
            return _outcome_of(death)
        if job.search is None or n in job.search.skip or outcome.status != "ok":
            return outcome
        search = msgspec.structs.replace(job.search, skip=[])
        try:
            return self._ask([msgspec.structs.replace(single, search=search)])[0].predictions[0]
        except WorkerDied:
            return outcome


def _in_batches(jobs: Iterable[Job]) -> Iterator[list[Job]]:
    source = iter(jobs)
    while batch := list(islice(source, _BATCH_JOBS)):
        yield batch


def _encodable(job: Job) -> Job:
    """The job with what UTF-8 cannot hold replaced by question marks in its statements."""
    golds, predictions, (setup,) = (
        [sql.encode("utf-8", "replace").decode() for sql in texts]
        for texts in (job.golds, job.predictions, [job.database.setup_sql])
    )
    database = msgspec.structs.replace(job.database, setup_sql=setup)
    return msgspec.structs.replace(job, golds=golds, predictions=predictions, database=database)


def cpu_count() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _patience(job: Job) -> float:
    """Seconds after which a silent worker is given up: every statement at its cap, the search, and some."""
    limits = job.limits
    searching = job.search.seconds + 10.0 if job.search else 0.0
    golds, predictions = limits.gold_seconds + 2, limits.cap_seconds + 2
    looking = (1 + 5 * len(job.golds)) * golds if job.inspect else 0.0
    return 10.0 + searching + looking + (1 + 2 * len(job.golds)) * golds + len(job.predictions) * predictions


def _outcome_of(death: WorkerDied) -> Outcome:
    """What a statement did that ended its worker twice: the signal says.

    Raises SqlgaugeError when no statement did it: a worker that fails for our reasons must not become a score.
    """
    if death.code == -signal.SIGALRM:
        return Outcome("timeout", "ended at its deadline")
    if death.code in (-signal.SIGKILL, OUT_OF_MEMORY):
        return Outcome("limit", "ended for its use of memory or time")
    if death.code == -signal.SIGXFSZ:
        return Outcome("refused", "tried to write to a file")
    if death.code < 0:
        return Outcome("invalid", f"crashed the engine (signal {-death.code})")
    raise SqlgaugeError(
        f"an SQL worker failed for reasons of its own (exit code {death.code})",
        "Nothing was scored. This is a flaw of sqlgauge or of its installation; please report it.",
    )
