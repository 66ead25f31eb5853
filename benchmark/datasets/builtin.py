"""The embedded splits, in the columns of gretelai/synthetic_text_to_sql: test is the exam, train is to learn from.

Promises: every gold runs in SQLite and in DuckDB with the same rows (tests/unit/test_builtin*.py check it and more);
the rows are fixed, and a fingerprint changes with any byte. Nothing of the test split is in the train split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.datasets.base import Dataset
from benchmark.datasets.gretel import examples_from_rows
from benchmark.errors import DatasetError, UsageError
from benchmark.rows import read_rows

#: Of the test split: 240 items written and curated by hand.
FINGERPRINT = "sha256:c6617c244580fa0b50ac390db6aa9490cb55c3e6e4c9ccc4552b64c577e65d9a"
#: Of the train split: 2,000 items that benchmark.datasets.builtin_train makes from hand-curated parts.
TRAIN_FINGERPRINT = "sha256:da3a9864cc2e6523cf9660190a5d62ccc4d9ab2acc753c559115f8a9530d245d"
TEST_FILE = Path(__file__).with_name("builtin_test.jsonl")


class Split(NamedTuple):
    """Where the rows of a split come from, the fingerprint that they must have, and what a reader must know."""

    rows: Callable[[], Iterable[Mapping[str, Any]]]
    fingerprint: str
    note: str


def load_builtin(argument: str, split: str) -> Dataset:
    """An embedded split, 'test' or 'train'. Raises DatasetError when its rows are not those that were published."""
    if argument:
        raise UsageError(f"builtin takes no path, not '{argument}'", "For a file of your own use gretel:PATH.")
    if split not in SPLITS:
        raise DatasetError(f"builtin has no split '{split}'", f"Its splits: {', '.join(SPLITS)}.")
    rows, fingerprint, note = SPLITS[split]
    name = f"builtin/{split}"
    examples = examples_from_rows(rows(), name)
    dataset = Dataset(name=name, split=split, examples=examples, licence="Apache-2.0", note=note)
    if dataset.fingerprint != fingerprint:
        raise DatasetError(f"the builtin {split} split was changed: {dataset.fingerprint}", "Reinstall sqlgauge.")
    return dataset


def _test_rows() -> list[dict[str, Any]]:
    return read_rows(TEST_FILE)


def _train_rows() -> list[dict[str, str]]:
    from benchmark.datasets.builtin_train import train_rows

    return train_rows()


SPLITS = {
    "test": Split(_test_rows, FINGERPRINT, "240 hand-written items over 24 domains; SQLite dialect."),
    "train": Split(_train_rows, TRAIN_FINGERPRINT, "2,000 items made from hand-curated parts; SQLite dialect."),
}
