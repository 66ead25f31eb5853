"""Tree differences of many pairs while the caller goes on: in processes of their own, that are started once.

Promises: the same pairs give the same edits, however many processes there are; pairs that come twice are compared once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from queue import SimpleQueue

import msgspec

from benchmark.errors import SqlgaugeError
from reports.items import tree_diff
from reports.items.tree_diff import Edit, Pair, edits

#: Fewer pairs than this in all are compared here, without a process; and pairs that a process gets in one go.
WORTH_PROCESSES, PART = 4_000, 250

Found = list[list[Edit] | None]


class Comparing:
    """A few processes that compare statements; none where few are `expected`. Use as a context manager."""

    def __init__(self, expected: int, workers: int | None = None) -> None:
        self._expected = expected
        self._workers = workers or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [0])
        self._threads = ThreadPoolExecutor(self._workers)
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Comparing:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        for process in self._started:
            with suppress(BrokenPipeError):
                process.communicate()  # an end of input ends it

    def begin(self, pairs: Sequence[Pair]) -> Callable[[], Found]:
        """Begin to compare; what is returned waits for the edits, in the order of the pairs."""
        distinct = sorted(set(pairs))  # equal golds follow one another, and are parsed once
        if self._expected < WORTH_PROCESSES or self._workers < 2:
            return lambda: _in_order(pairs, distinct, map(edits, distinct))
        self._start()
        parts = [distinct[start : start + PART] for start in range(0, len(distinct), PART)]
        waiting = [self._threads.submit(self._ask, part) for part in parts]
        return lambda: _in_order(pairs, distinct, chain.from_iterable(one.result() for one in waiting))

    def _start(self) -> None:
        """Processes that load nothing of a caller's script or folder, and of ours one file."""
        command = [sys.executable, "-P", str(tree_diff.__file__)]
        while len(self._started) < self._workers:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._started.append(process)
            self._idle.put(process)

    def _ask(self, pairs: Sequence[Pair]) -> Found:
        process = self._idle.get()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(pairs) + b"\n")
            process.stdin.flush()
            return msgspec.json.decode(process.stdout.readline(), type=Found)
        except (OSError, msgspec.DecodeError):
            raise SqlgaugeError(
                f"a process that compares statements has ended with {process.wait()}",
                "Is there enough memory? Its own words, if any, stand above.",
            ) from None
        finally:
            self._idle.put(process)


def _in_order(pairs: Sequence[Pair], distinct: Sequence[Pair], made: Iterable[list[Edit] | None]) -> Found:
    found = dict(zip(distinct, made, strict=True))
    return [found[pair] for pair in pairs]
