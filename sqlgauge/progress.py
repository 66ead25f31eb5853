"""Progress on standard error: a bar on a terminal, a line now and then elsewhere, nothing with --quiet."""

from __future__ import annotations

import sys
import time
from typing import Any


class Bars:
    """Progress callback `bars(stage, done, total)`; use as a context manager."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._stage = ""
        self._bar: Any = None
        self._printed = 0.0

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._quiet:
            return
        if self._terminal:
            self._draw(stage, done, total)
        elif done == total or stage != self._stage or time.monotonic() - self._printed > 10:
            self._stage, self._printed = stage, time.monotonic()
            print(f"{stage}: {done}/{total}", file=sys.stderr, flush=True)

    def _draw(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if stage != self._stage:
            self._end()
            self._stage, self._bar = stage, tqdm(total=total, desc=stage, unit="item", initial=done)
        self._bar.update(done - self._bar.n)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
