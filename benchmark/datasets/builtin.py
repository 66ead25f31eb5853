"""The embedded test split: 240 items written and curated by hand, in the columns of gretelai/synthetic_text_to_sql.

Promises: every gold runs in SQLite and in DuckDB, every reading gold needs each of its conditions, no blanket write
equals a gold (tests/unit/test_builtin.py checks all of it). The rows are fixed: FINGERPRINT changes with any byte.
"""

from __future__ import annotations

from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.datasets.gretel import examples_from_rows
from benchmark.errors import DatasetError, UsageError
from benchmark.rows import read_rows

FINGERPRINT = "sha256:c6617c244580fa0b50ac390db6aa9490cb55c3e6e4c9ccc4552b64c577e65d9a"
TEST_FILE = Path(__file__).with_name("builtin_test.jsonl")


def load_builtin(argument: str, split: str) -> Dataset:
    """The embedded split. Raises DatasetError when the installed file is not the one that was published."""
    if argument:
        raise UsageError(f"builtin takes no path, not '{argument}'", "For a file of your own use gretel:PATH.")
    if split != "test":
        raise DatasetError(f"builtin has no split '{split}'", "Its only split is 'test'.")
    dataset = Dataset(
        name="builtin/test",
        split=split,
        examples=examples_from_rows(read_rows(TEST_FILE), str(TEST_FILE)),
        licence="Apache-2.0",
        note="240 hand-written items over 24 domains; SQLite dialect.",
    )
    if dataset.fingerprint != FINGERPRINT:
        raise DatasetError(f"the builtin test split was changed: {dataset.fingerprint}", "Reinstall sqlgauge.")
    return dataset
