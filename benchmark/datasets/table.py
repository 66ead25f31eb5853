"""A test split of one's own: a JSON lines, CSV or Parquet file, whatever its columns are called.

Promises: a column is found by its usual names or named outright; a row that lacks something is listed.
Does not: guess a dialect (it is sqlite unless a column or `dialect=` says otherwise), or invent a database: rows
without schema and database are scored as text and trees, never by execution.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.datasets.base import Dataset
from benchmark.datasets.gretel import task_of
from benchmark.errors import DatasetError, UsageError, did_you_mean
from benchmark.rows import Row, as_text, chosen_rows, read_rows, report_broken, split_choices
from benchmark.types import Example

#: What a row can hold -> the names that its column is looked for under, in order.
COLUMNS = {
    "question": ("question", "sql_prompt", "prompt", "utterance", "nl", "instruction", "input"),
    "gold": ("golds", "gold", "gold_sql", "sql", "query", "answer", "output"),
    "schema": ("schema_sql", "schema", "sql_context", "context", "create_table", "ddl"),
    "db": ("db", "db_path", "database_path"),
    "id": ("id", "example_id", "question_id"),
    "group": ("group", "db_id", "database", "table_id", "domain"),
    "evidence": ("evidence", "hint"),
    "dialect": ("dialect",),
}
REQUIRED = ("question", "gold")
#: Columns that become tags without being asked: the known ones of other datasets.
TAGS = {
    "complexity": ("complexity", "sql_complexity", "difficulty", "hardness"),
    "task_type": ("task_type", "sql_task_type"),
    "domain": ("domain",),
    "database": ("db_id", "database"),
}


def load_jsonl(argument: str, split: str) -> Dataset:
    """'jsonl:PATH?gold=COLUMN&tags=A,B&run=base': see `load_table`."""
    return load_table("jsonl", argument, split)


def load_csv(argument: str, split: str) -> Dataset:
    """'csv:PATH': see `load_table`."""
    return load_table("csv", argument, split)


def load_parquet(argument: str, split: str) -> Dataset:
    """'parquet:PATH': see `load_table`."""
    return load_table("parquet", argument, split)


def load_table(kind: str, argument: str, split: str) -> Dataset:
    """The rows of a file as a split. Raises UsageError, DatasetError.

    After a `?` follow choices, divided by `&`: a key of `COLUMNS` names its column, `tags` lists columns to slice by,
    `dialect` is a dialect unless a column has that name, and any other key keeps the rows with that value.
    """
    if not argument:
        raise UsageError(f"{kind} needs a file", f"For instance {kind}:questions.{kind}.")
    path, choices = split_choices(argument)
    if path.suffix.lower() != f".{kind}":
        raise UsageError(f"{path} does not end in .{kind}", "The word before the colon is the file's kind.")
    named = {key: choices.pop(key) for key in (*COLUMNS, "tags") if key in choices}
    rows = chosen_rows(read_rows(path), choices, str(path))
    columns = list(dict.fromkeys(column for row in rows for column in row))
    dialect = named.pop("dialect") if named.get("dialect", "") not in ("", *columns) else "sqlite"
    layout = find_columns(columns, named, str(path)) if rows else {}
    tags = tag_columns(columns, named.get("tags"), str(path))
    report_broken(str(path), _problems(rows, layout), "Every row needs a question and a gold.")
    return Dataset(
        name=f"{kind}:{path.name}/{split}",
        split=split,
        examples=tuple(_example(row, layout, tags, dialect, path.parent) for row in rows),
        licence="",
        note=f"A local file; {dialect if 'dialect' not in layout else 'dialects as the rows say'}.",
    )


def find_columns(columns: Sequence[str], named: Mapping[str, str], source: str) -> dict[str, str]:
    """What a row can hold -> its column. Raises DatasetError for a column that is named and not there, or missing."""
    found = {}
    for part, usual in COLUMNS.items():
        wanted = (named[part],) if part in named else usual
        column = next((name for name in wanted if name in columns), None)
        if column is not None:
            found[part] = column
        elif part in named or part in REQUIRED:
            raise DatasetError(
                f"{source} has no column '{wanted[0]}'" if part in named else f"{source} has no column for the {part}",
                f"{did_you_mean(wanted[0], columns)} Name it with ?{part}=COLUMN after the path.",
            )
    return found


def tag_columns(columns: Sequence[str], named: str | None, source: str) -> dict[str, str]:
    """Tag -> column: those of the comma-separated list, else the known ones. Raises DatasetError."""
    if named is None:
        found = {tag: next((name for name in usual if name in columns), None) for tag, usual in TAGS.items()}
        return {tag: column for tag, column in found.items() if column is not None}
    wanted = [name.strip() for name in named.split(",") if name.strip()]
    for name in wanted:
        if name not in columns:
            raise DatasetError(f"{source} has no column '{name}'", did_you_mean(name, columns))
    return {name: name for name in wanted}


def _problems(rows: Sequence[Row], layout: Mapping[str, str]) -> list[str]:
    return [
        f"row {number}: no text in {layout[part]}"
        for number, row in enumerate(rows, 1)
        for part in REQUIRED
        if not any(text.strip() for text in _texts(row.get(layout[part])))
    ]


def _texts(value: Any) -> list[str]:
    """The texts of a cell, which may hold a list of them."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def _example(row: Row, layout: Mapping[str, str], tags: Mapping[str, str], dialect: str, folder: Path) -> Example:
    given = {part: row.get(column) for part, column in layout.items() if row.get(column) not in (None, "")}
    question, schema = str(given["question"]).strip(), str(given.get("schema") or "").strip()
    golds = tuple(text.strip() for text in _texts(given["gold"]) if text.strip())
    content = hashlib.sha256("\0".join((question, schema, *golds)).encode()).hexdigest()
    db = given.get("db")
    own = row.get("tags")
    example_id = as_text(given["id"]) if "id" in given else f"h{content[:12]}"
    return Example(
        id=example_id,
        question=question,
        schema_sql=schema,
        golds=golds,
        dialect=str(given.get("dialect") or dialect),
        group=as_text(given["group"]) if "group" in given else example_id,  # known to share nothing: its own cluster
        task=task_of(golds[0]),
        db=None if db is None else str((folder / str(db)).resolve()),
        tags={
            **{key: as_text(value) for key, value in (own if isinstance(own, dict) else {}).items()},
            **{tag: as_text(row[column]) for tag, column in tags.items() if row.get(column) not in (None, "")},
        },
        evidence=as_text(given["evidence"]) if "evidence" in given else None,
    )
