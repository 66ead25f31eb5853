"""Spider (T. Yu et al., EMNLP 2018; CC BY-SA 4.0): a folder with dev.json and database/NAME/NAME.sqlite.

Promises: the schema shown to a model is the databases' own DDL; databases are opened read-only, and never changed.
Does not: know Spider's hidden test split, or its hardness levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmark.datasets.base import Dataset
from benchmark.errors import DatasetError, UsageError, did_you_mean
from benchmark.rows import read_rows, report_broken
from benchmark.sqlengine.sandbox.sqlite import schema_script
from benchmark.types import Example

FILES = {"dev": "dev.json", "test": "dev.json", "train": "train_spider.json"}
REQUIRED = ("db_id", "question", "query")


def load_spider(argument: str, split: str) -> Dataset:
    """The split in the folder `argument`; 'test' means dev, which is the published one. Raises DatasetError."""
    if not argument:
        raise UsageError("spider needs a folder", "For instance spider:path/to/spider, with dev.json and database/.")
    if split not in FILES:
        raise DatasetError(f"spider has no split '{split}'", did_you_mean(split, FILES))
    folder = Path(argument).expanduser()
    rows = read_rows(folder / FILES[split])
    report_broken(str(folder / FILES[split]), list(_problems(folder, rows)), "Check the download.")
    return Dataset(
        name=f"spider/{'train' if split == 'train' else 'dev'}",
        split=split,
        examples=tuple(_example(folder, number, row) for number, row in enumerate(rows)),
        licence="CC BY-SA 4.0",
        note="One database an item; SQLite.",
    )


def database_file(folder: Path, db_id: str) -> Path:
    """Where a database lies."""
    return folder / "database" / db_id / f"{db_id}.sqlite"


def _problems(folder: Path, rows: list[dict[str, Any]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        missing = [column for column in REQUIRED if not isinstance(row.get(column), str)]
        if missing:
            yield f"row {number}: no text in {', '.join(missing)}"
        elif not database_file(folder, row["db_id"]).is_file():
            yield f"row {number}: no database {database_file(folder, row['db_id'])}"


def _example(folder: Path, number: int, row: dict[str, Any]) -> Example:
    path = database_file(folder, row["db_id"]).resolve()
    return Example(
        id=str(number),
        question=row["question"].strip(),
        schema_sql=_schema(path),
        golds=(row["query"],),
        dialect="sqlite",
        group=row["db_id"],
        db=str(path),
        tags={"database": row["db_id"]},
    )


@lru_cache(maxsize=512)
def _schema(path: Path) -> str:
    return schema_script(path)
