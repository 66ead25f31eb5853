"""Labels that a person gave to answers: which items are drawn for that, and reading them back for judge calibration.

Promises: a draw depends on the seed and the ids alone, so it is the same on every machine, and a smaller one is the
beginning of a larger one; every broken line of a labels file is reported, not only the first.
Does not: show anything to anybody (`reports.labelling`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmark.errors import UsageError
from benchmark.files import is_file
from benchmark.store import latest
from benchmark.types import SCHEMA_VERSION, VerdictLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A person's opinion of one answer; as a JSON line it is what a labels file holds."""

    run_id: str
    example_id: str
    label: VerdictLabel
    sample: int = 0
    note: str = ""
    labeller: str | None = None
    schema_version: int = SCHEMA_VERSION


def draw(ids: Iterable[str], n: int, seed: int) -> list[str]:
    """A simple random sample of n ids without replacement, in random order: those with the smallest hashes.

    >>> draw(["a", "b", "c", "d"], 2, seed=0) == draw(["d", "c", "b", "a"], 3, seed=0)[:2]
    True
    """
    return sorted(ids, key=lambda one: hashlib.sha256(f"{seed}:{one}".encode()).digest())[:n]


def read_labels(path: Path) -> list[Label]:
    """A file's labels, the last one of each answer and labeller. Raises UsageError that lists every broken line."""
    if not is_file(path):
        raise UsageError(f"no labels file at {path}", "Make one with 'sqlgauge label RUN'.")
    labels, problems = [], []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            labels.append(parse_label(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problems.append(f"line {number}: {error}")
    if problems:
        shown = "\n  ".join(problems)
        raise UsageError(
            f"{path} has {len(problems)} broken lines:\n  {shown}", "Mend them or delete them; nothing was read."
        )
    return latest(labels, lambda one: (one.run_id, one.example_id, one.sample, one.labeller))


def parse_label(line: bytes) -> Label:
    """One JSON object as a label. Raises msgspec.DecodeError that says what is wrong."""
    label = msgspec.json.decode(line, type=Label)
    if label.schema_version != SCHEMA_VERSION:
        raise msgspec.ValidationError(f"schema_version {label.schema_version}; this sqlgauge reads {SCHEMA_VERSION}")
    if label.sample < 0 or not label.run_id or not label.example_id:
        raise msgspec.ValidationError("run_id and example_id must not be empty, nor sample negative")
    return label


def of_run(labels: Iterable[Label], run_id: str, example_ids: Sequence[str]) -> list[Label]:
    """The labels of one run's items."""
    wanted = frozenset(example_ids)
    return [label for label in labels if label.run_id == run_id and label.example_id in wanted]
