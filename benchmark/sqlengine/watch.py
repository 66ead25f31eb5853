"""The kernel's own deadline around a block of work in a worker process."""

from __future__ import annotations

import signal

#: Seconds after a statement's deadline at which the kernel ends the process.
GRACE_SECONDS = 1.0


class alarm:
    """Past the deadline and some grace, SIGALRM's default action ends the process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds + GRACE_SECONDS

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
