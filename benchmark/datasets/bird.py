"""BIRD (J. Li et al., NeurIPS 2023; CC BY-SA 4.0) and its mini-dev, from a folder. Evidence goes into the prompt.

Promises: the official layout: dev.json and dev_databases/ID/ID.sqlite, train.json and train_databases/, here or one
folder down; mini_dev_sqlite.json with dev_databases/.
Does not: read the CSV files in database_description/, or the MySQL and PostgreSQL forms of mini-dev.
"""

from __future__ import annotations

from benchmark.datasets.base import Dataset
from benchmark.datasets.folder import Layout, Part, load_folder


def _part(name: str, file: str, databases: str) -> Part:
    return Part(name=name, files=(file,), databases=(databases,))


_MINI = (
    _part("mini_dev", "mini_dev_sqlite.json", "dev_databases"),
    _part("mini_dev", "MINIDEV/mini_dev_sqlite.json", "dev_databases"),
)
_DEV = tuple(_part("dev", f"{place}dev.json", "dev_databases") for place in ("", "dev/", "dev_20240627/"))
_TRAIN = tuple(_part("train", f"{place}train.json", "train_databases") for place in ("", "train/"))
LAYOUT = Layout(
    name="bird",
    licence="CC BY-SA 4.0",
    parts={
        "dev": _DEV,
        "test": (*_DEV, *_MINI),  # BIRD's own test split is not published
        "train": _TRAIN,
        "mini_dev": _MINI,
    },
    columns={"question": "question", "gold": "SQL", "id": "question_id", "evidence": "evidence"},
    tags={"database": "db_id", "complexity": "difficulty"},
)


def load_bird(argument: str, split: str) -> Dataset:
    """A split in the folder `argument`; 'test' means dev, or mini-dev where that is all. Raises DatasetError."""
    return load_folder(LAYOUT, argument, split)
