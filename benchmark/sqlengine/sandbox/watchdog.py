"""One thread that interrupts a statement at its deadline, for an engine without a progress handler.

Promises: an interrupt never reaches a later statement than the one that is late. It comes within `_STEP` seconds.
Does not: end a process; the kernel's alarm does, where an interrupt is not heeded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_STEP = 0.02
#: Seconds without a statement after which the thread sleeps until there is one.
_IDLE = 1.0


class Watchdog:
    """Starts its thread with the first statement; a thread for each would cost more than most statements."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._interrupt: Callable[[], object] | None = None
        self._deadline = 0.0
        self._used = 0.0

    @contextmanager
    def watching(self, seconds: float, interrupt: Callable[[], object]) -> Iterator[None]:
        """Call `interrupt` if the block takes longer than `seconds`. Blocks do not nest."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        with self._lock:
            self._used = time.monotonic()
            self._deadline, self._interrupt = self._used + seconds, interrupt
        if not self._wanted.is_set():
            self._wanted.set()
        try:
            yield
        finally:
            with self._lock:
                self._interrupt = None

    def _watch(self) -> None:
        while self._wanted.wait():
            time.sleep(_STEP)
            with self._lock:
                now = time.monotonic()
                if self._interrupt is not None and now > self._deadline:
                    self._interrupt()  # again at each step, until the statement has ended
                elif self._interrupt is None and now > self._used + _IDLE:
                    self._wanted.clear()
