"""Datasets that are a folder: a JSON file of questions a split, and a database file for each database that they name.

Promises: the schema shown to a model is the databases' own DDL; databases are opened read-only, and never changed; a
broken row, or a database that is not there, is an error that names it.
Does not: read golds from .sql files, or schemas from tables.json: both repeat what is read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.datasets.databases import schema_of_file
from benchmark.datasets.gretel import task_of
from benchmark.errors import DatasetError, UsageError, did_you_mean
from benchmark.rows import Row, as_text, read_rows, report_broken
from benchmark.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A split: its name in the dataset's name, its files in order, and the folders that may hold its databases."""

    name: str
    files: tuple[str, ...]
    databases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A published layout. A split is the first of its parts whose first file is there.

    `id` is a column, without which an item is named by its place; `tags` are tag -> column.
    """

    kind: str
    splits: Mapping[str, tuple[Part, ...]]
    gold: str
    licence: str
    note: str
    id: str = ""
    evidence: str = ""
    tags: Mapping[str, str]

    @property
    def required(self) -> tuple[str, ...]:
        return ("db_id", "question", self.gold)


def load_folder(layout: Layout, argument: str, split: str) -> Dataset:
    """A split of the folder `argument`. Raises UsageError, DatasetError."""
    if not argument:
        first = layout.splits["dev"][0]
        raise UsageError(
            f"{layout.kind} needs a folder",
            f"For instance {layout.kind}:path/to/{layout.kind}, with {first.files[0]} and {first.databases[0]}/.",
        )
    if split not in layout.splits:
        raise DatasetError(f"{layout.kind} has no split '{split}'", did_you_mean(split, layout.splits))
    folder = Path(argument).expanduser()
    part = _part(folder, layout.splits[split])
    rows = [row for file in part.files if _is_wanted(folder / file, part) for row in read_rows(folder / file)]
    report_broken(str(folder / part.files[0]), list(_problems(folder, layout, part, rows)), "Check the download.")
    return Dataset(
        name=f"{layout.kind}/{part.name}",
        split=split,
        examples=tuple(_example(folder, layout, part, number, row) for number, row in enumerate(rows)),
        licence=layout.licence,
        note=layout.note,
    )


def _part(folder: Path, parts: Sequence[Part]) -> Part:
    """The first part that the folder holds. Raises DatasetError that names the files looked for."""
    found = next((part for part in parts if (folder / part.files[0]).is_file()), None)
    if found is None:
        looked = " or ".join(str(folder / part.files[0]) for part in parts)
        raise DatasetError(f"no such file: {looked}", "Give the folder that the official download unpacks to.")
    return found


def _is_wanted(file: Path, part: Part) -> bool:
    """Whether to read a file: the first one always, a further one where it is there."""
    return file.name == Path(part.files[0]).name or file.is_file()


def _database(folder: Path, part: Part, db_id: str) -> Path:
    """Where a database lies: in the first of the part's folders that has it."""
    places = [folder / name / db_id / f"{db_id}.sqlite" for name in part.databases]
    return next((place for place in places if place.is_file()), places[0])


def _problems(folder: Path, layout: Layout, part: Part, rows: Sequence[Row]) -> Iterator[str]:
    for number, row in enumerate(rows):
        missing = [name for name in layout.required if not isinstance(row.get(name), str) or not row[name].strip()]
        if missing:
            yield f"row {number}: no text in {', '.join(missing)}"
        elif not (place := _database(folder, part, row["db_id"])).is_file():
            yield f"row {number}: no database {place}"


def _example(folder: Path, layout: Layout, part: Part, number: int, row: Row) -> Example:
    path = _database(folder, part, row["db_id"]).resolve()
    gold = row[layout.gold]
    evidence = row.get(layout.evidence) if layout.evidence else None
    named = row.get(layout.id) if layout.id else None
    return Example(
        id=str(number) if named is None else as_text(named),
        question=row["question"].strip(),
        schema_sql=schema_of_file(path, "sqlite"),
        golds=(gold,),
        dialect="sqlite",
        group=row["db_id"],
        db=str(path),
        tags={tag: as_text(row[column]) for tag, column in layout.tags.items() if row.get(column) not in (None, "")},
        task=task_of(gold),
        evidence=evidence.strip() if isinstance(evidence, str) and evidence.strip() else None,
    )
