"""A test split of one's own: a JSON lines, CSV or Parquet file, whatever its columns are called.

Promises: a column is found by its usual names or named outright; a row that lacks something is listed, and so is a
database that is not there. A row with a database file and no schema gets the file's own DDL.
Does not: guess a dialect (it is sqlite unless a column or `dialect=` says otherwise), or invent a database: rows
without schema and database are scored as text and trees, never by execution.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmark.datasets.base import Dataset
from benchmark.datasets.databases import schema_of_file
from benchmark.datasets.gretel import task_of
from benchmark.errors import DatasetError, UsageError, did_you_mean
from benchmark.files import is_file
from benchmark.rows import Row, as_text, chosen_rows, read_rows, report_broken, split_choices, with_choices
from benchmark.types import Example

#: What a row can hold -> the names that its column is looked for under, in order.
COLUMNS = {
    "question": ("question", "sql_prompt", "prompt", "utterance", "nl", "instruction", "input"),
    "gold": ("golds", "gold_alternatives", "gold", "gold_sql", "sql", "query", "answer", "output"),
    "golds": (),  # a list of further ones: only where it is named
    "schema": ("schema_sql", "schema", "sql_context", "context", "create_table", "ddl"),
    "db": ("db", "db_path", "database_path"),
    "id": ("id", "example_id", "question_id"),
    "group": ("group", "db_id", "database", "table_id", "domain"),
    "evidence": ("evidence", "hint"),
    "dialect": ("dialect",),
}
REQUIRED = ("question", "gold")
KINDS = ("csv", "jsonl", "parquet")
#: How the key of a mapping begins that names a tag's column: 'tags.level=difficulty'.
TAG = "tags."
_IN_BRACES = re.compile(r"\{([^{}]+)\}")
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

    After a `?` follow choices, divided by `&`: a key of `COLUMNS` names its column, `tags.NAME` that of a tag, `tags`
    lists columns to slice by, `dialect` is a dialect unless a column has that name, and any other key keeps the rows
    with that value. `db` may also be a path with columns in it: 'db=databases/{db_name}.sqlite'.
    """
    if not argument:
        raise UsageError(f"{kind} needs a file", f"For instance {kind}:questions.{kind}.")
    path, choices = split_choices(argument)
    if path.suffix.lower() != f".{kind}":
        raise UsageError(f"{path} does not end in .{kind}", "The word before the colon is the file's kind.")
    named = {key: choices.pop(key) for key in list(choices) if key in (*COLUMNS, "tags") or key.startswith(TAG)}
    rows = chosen_rows(read_rows(path), choices, str(path))
    columns = list(dict.fromkeys(column for row in rows for column in row))
    dialect = named.pop("dialect") if named.get("dialect", "") not in ("", *columns) else "sqlite"
    layout = find_columns(columns, named, str(path)) if rows else {}
    tags = tag_columns(columns, named, str(path)) if rows else {}
    problems = _problems(rows, layout, path.parent)
    report_broken(str(path), problems, "Every row needs a question and a gold, and its database where it names one.")
    return Dataset(
        name=f"{kind}:{path.name}/{split}",
        split=split,
        examples=tuple(_example(row, layout, tags, dialect, path.parent) for row in rows),
        licence="",
        note=f"A local file; {dialect if 'dialect' not in layout else 'dialects as the rows say'}.",
    )


def mapped(spec: str, mapping: Sequence[str]) -> str:
    """The spec string of a table with 'ours=theirs' pairs in it, as `--map` gives them. Raises UsageError.

    >>> mapped("jsonl:rows.jsonl", ["question=utterance", "tags.level=difficulty"])
    'jsonl:rows.jsonl?question=utterance&tags.level=difficulty'
    """
    if not mapping:
        return spec
    kind, _, argument = spec.partition(":")
    if kind not in KINDS:
        raise UsageError(
            f"--map is for files in columns of one's own, and '{spec}' has known columns",
            f"Read the file as {':FILE, '.join(KINDS)}:FILE.",
        )
    pairs = [pair.partition("=") for pair in mapping]
    for pair, (ours, equals, theirs) in zip(mapping, pairs, strict=True):
        if not (ours and equals and theirs):
            raise UsageError(f"--map wants ours=theirs, not '{pair}'", "For instance --map question=utterance.")
        if ours not in COLUMNS and ours.removeprefix(TAG) == ours:
            hint = did_you_mean(ours, [*COLUMNS, f"{TAG}NAME"])
            raise UsageError(f"--map: a row has no '{ours}'", f"{hint} Theirs, the file's column, comes second.")
    return f"{kind}:{with_choices(argument, {ours: theirs for ours, _, theirs in pairs})}"


def tables_mapped(specs: Sequence[str], mapping: Sequence[str]) -> list[str]:
    """The specs, those of tables `mapped`. Raises UsageError where none is a table."""
    tables = [spec for spec in specs if spec.partition(":")[0] in KINDS] or specs
    return [mapped(spec, mapping) if spec in tables else spec for spec in specs]


def find_columns(columns: Sequence[str], named: Mapping[str, str], source: str) -> dict[str, str]:
    """What a row can hold -> its column. Raises DatasetError for a column that is named and not there, or missing."""
    found = {}
    for part, usual in COLUMNS.items():
        if part == "gold" and "golds" in named and "gold" not in named:
            continue
        wanted = (named[part],) if part in named else usual
        if part == "db" and _IN_BRACES.search(wanted[0]):
            _check_braces(wanted[0], columns, source)
            found[part] = wanted[0]
            continue
        column = next((name for name in wanted if name in columns), None)
        if column is not None:
            found[part] = column
        elif part in named or part in REQUIRED:
            raise DatasetError(
                f"{source} has no column '{wanted[0]}'" if part in named else f"{source} has no column for the {part}",
                f"{did_you_mean(wanted[0], columns)} Name it with ?{part}=COLUMN after the path.",
            )
    return found


def _check_braces(pattern: str, columns: Sequence[str], source: str) -> None:
    for name in _IN_BRACES.findall(pattern):
        if name not in columns:
            raise DatasetError(f"{source} has no column '{name}'", did_you_mean(name, columns))


def _db(row: Row, layout: Mapping[str, str]) -> str:
    """The path of a row's database as the row, or the pattern, gives it; empty without one."""
    named = layout.get("db", "")
    if not _IN_BRACES.search(named):
        value = row.get(named)
        return "" if value is None else str(value)
    return _IN_BRACES.sub(lambda match: as_text(row.get(match[1])), named)


def tag_columns(columns: Sequence[str], named: Mapping[str, str], source: str) -> dict[str, str]:
    """Tag -> column: those of the comma-separated list `tags`, or else the known ones; and those of `tags.NAME`.

    Raises DatasetError.
    """
    if "tags" in named:
        found = {name: name for name in map(str.strip, named["tags"].split(",")) if name}
    else:
        usual = {tag: next((name for name in names if name in columns), "") for tag, names in TAGS.items()}
        found = {tag: column for tag, column in usual.items() if column}
    found |= {key.removeprefix(TAG): column for key, column in named.items() if key.startswith(TAG)}
    for column in found.values():
        if column not in columns:
            raise DatasetError(f"{source} has no column '{column}'", did_you_mean(column, columns))
    return found


def _problems(rows: Sequence[Row], layout: Mapping[str, str], folder: Path) -> list[str]:
    texts = [layout[part] for part in ("question", "gold", "golds") if part in layout]
    lacking = [
        f"row {number}: no text in {column}"
        for number, row in enumerate(rows, 1)
        for column in texts
        if not any(text.strip() for text in _texts(row.get(column)))
    ]
    first: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        first.setdefault(_db(row, layout), number)
    gone = {db: number for db, number in first.items() if db and not is_file(folder / db)}
    return lacking + [f"row {number}: no database {folder / db}" for db, number in gone.items()]


def _texts(value: Any) -> list[str]:
    """The texts of a cell, which may hold a list of them, or one written as JSON.

    >>> _texts('["SELECT 1", "SELECT 2"]'), _texts("SELECT 1")
    (['SELECT 1', 'SELECT 2'], ['SELECT 1'])
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return msgspec.json.decode(value, type=list[str])
        except msgspec.DecodeError:
            return [value]
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def _golds(row: Row, layout: Mapping[str, str]) -> tuple[str, ...]:
    """The golds of a row, each once: those of the column `gold` first."""
    found = [text for part in ("gold", "golds") if part in layout for text in _texts(row.get(layout[part]))]
    return tuple(dict.fromkeys(text.strip() for text in found if text.strip()))


def _example(row: Row, layout: Mapping[str, str], tags: Mapping[str, str], dialect: str, folder: Path) -> Example:
    given = {part: row.get(column) for part, column in layout.items() if row.get(column) not in (None, "")}
    question, schema = str(given["question"]).strip(), str(given.get("schema") or "").strip()
    golds = _golds(row, layout)
    content = hashlib.sha256("\0".join((question, schema, *golds)).encode()).hexdigest()
    place = _db(row, layout)
    db = (folder / place).resolve() if place else None
    spoken = str(given.get("dialect") or dialect).strip().lower()
    own = row.get("tags")
    example_id = as_text(given["id"]) if "id" in given else f"h{content[:12]}"
    return Example(
        id=example_id,
        question=question,
        schema_sql=schema or (schema_of_file(db, spoken) if db is not None else ""),
        golds=golds,
        dialect=spoken,
        group=as_text(given["group"]) if "group" in given else example_id,  # known to share nothing: its own cluster
        task=task_of(golds[0]),
        db=None if db is None else str(db),
        tags={
            **{key: as_text(value) for key, value in (own if isinstance(own, dict) else {}).items()},
            **{tag: as_text(row[column]) for tag, column in tags.items() if row.get(column) not in (None, "")},
        },
        evidence=as_text(given["evidence"]) if "evidence" in given else None,
    )
