"""Progress on standard error: a bar on a terminal, a line now and then elsewhere, nothing with --quiet."""

from __future__ import annotations

import math
import sys
import time
from typing import Any


class Bars:
    """Progress callback `bars(stage, done, total)`; use as a context manager."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._bars: dict[str, Any] = {}
        self._printed: dict[str, float] = {}

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        for bar in self._bars.values():
            bar.close()
        self._bars.clear()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Several stages may be under way at once, such as the judges of a panel."""
        if self._quiet:
            return
        if self._terminal:
            self._draw(stage, done, total)
        elif done == total or time.monotonic() - self._printed.get(stage, -math.inf) > 10:
            self._printed[stage] = time.monotonic()
            print(f"{stage}: {done}/{total}", file=sys.stderr, flush=True)

    def _draw(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if stage not in self._bars:
            self._bars[stage] = tqdm(total=total, desc=stage, unit="item", initial=done)
        self._bars[stage].update(done - self._bars[stage].n)
        if done >= total:
            self._bars.pop(stage).close()
