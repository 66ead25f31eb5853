"""Benchmarks that come as a folder: a JSON list of questions a split, and one SQLite file a database.

Promises: the schema shown to a model is the databases' own DDL; databases are opened read-only, and never changed; a
row without its texts or its database is listed.
Does not: download anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.datasets.base import Dataset
from benchmark.datasets.databases import schema_of_file
from benchmark.errors import DatasetError, UsageError, did_you_mean
from benchmark.files import is_file
from benchmark.rows import Row, as_text, read_rows, report_broken
from benchmark.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where a split lies: `files` of rows, the first of which must be there, and the folders that hold ID/ID.sqlite.

    `databases` are looked through in order, beside the first file.
    """

    name: str
    files: tuple[str, ...]
    databases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A benchmark's folder. A split has several parts where it may lie in several places: the first one found counts.

    `columns` maps question, gold and, where the rows have them, id and evidence to their names; `tags` likewise.
    """

    name: str
    licence: str
    parts: Mapping[str, tuple[Part, ...]]
    columns: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)


class _Found(NamedTuple):
    """A split's rows, each with its database's file where there is one, and what an error calls them."""

    rows: list[Row]
    files: Mapping[str, Path]
    source: str


def load_folder(layout: Layout, argument: str, split: str) -> Dataset:
    """The split in the folder `argument`. Raises UsageError, DatasetError."""
    if not argument:
        part = layout.parts["dev"][0]
        raise UsageError(
            f"{layout.name} needs a folder",
            f"For instance {layout.name}:path/to/{layout.name}, with {part.files[0]} and {part.databases[0]}/.",
        )
    if split not in layout.parts:
        raise DatasetError(f"{layout.name} has no split '{split}'", did_you_mean(split, layout.parts))
    folder = Path(argument).expanduser()
    part = _first_there(folder, layout.parts[split])
    found = _read(folder, part)
    report_broken(found.source, list(_problems(found, layout.columns)), "Check the download.")
    return Dataset(
        name=f"{layout.name}/{part.name}",
        split=split,
        examples=tuple(_example(found, layout, number, row) for number, row in enumerate(found.rows)),
        licence=layout.licence,
        note="One database an item; SQLite.",
    )


def _first_there(folder: Path, parts: Sequence[Part]) -> Part:
    """The part whose first file is there. Raises DatasetError that names all places."""
    for part in parts:
        if is_file(folder / part.files[0]):
            return part
    places = " or ".join(str(folder / part.files[0]) for part in parts)
    raise DatasetError(f"no such file: {places}", "Give the folder that the download was unpacked into.")


def _read(folder: Path, part: Part) -> _Found:
    first, *more = (folder / name for name in part.files)
    rows = [*read_rows(first), *(row for path in more if is_file(path) for row in read_rows(path))]
    ids = {row["db_id"] for row in rows if isinstance(row.get("db_id"), str)}
    places = {db_id: [first.parent / name / db_id / f"{db_id}.sqlite" for name in part.databases] for db_id in ids}
    files = {db_id: next((path for path in paths if is_file(path)), paths[0]) for db_id, paths in places.items()}
    return _Found(rows, files, str(first))


def _problems(found: _Found, columns: Mapping[str, str]) -> Iterator[str]:
    required = ("db_id", columns["question"], columns["gold"])
    gone = {db_id for db_id, path in found.files.items() if not is_file(path)}
    for number, row in enumerate(found.rows):
        missing = [column for column in required if not isinstance(row.get(column), str) or not row[column].strip()]
        if missing:
            yield f"row {number}: no text in {', '.join(missing)}"
        elif row["db_id"] in gone:
            yield f"row {number}: no database {found.files[row['db_id']]}"


def _example(found: _Found, layout: Layout, number: int, row: Mapping[str, Any]) -> Example:
    path = found.files[row["db_id"]].resolve()
    named = {part: row.get(column) for part, column in layout.columns.items() if row.get(column) not in (None, "")}
    return Example(
        id=as_text(named.get("id", number)),
        question=str(named["question"]).strip(),
        schema_sql=schema_of_file(path, "sqlite"),
        golds=(str(named["gold"]),),
        dialect="sqlite",
        group=row["db_id"],
        db=str(path),
        tags={tag: as_text(row[column]) for tag, column in layout.tags.items() if row.get(column) not in (None, "")},
        evidence=str(named["evidence"]).strip() if "evidence" in named else None,
    )
