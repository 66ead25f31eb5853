"""The command line as it is, with one more back-end and, if asked for, a clock that jumps: scripted.py ARGUMENTS…

    counted/SECONDS     answers right or wrong by the prompt's id, SECONDS a batch of 4, and appends the ids of each
                        batch to the file in SQLGAUGE_COUNT before it answers

SQLGAUGE_JUMPS=1 has `time.time` jump by up to a year at every call; SQLGAUGE_LEASE is the judges' lease in s.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.models.base import REGISTRY, Decoding, ModelOptions
from benchmark.models.fault import _share
from benchmark.types import Example, Generation, Prompt

WRONG = ("SELECT 1", "I cannot answer that.", "SELECT * FROM (", "")


class Counted:
    """Answers by rule, at a known pace, and leaves a record of each asking."""

    batch_size = 4
    prompted = False

    def __init__(self, spec: str, seconds: float, examples: Sequence[Example]) -> None:
        self.spec, self._seconds = spec, seconds
        self._golds = {example.id: example.golds[0] for example in examples}

    def identity(self) -> dict[str, Any]:
        return {"spec": "counted"}  # the pace changes no answer

    def prepare(self) -> None:
        pass

    def count_tokens(self, prompt: Prompt) -> int | None:
        return None

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        with Path(os.environ["SQLGAUGE_COUNT"]).open("a") as record:
            record.write(" ".join(prompt.example_id for prompt in prompts) + "\n")
        time.sleep(self._seconds)
        return [self._one(prompt.example_id) for prompt in prompts]

    def _one(self, example_id: str) -> Generation:
        share = _share(example_id)
        text = self._golds[example_id] if share < 0.6 else WRONG[int(share * 1000) % len(WRONG)]
        return Generation(example_id=example_id, text=text, finish_reason="stop")


def open_counted(spec: str, argument: str, options: ModelOptions, examples: Sequence[Example]) -> Counted:
    return Counted(spec, float(argument), examples)


def jumping(seed: int) -> None:
    """Have the wall clock jump at every look at it; the monotonic one goes on as it does."""
    draw, true = random.Random(seed), time.time
    time.time = lambda: true() + draw.uniform(-3e7, 3e7)


if __name__ == "__main__":
    REGISTRY["counted"] = "__main__:open_counted"
    if os.environ.get("SQLGAUGE_JUMPS"):
        jumping(7)
    if lease := os.environ.get("SQLGAUGE_LEASE"):
        import judges.ledger

        judges.ledger.LEASE = float(lease)
    from sqlgauge.cli import main

    main()
