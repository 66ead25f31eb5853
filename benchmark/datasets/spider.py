"""Spider (T. Yu et al., EMNLP 2018; CC BY-SA 4.0), in its official folder: dev.json, database/NAME/NAME.sqlite.

Promises: 'test' is test.json where the folder has it, as the full release does, and else dev.json; a dataset's name
says which. 'realistic' is Spider-Realistic (X. Deng et al., NAACL 2021), over the dev databases.
Does not: know Spider's hardness levels.
"""

from __future__ import annotations

from benchmark.datasets.base import Dataset
from benchmark.datasets.folder import Layout, Part, load_folder

_DEV = Part(name="dev", files=("dev.json",), databases=("database",))
_TEST = Part(name="test", files=("test.json",), databases=("test_database", "database"))
_TRAIN = Part(name="train", files=("train_spider.json", "train_others.json"), databases=("database",))
_REALISTIC = Part(name="realistic", files=("spider-realistic.json",), databases=("database",))
LAYOUT = Layout(
    kind="spider",
    splits={"dev": (_DEV,), "test": (_TEST, _DEV), "train": (_TRAIN,), "realistic": (_REALISTIC,)},
    gold="query",
    licence="CC BY-SA 4.0",
    note="One database an item; SQLite.",
    tags={"database": "db_id"},
)


def load_spider(argument: str, split: str) -> Dataset:
    """A split of the folder `argument`: dev, test, train or realistic. Raises UsageError, DatasetError."""
    return load_folder(LAYOUT, argument, split)
