"""BIRD (J. Li et al., NeurIPS 2023; CC BY-SA 4.0), in its official folders: dev.json, dev_databases/NAME/NAME.sqlite.

Promises: a question's evidence goes into the prompt, as in the official setting with external knowledge; 'test' is
dev.json, or the mini-dev of a folder that holds only that: a dataset's name says which.
Does not: compare as BIRD does unless asked (`--policy bird`), or read its column descriptions.
"""

from __future__ import annotations

from benchmark.datasets.base import Dataset
from benchmark.datasets.folder import Layout, Part, load_folder

_DEV = Part(name="dev", files=("dev.json",), databases=("dev_databases",))
_MINI = Part(name="mini_dev", files=("mini_dev_sqlite.json",), databases=("dev_databases",))
_TRAIN = Part(name="train", files=("train.json",), databases=("train_databases",))
#: Train and dev unpacked side by side.
_TRAIN_BESIDE = Part(name="train", files=("train/train.json",), databases=("train/train_databases",))
_DEV_BESIDE = Part(name="dev", files=("dev/dev.json",), databases=("dev/dev_databases",))
LAYOUT = Layout(
    kind="bird",
    splits={
        "dev": (_DEV, _DEV_BESIDE),
        "test": (_DEV, _DEV_BESIDE, _MINI),
        "mini_dev": (_MINI,),
        "train": (_TRAIN, _TRAIN_BESIDE),
    },
    gold="SQL",
    licence="CC BY-SA 4.0",
    note="One database an item, with a hint where there is one; SQLite. Its official comparison is --policy bird.",
    id="question_id",
    evidence="evidence",
    tags={"database": "db_id", "complexity": "difficulty"},
)


def load_bird(argument: str, split: str) -> Dataset:
    """A split of the folder `argument`: dev, mini_dev or train. Raises UsageError, DatasetError."""
    return load_folder(LAYOUT, argument, split)
