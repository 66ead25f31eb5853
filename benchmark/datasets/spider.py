"""Spider (T. Yu et al., EMNLP 2018; CC BY-SA 4.0) and Spider-Realistic (X. Deng et al., NAACL 2021), from a folder.

Promises: the official layout: dev.json, train_spider.json with train_others.json, test.json, and database/ID/ID.sqlite
(test_database/ for test.json). spider-realistic.json may lie beside them.
Does not: know Spider's hardness levels, or read tables.json: the databases themselves say what is in them.
"""

from __future__ import annotations

from benchmark.datasets.base import Dataset
from benchmark.datasets.folder import Layout, Part, load_folder

_DEV = Part(name="dev", files=("dev.json",), databases=("database",))
_TEST = Part(name="test", files=("test.json",), databases=("test_database", "database"))
LAYOUT = Layout(
    name="spider",
    licence="CC BY-SA 4.0",
    parts={
        "dev": (_DEV,),
        "test": (_TEST, _DEV),  # the test split was published late; most folders have dev alone, which papers report
        "train": (Part(name="train", files=("train_spider.json", "train_others.json"), databases=("database",)),),
        "realistic": (Part(name="realistic", files=("spider-realistic.json",), databases=("database",)),),
    },
    columns={"question": "question", "gold": "query"},
    tags={"database": "db_id"},
)


def load_spider(argument: str, split: str) -> Dataset:
    """A split in the folder `argument`; 'test' means dev where there is no test.json. Raises DatasetError."""
    return load_folder(LAYOUT, argument, split)
